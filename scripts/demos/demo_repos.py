"""Repos on the disk and their remotes: how each stands, told without touching any of them."""

import os
import socket
import tempfile
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any

import httpx
from caller import User, problem, seen, sign_up
from folder_of_repos import found_and_registered
from git_daemon import git_daemon
from git_repository import Repository
from real_server import Server, running_server
from stage import Stage, perform

SECRET = "hunter2"
WATCHERS = 2
LOOKS = 30  # that are to be answered while commits are made
MAX_COMMITS = 500
AT_ONCE = 8

Look = Callable[[Path], dict[str, Any]]
COUNTS = ("staged", "modified", "untracked", "conflicted", "stashes")
NOTHING: dict[str, Any] = {
    **dict.fromkeys(COUNTS, 0),
    **dict.fromkeys(("upstream", "ahead", "behind", "operation")),
}
UNREAD: dict[str, Any] = {**NOTHING, "branch": None, "head": None, "remotes": {}}


def story(stage: Stage) -> None:
    with tempfile.TemporaryDirectory(prefix="symphony-demo-") as temporary:
        home = Path(temporary).resolve()
        dev = home / "dev"
        dev.mkdir()
        # Not by way of a proxy that the environment may name.
        with (
            running_server("--git-root", str(dev), GIT_ALLOW_PRIVATE_REMOTES="true") as server,
            httpx.Client(base_url=server.address, timeout=30, trust_env=False) as client,
        ):
            ada = sign_up(client, "ada")
            thesis = ada.make(f"/user-profiles/{ada.id}/workspaces", name="Thesis")["id"]
            look = looker(ada, thesis)
            one_folder(stage, look, dev)
            unfinished(stage, look, dev)
            upstreams(stage, look, dev)
            unusual(stage, look, dev)
            unreadable(stage, look, dev, outside=home / "outside")
            planted(stage, look, dev, outside=home / "planted")
            meanwhile(stage, look, dev)
            synchronised(stage, ada, thesis, dev, served=home / "served")
            found_and_registered(stage, ada, dev, outside=home / "parts")
            end(stage, server)
        only_public(stage, dev)
        without_roots(stage, dev)


def looker(ada: User, thesis: str) -> Look:
    """Registers a folder as a repo of Ada's, and asks for its state."""
    registered = dict[Path, str]()

    def look(path: Path) -> dict[str, Any]:
        if path not in registered:
            name = f"{len(registered) + 1} {path.name}"
            made = ada.make(f"/workspaces/{thesis}/repos", name=name, path=str(path))
            registered[path] = made["id"]
        return ada.call("GET", f"/repos/{registered[path]}/status").raise_for_status().json()

    return look


def one_folder(stage: Stage, look: Look, dev: Path) -> None:
    stage.step("symphony serve --git-root ~/dev: one request tells what a repo's folder is like")
    engine = Repository.with_commits(dev / "engine", "notes")
    remote = "example.org/ada/engine.git"
    engine.git("remote", "add", "origin", f"https://ada:{SECRET}@{remote}")
    commit = engine.git("rev-parse", "HEAD")
    before = engine.traces()
    told = look(engine.path)
    stage.show("field", "value", rows=told.items())
    stage.expect("nothing to do in it", told["state"] == "clean")
    stage.expect("it is on a branch", told["branch"] == "main")
    head = {"id": commit, "subject": "Change notes", "author": "Ada Lovelace"}
    stage.expect("with this commit", told["head"].items() >= head.items())
    stage.expect(
        "the remote is told, the password in it is not",
        told["remotes"] == {"origin": f"https://{remote}"},
    )
    stage.expect("looking has changed nothing in the folder", engine.traces() == before)
    again = look(engine.path)
    stage.expect(
        "who asks again has it looked at again", again["observed_at"] != told["observed_at"]
    )


def unfinished(stage: Stage, look: Look, dev: Path) -> None:
    stage.step("Work that is not finished")
    both = Repository.with_commits(dev / "staged-and-modified", "a", "b", "c")
    both.write("a", "staged\n")
    both.git("add", "a")
    for name in ("a", "b", "c"):
        both.write(name, f"{name}, modified\n")
    new = Repository.with_commits(dev / "untracked", "a")
    for name in ("b", "c"):
        new.write(name)
    stashed = Repository.with_commits(dev / "stashed", "a")
    stashed.write("a", "put aside\n")
    stashed.git("stash", "--quiet")
    _show(
        stage,
        look,
        ("state", "staged", "modified", "untracked", "stashes"),
        [
            (both.path, {"state": "dirty", "staged": 1, "modified": 3}),
            (new.path, {"state": "dirty", "untracked": 2}),
            (stashed.path, {"stashes": 1}),
        ],
    )


def upstreams(stage: Stage, look: Look, dev: Path) -> None:
    stage.step("Commits that the upstream does not have, and that only it has")
    upstream = Repository.with_commits(dev / "upstream", "a")
    even, ahead, behind, diverged = (
        upstream.clone(dev / name) for name in ("even", "ahead", "behind", "diverged")
    )
    upstream.commit("theirs")
    for clone in (behind, diverged):
        clone.git("fetch", "--quiet")
    for clone in (ahead, diverged):
        clone.commit("mine")
        clone.commit("mine", "again\n")
    has_one = {"upstream": "origin/main"}
    _show(
        stage,
        look,
        ("state", "upstream", "ahead", "behind"),
        [
            (even.path, {**has_one, "ahead": 0, "behind": 0}),
            (ahead.path, {**has_one, "ahead": 2, "behind": 0}),
            (behind.path, {**has_one, "ahead": 0, "behind": 1}),
            (diverged.path, {**has_one, "ahead": 2, "behind": 1}),
            (upstream.path, {}),
        ],
    )


def unusual(stage: Stage, look: Look, dev: Path) -> None:
    stage.step("In the middle of something")
    merging = Repository.with_commits(dev / "merging", "a")
    merging.git("switch", "--quiet", "--create", "other")
    merging.commit("a", "theirs\n")
    merging.git("switch", "--quiet", "main")
    merging.commit("a", "mine\n")
    merging.git("merge", "--quiet", "other", check=False)
    detached = Repository.with_commits(dev / "detached", "a", "b")
    detached.git("switch", "--quiet", "--detach", "HEAD~1")
    unborn = Repository.made(dev / "unborn")
    _show(
        stage,
        look,
        ("state", "branch", "head", "conflicted", "operation"),
        [
            (merging.path, {"state": "dirty", "operation": "merge", "conflicted": 1}),
            (detached.path, {"branch": None}),
            (unborn.path, {"head": None}),
        ],
    )


def unreadable(stage: Stage, look: Look, dev: Path, outside: Path) -> None:
    stage.step("Where there is nothing to read: a state with a reason, and nothing else")
    empty = dev / "empty"
    empty.mkdir()
    secret = Repository.with_commits(outside, "diary")
    link = dev / "link"
    link.symlink_to(secret.path)
    pointer = dev / "pointer"
    pointer.mkdir()
    (pointer / ".git").write_text(f"gitdir: {secret.path / '.git'}\n")
    broken = Repository.with_commits(dev / "broken", "a")
    (broken.path / ".git" / "index").write_text("not an index")
    expected = [
        (dev / "removed", "missing"),
        (empty, "not-a-repository"),
        (secret.path, "refused"),
        (outside.with_name("nothing-there"), "refused"),
        (link, "refused"),
        (pointer, "refused"),
        (broken.path, "error"),
    ]
    told = [look(path) for path, _ in expected]
    stage.show(
        "folder",
        "state",
        "reason",
        rows=[
            (path.name, each["state"], each["reason"])
            for (path, _), each in zip(expected, told, strict=True)
        ],
    )
    for (path, state), each in zip(expected, told, strict=True):
        nothing = each.items() >= UNREAD.items()
        stage.expect(f"{path.name}: {state}", each["state"] == state and nothing)
    stage.expect(
        "outside, whether anything is there is not told",
        told[2] | {"observed_at": None} == told[3] | {"observed_at": None},
    )


def planted(stage: Stage, look: Look, dev: Path, outside: Path) -> None:
    stage.step("A repository from somewhere, with programs planted in its configuration")
    outside.mkdir()
    mark, program = outside / "mark", outside / "program"
    program.write_text(f'#!/bin/sh\necho run >> "{mark}"\n')
    program.chmod(0o755)
    repositories = {
        setting: Repository.with_commits(dev / setting, "a")
        for setting in ("core.fsmonitor", "filter.evil.clean", "core.hooksPath")
    }
    repositories["filter.evil.clean"].write(".git/info/attributes", "* filter=evil\n")
    (outside / "post-index-change").symlink_to(program)
    for setting, repository in repositories.items():
        repository.git("config", setting, str(outside if setting == "core.hooksPath" else program))
        _touch(repository)
    told = {setting: look(each.path) for setting, each in repositories.items()}
    stage.expect("looked at by Symphony, none of them is run", not mark.exists())
    stage.expect("and the state is right", {each["state"] for each in told.values()} == {"clean"})
    for setting, repository in repositories.items():
        repository.git("status")
        stage.expect(f"git status itself runs that of {setting}", mark.exists())
        mark.unlink()


def meanwhile(stage: Stage, look: Look, dev: Path) -> None:
    stage.step("Ada commits, again and again, while her repo is looked at all the time")
    paper = Repository.with_commits(dev / "paper", "text")
    look(paper.path)
    looks = list[dict[str, Any]]()
    done = Event()

    def watch() -> None:
        while not done.is_set():
            looks.append(look(paper.path))

    commits = 0
    with ThreadPoolExecutor(WATCHERS) as threads:
        watchers = [threads.submit(watch) for _ in range(WATCHERS)]
        try:
            # git fails, and the demo with it, where somebody else holds a lock that it needs.
            while len(looks) < LOOKS and commits < MAX_COMMITS:
                commits += 1
                paper.commit("text", f"version {commits}\n")
        finally:
            done.set()
        for watcher in watchers:
            watcher.result()
    stage.expect("all her commits succeed", _commits(paper) == commits + 1, f"{commits} commits")
    states = {each["state"] for each in looks}
    stage.expect(
        "and each look says what there is",
        states <= {"clean", "dirty"} and len(looks) >= LOOKS,
        f"{len(looks)} looks: {', '.join(sorted(states))}",
    )
    told = look(paper.path)
    last = paper.git("rev-parse", "HEAD")
    stage.expect("at last it is at her last commit", told["head"]["id"] == last, last)
    (paper.path / ".git" / "index.lock").touch()
    locked = look(paper.path)
    stage.expect(
        "git at work in the repo (index.lock) holds up no look", locked["state"] == "clean"
    )


def synchronised(stage: Stage, ada: User, thesis: str, dev: Path, served: Path) -> None:
    stage.step("Asking the remote what it has now, which the folder does not know yet")
    atlas = Repository.with_commits(served / "atlas", "a", "b")
    clone = atlas.clone(dev / "atlas")
    mine = clone.commit("mine")
    theirs = atlas.commit("theirs")
    atlas.git("branch", "idea", "HEAD~1")
    with git_daemon(served) as address:
        made = ada.make(
            f"/workspaces/{thesis}/repos",
            name="atlas",
            path=str(clone.path),
            remote_url=f"{address}/atlas",
        )
        repo = f"/repos/{made['id']}"
        before = clone.traces()
        status = ada.call("GET", f"{repo}/status").raise_for_status().json()
        sync = ada.call("POST", f"{repo}/sync").raise_for_status().json()
        stage.show("field", "value", rows=[each for each in sync.items() if each[0] != "repo"])
        stage.expect("nobody has fetched: the folder says 0 behind", status["behind"] == 0)
        stage.expect("the remote says 1", (sync["ahead"], sync["behind"]) == (1, 1))
        stage.expect(
            "with the commits of all of its branches",
            sync["branches"] == {"main": theirs, "idea": atlas.git("rev-parse", "idea")}
            and sync["default_branch"] == "main",
        )
        stage.expect(
            "the repo knows when it was asked",
            sync["repo"]["last_synced"] == sync["synced_at"] and made["last_synced"] is None,
        )
        stage.expect("nothing in the folder has changed", clone.traces() == before)
        clone.git("pull", "--quiet", "--rebase")
        clone.git("push", "--quiet", "origin", "main:mine")
        again = ada.call("POST", f"{repo}/sync").raise_for_status().json()
        stage.expect(
            "she rebases, and pushes to a branch of its own: 1 ahead, 0 behind",
            (again["ahead"], again["behind"]) == (1, 0) and mine not in again["branches"].values(),
        )
        with ThreadPoolExecutor(AT_ONCE) as threads:
            asked = [threads.submit(ada.call, "POST", f"{repo}/sync") for _ in range(AT_ONCE)]
        answers = [each.result() for each in asked]
        told = Counter(problem(each) if each.is_error else "200" for each in answers)
        stage.expect(
            f"{AT_ONCE} at once: it is done, or it is said that it is being done",
            told["200"] > 0 and set(told) <= {"200", "409 sync-in-progress"},
            ", ".join(f"{count} x {each}" for each, count in told.items()),
        )
        ada.call("PATCH", repo, json={"remote_url": f"{address}/nothing"}).raise_for_status()
        gone = ada.call("POST", f"{repo}/sync")
        stage.expect(
            "there is no such repository", problem(gone) == "502 remote-failed", seen(gone)
        )
    ada.call("PATCH", repo, json={"remote_url": None}).raise_for_status()
    without = ada.call("POST", f"{repo}/sync")
    stage.expect("there is nothing to ask", problem(without) == "409 no-remote", seen(without))


def end(stage: Stage, server: Server) -> None:
    stage.step("Told to stop (SIGTERM), the service leaves nothing behind")
    status, seconds = server.stop()
    stage.expect("it ends as it should", status == 0, f"exit code {status}, {seconds:.1f} s")
    stage.expect("none of its copies of git directories stays", server.files == [])
    stage.expect("no password and no path is in its log", not _secrets(server.log))


def only_public(stage: Stage, dev: Path) -> None:
    stage.step("Nobody has the service call addresses of its own network")
    with (
        running_server("--git-root", str(dev)) as server,
        httpx.Client(base_url=server.address, timeout=30, trust_env=False) as client,
        socket.create_server(("127.0.0.1", 0)) as listener,
    ):
        ada = sign_up(client, "ada")
        thesis = ada.make(f"/user-profiles/{ada.id}/workspaces", name="Thesis")["id"]
        port = listener.getsockname()[1]
        for number, host in enumerate(("127.0.0.1", "localhost", "[::ffff:127.0.0.1]")):
            made = ada.make(
                f"/workspaces/{thesis}/repos",
                name=f"inside {number}",
                path=str(dev / "atlas"),
                remote_url=f"http://{host}:{port}/engine.git",
            )
            refused = ada.call("POST", f"/repos/{made['id']}/sync")
            stage.expect(f"not {host}", problem(refused) == "502 remote-failed", seen(refused))
        listener.settimeout(0)
        called = True
        try:
            listener.accept()
        except BlockingIOError:
            called = False
        stage.expect("and nobody was called there", not called)


def without_roots(stage: Stage, dev: Path) -> None:
    stage.step("A service that was given no folder looks nowhere")
    with (
        running_server() as server,
        httpx.Client(base_url=server.address, timeout=30, trust_env=False) as client,
    ):
        ada = sign_up(client, "ada")
        thesis = ada.make(f"/user-profiles/{ada.id}/workspaces", name="Thesis")["id"]
        engine = ada.make(f"/workspaces/{thesis}/repos", name="engine", path=str(dev / "engine"))
        refused = ada.call("GET", f"/repos/{engine['id']}/status")
        stage.expect("403", problem(refused) == "403 git-disabled", seen(refused))


def _show(
    stage: Stage, look: Look, columns: tuple[str, ...], rows: list[tuple[Path, dict[str, Any]]]
) -> None:
    """Looks at each folder, and checks its fields; those not named are to be as in a new repo."""
    looks = [(path.name, look(path), expected) for path, expected in rows]
    stage.show(
        "folder",
        *columns,
        rows=[(name, *(_in_a_cell(told)[each] for each in columns)) for name, told, _ in looks],
    )
    for name, told, expected in looks:
        as_expected = {"state": "clean", **NOTHING, **expected}
        words = ", ".join(f"{field} {value}" for field, value in expected.items())
        stage.expect(
            f"{name}: {words or 'nothing to do'}",
            {field: told[field] for field in as_expected} == as_expected,
        )


def _in_a_cell(told: dict[str, Any]) -> dict[str, Any]:
    """The fields for a table: of the commit only the subject."""
    return told | {"head": told["head"] and told["head"]["subject"]}


def _touch(repository: Repository) -> None:
    """Gives a file another time, so that whoever asks has to compare its content."""
    os.utime(repository.path / "a", ns=(10**18, 10**18))


def _commits(repository: Repository) -> int:
    return int(repository.git("rev-list", "--count", "HEAD"))


def _secrets(log: str) -> list[str]:
    return [each for each in (SECRET, "sym_", "eyJ", "/dev/", "diary") if each in log]


if __name__ == "__main__":
    perform(story)
