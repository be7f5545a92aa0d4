"""Attention: of all repos and vaults, those in which something is left to do, and what."""

import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
from caller import User, problem, seen, sign_up
from git_repository import Repository
from real_server import Server, running_server
from stage import Stage, perform

LONG_AGO = "2020-02-29T12:00:00+00:00"
MANY = 100

Work = Callable[[Repository], None]


def story(stage: Stage) -> None:
    with tempfile.TemporaryDirectory(prefix="symphony-demo-") as temporary:
        dev = Path(temporary).resolve() / "dev"
        dev.mkdir()
        # Not by way of a proxy that the environment may name.
        with (
            running_server("--git-root", str(dev)) as server,
            httpx.Client(base_url=server.address, timeout=30, trust_env=False) as client,
        ):
            ada = sign_up(client, "ada")
            thesis = workspace(ada, "Thesis")
            upstream = Repository.with_commits(dev / "upstream", "engine", "notes")
            every_reason(stage, ada, thesis, upstream)
            all_workspaces(stage, ada, thesis, upstream)
            last_seen(stage, ada, upstream)
            unchanged(stage, ada)
            done(stage, ada, upstream)
            one_of_many(stage, ada, upstream)
            ones_own(stage, client, ada, thesis)
            end(stage, server)


def workspace(user: User, name: str) -> str:
    return user.make(f"/user-profiles/{user.id}/workspaces", name=name)["id"]


def register(user: User, workspace_id: str, path: Path) -> None:
    user.make(f"/workspaces/{workspace_id}/repos", name=path.name, path=str(path))


def board(user: User, query: str = "") -> dict[str, Any]:
    answer = user.call("GET", f"/user-profiles/{user.id}/attention{query}")
    return answer.raise_for_status().json()


def reasons(told: dict[str, Any]) -> dict[str, list[str]]:
    """Why each thing on a board needs attention, by its name."""
    return {each["name"]: each["reasons"] for each in told["items"]}


def dirty(clone: Repository) -> None:
    clone.write("notes", "not committed\n")


def unpushed(clone: Repository) -> None:
    clone.commit("mine")


def behind(clone: Repository) -> None:
    clone.git("reset", "--quiet", "--hard", "HEAD~1")


def diverged(clone: Repository) -> None:
    behind(clone)
    unpushed(clone)


def stashed(clone: Repository) -> None:
    clone.write("notes", "put aside\n")
    clone.git("stash", "--quiet")


def conflict(clone: Repository) -> None:
    clone.git("switch", "--quiet", "--create", "other", "HEAD~1")
    clone.commit("notes", "theirs\n")
    clone.git("merge", "--quiet", "main", check=False)


def new_branch(clone: Repository) -> None:
    clone.git("switch", "--quiet", "--create", "idea")


def no_remote(clone: Repository) -> None:
    clone.git("remote", "remove", "origin")


def unreadable(clone: Repository) -> None:
    (clone.path / ".git" / "HEAD").write_text("damaged")


def missing(clone: Repository) -> None:
    shutil.rmtree(clone.path)


def stale(clone: Repository) -> None:
    clone.commit("mine")
    clone.git("commit", "--quiet", "--amend", "--no-edit", f"--date={LONG_AGO}")


SITUATIONS: list[tuple[Work, list[str]]] = [
    (behind, ["behind"]),
    (conflict, ["dirty", "unpushed", "conflict"]),
    (dirty, ["dirty"]),
    (diverged, ["unpushed", "behind", "diverged"]),
    (missing, ["missing"]),
    (new_branch, ["unpushed"]),
    (no_remote, ["no-remote"]),
    (stale, ["unpushed", "stale"]),
    (stashed, ["stashed"]),
    (unpushed, ["unpushed"]),
    (unreadable, ["unreadable"]),
]


def every_reason(stage: Stage, ada: User, thesis: str, upstream: Repository) -> None:
    stage.step("Fifteen repos, in eleven of which something is left to do: one request tells which")
    for work, _ in SITUATIONS:
        clone = upstream.clone(upstream.path.with_name(work.__name__))
        work(clone)
        register(ada, thesis, clone.path)
    for number in range(4):
        register(ada, thesis, upstream.clone(upstream.path.with_name(f"done-{number}")).path)
    told = board(ada)
    stage.show(
        "repo", "reasons", rows=[(name, ", ".join(why)) for name, why in reasons(told).items()]
    )
    expected = {work.__name__: why for work, why in SITUATIONS}
    stage.expect("each with its reasons, and no other", reasons(told) == expected)
    stage.expect("in the order of their names", list(reasons(told)) == sorted(expected))
    stage.expect("all were looked at", told["unobserved"] == 0)


def all_workspaces(stage: Stage, ada: User, thesis: str, upstream: Repository) -> None:
    stage.step("Over all workspaces, with the vaults that were left unlocked; or only a part")
    client_work = workspace(ada, "Client work")
    clone = upstream.clone(upstream.path.with_name("invoice"))
    stashed(clone)
    register(ada, client_work, clone.path)
    vault = ada.make(f"/workspaces/{client_work}/vaults", name="keys", path="~/vaults/keys")
    told = board(ada)
    there = {each["name"]: each["kind"] for each in told["items"] if each["workspace_id"] != thesis}
    stage.expect("one board for both", there == {"invoice": "repo", "keys": "vault"})
    one = reasons(board(ada, f"?workspace_id={client_work}"))
    stage.expect(
        "?workspace_id= for one of them", one == {"invoice": ["stashed"], "keys": ["unlocked"]}
    )
    found = reasons(board(ada, "?reason=stashed"))
    stage.expect("?reason=stashed", set(found) == {"invoice", "stashed"}, ", ".join(found))
    ada.call("POST", f"/vaults/{vault['id']}/lock").raise_for_status()
    stage.expect("a vault that is locked needs nothing", "keys" not in reasons(board(ada)))


def last_seen(stage: Stage, ada: User, upstream: Repository) -> None:
    stage.step("?fresh=false tells what was last seen, and looks at nothing")
    before = board(ada)
    clone = Repository(upstream.path.with_name("done-0"))
    stashed(clone)
    remembered = board(ada, "?fresh=false")
    stage.expect("what has changed since is not told", "done-0" not in reasons(remembered))
    stage.expect(
        "and observed_at says of when it is", remembered["observed_at"] == before["observed_at"]
    )
    stage.expect("a fresh look finds it", reasons(board(ada)).get("done-0") == ["stashed"])
    stage.expect(
        "and it is remembered", reasons(board(ada, "?fresh=false"))["done-0"] == ["stashed"]
    )


def unchanged(stage: Stage, ada: User) -> None:
    stage.step("Asked again and again, a board that says nothing new is not sent again")
    path = f"/user-profiles/{ada.id}/attention"
    first = ada.call("GET", path)
    known = {"If-None-Match": first.headers["etag"]}
    again = ada.call("GET", path, headers=known)
    stage.expect(
        "304, and no body",
        (again.status_code, again.content) == (304, b""),
        f"ETag: {first.headers['etag']}",
    )


def done(stage: Stage, ada: User, upstream: Repository) -> None:
    stage.step("What is done is gone from the board")
    path = f"/user-profiles/{ada.id}/attention"
    known = {"If-None-Match": ada.call("GET", path).headers["etag"]}
    upstream.git("config", "receive.denyCurrentBranch", "ignore")
    pushed = Repository(upstream.path.with_name("unpushed"))
    pushed.git("push", "--quiet")
    cleaned = Repository(upstream.path.with_name("dirty"))
    cleaned.git("restore", ".")
    after = ada.call("GET", path, headers=known)
    stage.expect("the board is another one", after.status_code == 200)
    left = reasons(after.json())
    stage.expect("without the two", not {"unpushed", "dirty"} & set(left), ", ".join(left))


def one_of_many(stage: Stage, ada: User, upstream: Repository) -> None:
    stage.step(f"{MANY} repos more, and somewhere in them one forgotten change")
    archive = workspace(ada, "Archive")
    first = upstream.clone(upstream.path.with_name("many-0"))
    for number in range(MANY):
        path = first.path.with_name(f"many-{number}")
        if number:
            shutil.copytree(first.path, path)
        register(ada, archive, path)
    Repository(first.path.with_name("many-42")).write("forgotten")
    begun = time.perf_counter()
    told = reasons(board(ada, f"?workspace_id={archive}"))
    seconds = time.perf_counter() - begun
    stage.expect("it is found", told == {"many-42": ["dirty"]}, f"{MANY} looks in {seconds:.1f} s")
    begun = time.perf_counter()
    remembered = reasons(board(ada, f"?workspace_id={archive}&fresh=false"))
    milliseconds = (time.perf_counter() - begun) * 1000
    stage.expect("and remembered", remembered == told, f"without looking: {milliseconds:.0f} ms")


def ones_own(stage: Stage, client: httpx.Client, ada: User, thesis: str) -> None:
    stage.step("Everybody sees their own things only")
    eve = sign_up(client, "eve")
    stage.expect("nothing needs Eve's attention", board(eve)["items"] == [])
    hers = eve.call("GET", f"/user-profiles/{ada.id}/attention")
    stage.expect(
        "of Ada's there is no board", problem(hers) == "404 user-profile-not-found", seen(hers)
    )
    part = eve.call("GET", f"/user-profiles/{eve.id}/attention?workspace_id={thesis}")
    stage.expect("nor of her workspace", problem(part) == "404 workspace-not-found", seen(part))


def end(stage: Stage, server: Server) -> None:
    stage.step("Told to stop (SIGTERM), the service leaves nothing behind")
    status, seconds = server.stop()
    stage.expect("it ends as it should", status == 0, f"exit code {status}, {seconds:.1f} s")
    stage.expect("none of its copies of git directories stays", server.files == [])


if __name__ == "__main__":
    perform(story)
