"""The attention board: one request says in which repos and vaults work is left to do."""

import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import httpx

from scripts.demos.support.demo_server import Server, running_server
from scripts.demos.support.stage import Stage, perform
from scripts.demos.support.user import User, outcome, sign_up
from scripts.support.git_repository import Repository

LONG_AGO = "2020-02-29T12:00:00+00:00"
MANY = 100

Situation = Callable[[Repository], None]


def story(stage: Stage) -> None:
    with tempfile.TemporaryDirectory(prefix="symphony-demo-") as temporary:
        dev = Path(temporary).resolve() / "dev"
        dev.mkdir()
        with running_server("--git-root", str(dev)) as server, server.client() as client:
            ada = sign_up(client, "ada")
            thesis = ada.create_workspace("Thesis")
            upstream = Repository.with_commits(dev / "upstream", "engine", "notes")
            six_places(stage, ada, upstream)
            every_reason(stage, ada, thesis, upstream)
            all_workspaces(stage, ada, upstream)
            last_observation(stage, ada, upstream)
            unchanged(stage, ada)
            finished_work(stage, ada, upstream)
            one_of_many(stage, ada, upstream)
            isolation(stage, client, ada, thesis)
            stop(stage, server)


def register(user: User, workspace_id: str, path: Path) -> None:
    user.create(f"/workspaces/{workspace_id}/repos", name=path.name, path=str(path))


def get_board(user: User, query: str = "") -> httpx.Response:
    answer = user.call("GET", f"/user-profiles/{user.id}/attention{query}")
    return answer.raise_for_status()


def reasons(board: httpx.Response) -> dict[str, list[str]]:
    """The reasons on a board, by the name of the repo or vault."""
    return {each["name"]: each["reasons"] for each in board.json()["items"]}


def edited_file(clone: Repository) -> None:
    clone.write("notes", "not committed\n")


def local_commit(clone: Repository) -> None:
    clone.commit("mine")


def missed_commit(clone: Repository) -> None:
    clone.git("reset", "--quiet", "--hard", "HEAD~1")


def commits_on_both_sides(clone: Repository) -> None:
    missed_commit(clone)
    local_commit(clone)


def shelved_work(clone: Repository) -> None:
    clone.write("notes", "put aside\n")
    clone.git("stash", "--quiet")


def stopped_merge(clone: Repository) -> None:
    clone.git("switch", "--quiet", "--create", "other", "HEAD~1")
    clone.commit("notes", "theirs\n")
    clone.git("merge", "--quiet", "main", check=False)


def other_branch(clone: Repository) -> None:
    clone.git("switch", "--quiet", "--create", "idea")
    clone.commit("mine")
    clone.git("switch", "--quiet", "main")


def detached_head(clone: Repository) -> None:
    clone.git("switch", "--quiet", "--detach")
    clone.commit("mine")


def tagged_commit(clone: Repository) -> None:
    detached_head(clone)
    clone.git("tag", "--annotate", "--message", "The first version", "v1")
    clone.git("switch", "--quiet", "main")


def linked_worktree(clone: Repository) -> None:
    linked = clone.path.with_name(f"{clone.path.name}-second")
    clone.git("worktree", "add", "--quiet", "-b", "second", str(linked))
    (linked / "notes").write_text("not committed\n")


def new_branch(clone: Repository) -> None:
    clone.git("switch", "--quiet", "--create", "fresh")


def pushed_without_upstream(clone: Repository) -> None:
    clone.git("switch", "--quiet", "--create", clone.path.name)
    clone.commit("mine")
    clone.git("push", "--quiet", "origin", "HEAD")


def squash_merged(clone: Repository) -> None:
    """The branch is one commit of the remote's default branch, and was deleted there."""
    clone.git("switch", "--quiet", "--create", "topic")
    for content in ("a first try\n", "the second try\n"):
        clone.commit("topic", content)
    clone.git("switch", "--quiet", "main")
    clone.git("merge", "--quiet", "--squash", "topic")
    clone.git("commit", "--quiet", "--message", "Topic (#1)")
    clone.git("push", "--quiet", "origin", "HEAD")
    clone.git("switch", "--quiet", "topic")


def nowhere_to_push(clone: Repository) -> None:
    clone.git("remote", "remove", "origin")


def damaged_git_directory(clone: Repository) -> None:
    (clone.path / ".git" / "HEAD").write_text("damaged")


def deleted_folder(clone: Repository) -> None:
    shutil.rmtree(clone.path)


def commit_of_2020(clone: Repository) -> None:
    clone.commit("mine")
    clone.git("commit", "--quiet", "--amend", "--no-edit", f"--date={LONG_AGO}")


# By the name of the repo: where work hides, and how the board tells it.
HIDDEN: dict[str, tuple[Situation, str]] = {
    "draft": (edited_file, "dirty"),
    "fugue": (other_branch, "unpushed"),
    "lute": (tagged_commit, "unpushed"),
    "motet": (detached_head, "detached"),
    "organ": (linked_worktree, "worktree"),
    "viola": (shelved_work, "stashed"),
}
# What other tools report as unpushed, although nothing would be lost.
SAFE: dict[str, Situation] = {
    "canon": new_branch,
    "gigue": pushed_without_upstream,
    "rondo": squash_merged,
}


def six_places(stage: Stage, ada: User, upstream: Repository) -> None:
    stage.step("What would be lost if this disk died now? Work hides in six places")
    workspace = ada.create_workspace("Music")
    # What the clones push must not become part of the other steps.
    origin = Repository(upstream.path.with_name("music.git"))
    upstream.git("clone", "--quiet", "--bare", str(upstream.path), str(origin.path))
    for name, happen in {**{name: each for name, (each, _) in HIDDEN.items()}, **SAFE}.items():
        clone = origin.clone(upstream.path.with_name(name))
        happen(clone)
        register(ada, workspace, clone.path)
    board = stage.exchange(
        get_board(ada, f"?workspace_id={workspace}&at_risk=true"),
        *("name", "reasons", "branch", "unpushed_commits", "unpushed_branches", "at_risk"),
    )
    stage.say("In short:")
    items = {each["name"]: each for each in board.json()["items"]}
    rows = [
        (
            *(name, HIDDEN[name][0].__name__.replace("_", " "), ", ".join(item["reasons"])),
            str(item["unpushed_commits"]),
            ", ".join(item["unpushed_branches"]),
        )
        for name, item in items.items()
        if name in HIDDEN
    ]
    stage.table(*("repo", "where work hides", "reasons", "unpushed", "branches"), rows=rows)
    stage.why(
        "`git status` in these folders shows one of the six. The others are commits, stashes"
        " and files that nobody looks for until the disk is gone."
    )
    stage.expect(
        "each place is found, and told by its name",
        {name: item["reasons"] for name, item in items.items()}
        == {name: [reason] for name, (_, reason) in HIDDEN.items()},
    )
    stage.expect("all of it is at risk", all(item["at_risk"] for item in items.values()))
    everything = reasons(get_board(ada, f"?workspace_id={workspace}"))
    stage.expect(
        "a new branch, one pushed without -u and a squash-merged one are no alarm",
        not SAFE.keys() & {name for name, why in everything.items() if "unpushed" in why},
    )
    ada.call("DELETE", f"/workspaces/{workspace}?force=true").raise_for_status()


# By the name of the repo: what has happened there, and the reasons that are expected.
SITUATIONS: dict[str, tuple[Situation, list[str]]] = {
    "atlas": (missed_commit, ["behind"]),
    "ballet": (stopped_merge, ["dirty", "unpushed", "conflict"]),
    "engine": (edited_file, ["dirty"]),
    "garden": (commits_on_both_sides, ["unpushed", "behind", "diverged"]),
    "harp": (deleted_folder, ["missing"]),
    "loom": (other_branch, ["unpushed"]),
    "notes": (nowhere_to_push, ["no-remote"]),
    "opera": (commit_of_2020, ["unpushed", "stale"]),
    "paper": (shelved_work, ["stashed"]),
    "slides": (local_commit, ["unpushed"]),
    "wiki": (damaged_git_directory, ["unreadable"]),
}


def every_reason(stage: Stage, ada: User, thesis: str, upstream: Repository) -> None:
    stage.step("15 repos, work left to do in 11 of them: which?")
    for name, (happen, _) in SITUATIONS.items():
        clone = upstream.clone(upstream.path.with_name(name))
        happen(clone)
        register(ada, thesis, clone.path)
    for number in range(1, 5):
        register(ada, thesis, upstream.clone(upstream.path.with_name(f"tidy-{number}")).path)
    board = stage.exchange(get_board(ada), "name", "kind", "reasons", "observed_at")
    stage.say("The whole board:")
    happened = {name: happen.__name__.replace("_", " ") for name, (happen, _) in SITUATIONS.items()}
    stage.table(
        *("repo", "what has happened there", "reasons"),
        rows=[(name, happened[name], ", ".join(why)) for name, why in reasons(board).items()],
    )
    stage.why(
        "uncommitted files, unpushed commits and forgotten stashes are what gets lost when"
        " a laptop does. Symphony inspected all 15 folders, and changed none of them."
    )
    expected = {name: why for name, (_, why) in SITUATIONS.items()}
    stage.expect("each repo has the right reasons, and no other", reasons(board) == expected)
    stage.expect("the repos are sorted by name", list(reasons(board)) == sorted(expected))
    stage.expect("every repo has been inspected", board.json()["unobserved"] == 0)


def all_workspaces(stage: Stage, ada: User, upstream: Repository) -> None:
    stage.step("One board for all workspaces, with the vaults left unlocked; or a part of it")
    client_work = ada.create_workspace("Client work")
    clone = upstream.clone(upstream.path.with_name("invoice"))
    shelved_work(clone)
    register(ada, client_work, clone.path)
    vaults = f"/workspaces/{client_work}/vaults"
    vault = ada.create(vaults, name="keys", path="~/vaults/keys")
    part = stage.exchange(get_board(ada, f"?workspace_id={client_work}"), "name", "kind", "reasons")
    stashed = stage.exchange(get_board(ada, "?reason=stashed"), "name", "reasons")
    stage.why("before you leave for the day, ask for one workspace, or for one kind of trouble.")
    everything = get_board(ada)
    stage.expect(
        "the whole board has the repos and vaults of both workspaces",
        {"engine", "invoice", "keys"} <= set(reasons(everything)),
    )
    stage.expect(
        "`workspace_id` selects a workspace",
        reasons(part) == {"invoice": ["stashed"], "keys": ["unlocked"]},
    )
    stage.expect("`reason` selects a reason", set(reasons(stashed)) == {"invoice", "paper"})
    ada.call("POST", f"/vaults/{vault['id']}/lock").raise_for_status()
    stage.expect("a locked vault leaves the board", "keys" not in reasons(get_board(ada)))


def last_observation(stage: Stage, ada: User, upstream: Repository) -> None:
    stage.step("The last known state, without inspecting anything: ?fresh=false")
    before = get_board(ada)
    shelved_work(Repository(upstream.path.with_name("tidy-1")))
    stored = stage.exchange(get_board(ada, "?fresh=false"), "name", "reasons")
    fresh = stage.exchange(get_board(ada, "?reason=stashed"), "name", "reasons")
    stage.why(
        "a status bar that asks every second reads the stored observations; `observed_at`"
        " says how old they are. A person who wants the truth asks without `fresh=false`."
    )
    stage.expect("the stored board does not know the new stash", "tidy-1" not in reasons(stored))
    observed_at = stored.json()["observed_at"]
    stage.expect("it is as old as it says", observed_at == before.json()["observed_at"])
    stage.expect("a fresh board finds the stash", reasons(fresh).get("tidy-1") == ["stashed"])
    again = reasons(get_board(ada, "?fresh=false"))
    stage.expect("which is stored from then on", again["tidy-1"] == ["stashed"])


def unchanged(stage: Stage, ada: User) -> None:
    stage.step("Polling costs no traffic: an unchanged board is not sent again")
    path = f"/user-profiles/{ada.id}/attention"
    known = {"If-None-Match": ada.call("GET", path).headers["etag"]}
    again = stage.exchange(ada.call("GET", path, headers=known))
    stage.why("the ETag covers what the board says, not when it was computed.")
    stage.expect("the status is 304", again.status_code == 304)
    stage.expect("there is no body", again.content == b"")


def finished_work(stage: Stage, ada: User, upstream: Repository) -> None:
    stage.step("Push one repo and tidy up another: both leave the board")
    path = f"/user-profiles/{ada.id}/attention"
    known = {"If-None-Match": ada.call("GET", path).headers["etag"]}
    upstream.git("config", "receive.denyCurrentBranch", "ignore")
    Repository(upstream.path.with_name("slides")).git("push", "--quiet")
    Repository(upstream.path.with_name("engine")).git("restore", ".")
    stage.run("cd ~/dev/slides && git push; cd ~/dev/engine && git restore .", "")
    after = stage.exchange(ada.call("GET", path, headers=known), "name", "reasons")
    stage.why("no user reports what has been done; Symphony inspects the folders.")
    stage.expect("the board has a new ETag", after.headers["etag"] != known["If-None-Match"])
    stage.expect("neither repo is on it", not {"slides", "engine"} & set(reasons(after)))


def one_of_many(stage: Stage, ada: User, upstream: Repository) -> None:
    stage.step(f"{MANY} more repos, and one forgotten file in them")
    archive = ada.create_workspace("Archive")
    first = upstream.clone(upstream.path.with_name("archive-0"))
    for number in range(MANY):
        path = first.path.with_name(f"archive-{number}")
        if number:
            shutil.copytree(first.path, path)
        register(ada, archive, path)
    Repository(first.path.with_name("archive-42")).write("forgotten")
    fresh, fresh_seconds = timed(lambda: get_board(ada, f"?workspace_id={archive}"))
    stored, stored_seconds = timed(lambda: get_board(ada, f"?workspace_id={archive}&fresh=false"))
    stage.exchange(fresh, "name", "reasons")
    stage.table(
        *("board", "time"),
        rows=[
            (f"fresh: {MANY} inspections", f"{fresh_seconds * 1000:,.0f} ms"),
            ("stored: ?fresh=false", f"{stored_seconds * 1000:,.0f} ms"),
        ],
    )
    stage.why("this is the question that takes an afternoon by hand.")
    stage.expect("the forgotten file is found", reasons(fresh) == {"archive-42": ["dirty"]})
    stage.expect("and is known without another inspection", reasons(stored) == reasons(fresh))


def timed(call: Callable[[], httpx.Response]) -> tuple[httpx.Response, float]:
    """An answer, and the seconds it took."""
    start = time.perf_counter()
    answer = call()
    return answer, time.perf_counter() - start


def isolation(stage: Stage, client: httpx.Client, ada: User, thesis: str) -> None:
    stage.step("Each user sees their own board only")
    eve = sign_up(client, "eve")
    foreign = stage.exchange(eve.call("GET", f"/user-profiles/{ada.id}/attention"))
    stage.why("on a shared server no user learns what others work on.")
    stage.expect("Eve's own board is empty", get_board(eve).json()["items"] == [])
    stage.expect("she cannot get Ada's", outcome(foreign) == "404 user-profile-not-found")
    part = eve.call("GET", f"/user-profiles/{eve.id}/attention?workspace_id={thesis}")
    stage.expect("nor that of Ada's workspace", outcome(part) == "404 workspace-not-found")


def stop(stage: Stage, server: Server) -> None:
    stage.step("The server stops and leaves nothing behind")
    status, seconds = server.stop()
    stage.expect("its exit code is 0", status == 0, f"after {seconds:.1f} s")
    stage.expect("no temporary copy of a git directory is left", server.files == [])


if __name__ == "__main__":
    perform(story)
