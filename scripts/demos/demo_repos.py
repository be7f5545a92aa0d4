"""Repos: the status of git repositories on disk and of their remotes, read without a change."""

import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any

from scripts.demos.support.demo_server import Server, running_server
from scripts.demos.support.stage import Stage, perform
from scripts.demos.support.user import outcome, sign_up
from scripts.demos.support.workspace import Workspace
from scripts.support.git_daemon import git_daemon
from scripts.support.git_repository import Repository

PASSWORD = "hunter2"
SECRETS = (PASSWORD, "sym_", "eyJ", "/dev/")
WATCHERS = 2
INSPECTIONS = 30  # that succeed while commits are created
MAX_COMMITS = 500
CLIENTS = 8

COUNTS = ("staged", "modified", "untracked", "conflicted", "stashes")
NOTHING: dict[str, Any] = {
    **dict.fromkeys(COUNTS, 0),
    **dict.fromkeys(("upstream", "ahead", "behind", "operation")),
}


def story(stage: Stage) -> None:
    with tempfile.TemporaryDirectory(prefix="symphony-demo-") as temporary:
        home = Path(temporary).resolve()
        dev = home / "dev"
        dev.mkdir()
        with (
            running_server("--git-root", str(dev), GIT_ALLOW_PRIVATE_REMOTES="true") as server,
            server.client() as client,
        ):
            ada = sign_up(client, "ada")
            thesis = Workspace(ada, ada.create_workspace("Thesis"))
            one_folder(stage, thesis, dev)
            unfinished_work(stage, thesis, dev)
            upstreams(stage, thesis, dev)
            special_states(stage, thesis, dev)
            whole_repository(stage, thesis, dev)
            synchronize(stage, thesis, dev, served=home / "served")
            no_interference(stage, thesis, dev)
            stop(stage, server)


def one_folder(stage: Stage, thesis: Workspace, dev: Path) -> None:
    stage.step("Register a folder, and ask for its status")
    engine = Repository.with_commits(dev / "engine", "notes")
    remote = "example.org/ada/engine.git"
    engine.git("remote", "add", "origin", f"https://ada:{PASSWORD}@{remote}")
    commit = engine.git("rev-parse", "HEAD")
    before = engine.snapshot()
    body = {"name": "engine", "path": str(engine.path)}
    registered = stage.exchange(
        thesis.ada.call("POST", f"/workspaces/{thesis.id}/repos", json=body), "id", "name", "path"
    )
    path = f"/repos/{registered.json()['id']}/status"
    first = stage.exchange(thesis.ada.call("GET", path))
    status = first.json()
    stage.why(
        "what `git status`, `git log -1` and `git remote -v` say, as JSON, in one request,"
        " and without touching the folder: no lock, no refreshed index."
    )
    head = {"id": commit, "subject": "Change notes", "author": "Ada Lovelace"}
    stage.expect("the folder is clean and on `main`", _is(status, state="clean", branch="main"))
    stage.expect("the latest commit is named", status["head"].items() >= head.items())
    stage.expect(
        "the password in the remote's address is left out",
        status["remotes"] == {"origin": f"https://{remote}"},
    )
    stage.expect("no file of the folder has been changed", engine.snapshot() == before)
    again = thesis.ada.call("GET", path).json()
    stage.expect("each request is a new inspection", again["observed_at"] != status["observed_at"])


def unfinished_work(stage: Stage, thesis: Workspace, dev: Path) -> None:
    stage.step("Find uncommitted and shelved work")
    both = Repository.with_commits(dev / "paper", "a", "b", "c")
    both.write("a", "staged\n")
    both.git("add", "a")
    for name in ("a", "b", "c"):
        both.write(name, f"{name}, modified\n")
    new = Repository.with_commits(dev / "slides", "a")
    for name in ("b", "c"):
        new.write(name)
    stashed = Repository.with_commits(dev / "garden", "a")
    stashed.write("a", "put aside\n")
    stashed.git("stash", "--quiet")
    _compare(
        stage,
        thesis,
        ("state", "staged", "modified", "untracked", "stashes"),
        [
            (both.path, {"state": "dirty", "staged": 1, "modified": 3}),
            (new.path, {"state": "dirty", "untracked": 2}),
            (stashed.path, {"stashes": 1}),
        ],
        "uncommitted files exist on this disk only, and a stash is not even seen in the folder.",
    )


def upstreams(stage: Stage, thesis: Workspace, dev: Path) -> None:
    stage.step("Compare with the upstream branch")
    origin = Repository.with_commits(dev / "origin", "a")
    even, ahead, behind, diverged = (
        origin.clone(dev / name) for name in ("atlas", "ballet", "harp", "loom")
    )
    origin.commit("theirs")
    for clone in (behind, diverged):
        clone.git("fetch", "--quiet")
    for clone in (ahead, diverged):
        clone.commit("mine")
        clone.commit("mine", "again\n")
    tracking = {"upstream": "origin/main"}
    _compare(
        stage,
        thesis,
        ("state", "upstream", "ahead", "behind"),
        [
            (even.path, {**tracking, "ahead": 0, "behind": 0}),
            (ahead.path, {**tracking, "ahead": 2, "behind": 0}),
            (behind.path, {**tracking, "ahead": 0, "behind": 1}),
            (diverged.path, {**tracking, "ahead": 2, "behind": 1}),
            (origin.path, {}),
        ],
        "`ahead` counts commits that nobody else has yet, `behind` those that are missing here.",
    )


def special_states(stage: Stage, thesis: Workspace, dev: Path) -> None:
    stage.step("Recognize a stopped merge, a detached HEAD and a repository without commits")
    merging = Repository.with_commits(dev / "opera", "a")
    merging.git("switch", "--quiet", "--create", "other")
    merging.commit("a", "theirs\n")
    merging.git("switch", "--quiet", "main")
    merging.commit("a", "mine\n")
    merging.git("merge", "--quiet", "other", check=False)
    detached = Repository.with_commits(dev / "wiki", "a", "b")
    detached.git("switch", "--quiet", "--detach", "HEAD~1")
    unborn = Repository.created(dev / "plans")
    _compare(
        stage,
        thesis,
        ("state", "branch", "head", "conflicted", "operation"),
        [
            (merging.path, {"state": "dirty", "operation": "merge", "conflicted": 1}),
            (detached.path, {"branch": None}),
            (unborn.path, {"head": None}),
        ],
        "a merge or rebase that was interrupted is easily forgotten; `operation` names it.",
    )


def whole_repository(stage: Stage, thesis: Workspace, dev: Path) -> None:
    stage.step("Find what exists only here, wherever it is in the repository")
    engine = (dev / "origin").with_name("engine-of-ada")
    clone = Repository(dev / "origin").clone(engine)
    clone.git("switch", "--quiet", "--create", "idea")
    clone.commit("idea")
    clone.git("switch", "--quiet", "--create", "pushed", "main")
    clone.commit("pushed")
    clone.git("push", "--quiet", "origin", "pushed")
    clone.git("checkout", "--quiet", "--detach", "main")
    clone.commit("release")
    clone.git("tag", "v1")
    clone.git("switch", "--quiet", "main")
    clone.git("worktree", "add", "--quiet", str(dev / "engine-tree"), "pushed")
    (dev / "engine-tree/a").write_text("changed\n")
    status = stage.exchange(
        thesis.get_status(engine), "state", "unpushed_commits", "worktrees", "at_risk"
    ).json()
    stage.table(
        *("kind", "name", "unpushed_commits", "integrated"),
        rows=[
            (each["kind"], each["name"], each["unpushed_commits"], each["integrated"])
            for each in status["work"]
        ],
    )
    stage.why(
        "the branch that is checked out is clean and pushed, but another branch, a tag and a"
        " worktree have work that would be lost with this disk."
    )
    unpushed = {each["name"]: each["unpushed_commits"] for each in status["work"]}
    stage.expect("the worktree that is checked out is clean", status["state"] == "clean")
    stage.expect("two commits are nowhere else", status["unpushed_commits"] == 2)
    stage.expect(
        "on a branch and under a tag", unpushed == {"main": 0, "pushed": 0, "idea": 1, "v1": 1}
    )
    (worktree,) = status["worktrees"]
    stage.expect("the other worktree has changes", worktree["state"] == "dirty")
    stage.expect("so there is something to lose", status["at_risk"] is True)


def synchronize(stage: Stage, thesis: Workspace, dev: Path, served: Path) -> None:
    stage.step("Ask the remote what it has now")
    score = Repository.with_commits(served / "score", "a", "b")
    clone = score.clone(dev / "score")
    clone.commit("mine")
    mine = clone.head
    score.commit("theirs")
    theirs = score.head
    score.git("branch", "idea", "HEAD~1")
    ada = thesis.ada
    with git_daemon(served) as address:
        repo = thesis.register(clone.path, remote_url=f"{address}/score")
        before = clone.snapshot()
        status = stage.exchange(
            ada.call("GET", f"{repo}/status"), "branch", "upstream", "ahead", "behind"
        ).json()
        answer = ada.call("POST", f"{repo}/sync").raise_for_status()
        stage.exchange(answer, "branches", "default_branch", "ahead", "behind", "synced_at")
        sync = answer.json()
        stage.why(
            "the folder knows only what was fetched last, and says 0 behind. The remote has"
            " a commit that Ada does not have: better to learn that before the next push."
        )
        stage.expect("the folder says 0 behind", status["behind"] == 0)
        stage.expect("the remote says 1 ahead, 1 behind", _is(sync, ahead=1, behind=1))
        tips = {"main": theirs, "idea": score.git("rev-parse", "idea")}
        stage.expect("all branches of the remote are listed", sync["branches"] == tips)
        stage.expect("its default branch is `main`", sync["default_branch"] == "main")
        synced = sync["repo"]["last_synced"]
        stage.expect("the repo stores the time", synced == sync["synced_at"])
        stage.expect("no file of the folder has been changed", clone.snapshot() == before)

        clone.git("pull", "--quiet", "--rebase")
        clone.git("push", "--quiet", "origin", "main:mine")
        again = ada.call("POST", f"{repo}/sync").raise_for_status().json()
        stage.expect(
            "after a rebase and a push to a branch of her own: 1 ahead, 0 behind",
            _is(again, ahead=1, behind=0) and mine not in again["branches"].values(),
        )
        with ThreadPoolExecutor(CLIENTS) as threads:
            calls = [threads.submit(ada.call, "POST", f"{repo}/sync") for _ in range(CLIENTS)]
        outcomes = Counter(outcome(each.result()) for each in calls)
        stage.expect(
            f"{CLIENTS} parallel requests: the sync succeeds, or is already in progress",
            outcomes["200"] > 0 and set(outcomes) <= {"200", "409 sync-in-progress"},
            ", ".join(f"{count} x {each}" for each, count in outcomes.items()),
        )
        ada.call("PATCH", repo, json={"remote_url": f"{address}/nothing"}).raise_for_status()
        missing = stage.exchange(ada.call("POST", f"{repo}/sync"))
        stage.expect("a missing remote is reported", outcome(missing) == "502 remote-failed")
    ada.call("PATCH", repo, json={"remote_url": None}).raise_for_status()
    without = ada.call("POST", f"{repo}/sync")
    stage.expect("so is a repo without a remote", outcome(without) == "409 no-remote")


def no_interference(stage: Stage, thesis: Workspace, dev: Path) -> None:
    stage.step("Ada commits as fast as git can, while her repo is inspected all the time")
    score = Repository.with_commits(dev / "diary", "text")
    thesis.status(score.path)
    inspections = list[dict[str, Any]]()
    is_done = Event()

    def watch() -> None:
        while not is_done.is_set():
            inspections.append(thesis.status(score.path))

    commits = 0
    with ThreadPoolExecutor(WATCHERS) as threads:
        watchers = [threads.submit(watch) for _ in range(WATCHERS)]
        try:
            # git fails, and the demo with it, where another process holds a lock that it needs.
            while len(inspections) < INSPECTIONS and commits < MAX_COMMITS:
                commits += 1
                score.commit("text", f"version {commits}\n")
        finally:
            is_done.set()
        for watcher in watchers:
            watcher.result()
    last = score.git("rev-parse", "HEAD")
    stage.table("commits", "inspections", rows=[(commits, len(inspections))])
    stage.why("a tool that watches repositories must never be the reason why a commit fails.")
    stage.expect("all commits succeed", _commits(score) == commits + 1)
    states = {each["state"] for each in inspections}
    stage.expect(
        "all inspections succeed",
        states <= {"clean", "dirty"} and len(inspections) >= INSPECTIONS,
    )
    stage.expect(
        "the last one sees the last commit", thesis.status(score.path)["head"]["id"] == last
    )
    (score.path / ".git" / "index.lock").touch()
    locked = thesis.status(score.path)
    stage.expect("a lock of git's own (index.lock) is no obstacle", locked["state"] == "clean")


def stop(stage: Stage, server: Server) -> None:
    stage.step("The server stops and leaves nothing behind")
    status, seconds = server.stop()
    stage.expect("its exit code is 0", status == 0, f"after {seconds:.1f} s")
    stage.expect("no temporary copy of a git directory is left", server.files == [])
    leaked = [each for each in SECRETS if each in server.log]
    stage.expect("its log holds no password, token or path", not leaked)


def _compare(
    stage: Stage,
    thesis: Workspace,
    columns: tuple[str, ...],
    rows: list[tuple[Path, dict[str, Any]]],
    why: str,
) -> None:
    """Show the status of folders, and check it; fields not named are those of a new repository."""
    stage.exchange(thesis.get_status(rows[0][0]), *columns)
    found = [(path.name, thesis.status(path), expected) for path, expected in rows]
    stage.table(
        "folder",
        *columns,
        rows=[(name, *(_cell(status, each) for each in columns)) for name, status, _ in found],
    )
    stage.why(why)
    for name, status, expected in found:
        words = ", ".join(f"{field} is {_words(value)}" for field, value in expected.items())
        stage.expect(
            f"{name}: {words or 'nothing to report'}",
            _is(status, **{"state": "clean", **NOTHING, **expected}),
        )


def _is(status: dict[str, Any], **fields: Any) -> bool:
    return status.items() >= fields.items()


def _cell(status: dict[str, Any], column: str) -> object:
    """A field for a table: of a commit only the subject."""
    value = status[column]
    return value["subject"] if column == "head" and value else value


def _words(value: object) -> str:
    return "null" if value is None else str(value)


def _commits(repository: Repository) -> int:
    return int(repository.git("rev-list", "--count", "HEAD"))


if __name__ == "__main__":
    perform(story)
