"""A whole folder of repositories: found, chosen from, and registered with one request."""

from pathlib import Path
from typing import Any

from caller import User, problem, seen
from git_repository import Repository
from stage import Stage

COLUMNS = ("name", "kind", "remote_url", "registered")


def found_and_registered(stage: Stage, ada: User, dev: Path, outside: Path) -> None:
    work = _filled(dev / "work", outside)
    folder = ada.make(f"/user-profiles/{ada.id}/workspaces", name="Whole folder")["id"]
    before = {each: Repository(each).traces() for each in work.iterdir() if not each.is_symlink()}
    items = found(stage, ada, folder, work)
    stage.expect(
        "nothing in the folder has changed",
        before == {each: Repository(each).traces() for each in before},
    )
    registered_at_once(stage, ada, folder, work, items)
    refused_as_a_whole(stage, ada, folder)


def found(stage: Stage, ada: User, workspace: str, work: Path) -> list[dict[str, Any]]:
    stage.step("One request finds what is in a folder: nobody has to list it")
    told = _search(ada, workspace, work)
    items = told["items"]
    stage.show(
        "below the folder",
        *COLUMNS,
        rows=[(_below(work, each), *(each[name] for name in COLUMNS)) for each in items],
    )
    kinds = {_below(work, each): each["kind"] for each in items}
    stage.expect(
        "repositories, worktrees, submodules and bare ones",
        kinds
        == {
            "engine": "repository",
            "engine/gear": "submodule",
            "old/engine": "repository",
            "server.git": "bare",
            "tree": "worktree",
        },
    )
    stage.expect("all of it was looked at", not told["truncated"])
    names = [each["name"] for each in items]
    stage.expect("two of one name get two", {"engine", "engine-2"} < set(names))
    return items


def registered_at_once(
    stage: Stage, ada: User, workspace: str, work: Path, items: list[dict[str, Any]]
) -> None:
    stage.step("What was found is registered as it is, with one request, which may be repeated")
    body = {
        "items": [{name: each[name] for name in ("name", "path", "remote_url")} for each in items]
    }
    answers = [
        ada.call(
            "POST",
            f"/workspaces/{workspace}/repos/import",
            json=body,
            headers={"Idempotency-Key": "this-folder"},
        )
        for _ in range(2)
    ]
    stage.expect("201, twice", [each.status_code for each in answers] == [201, 201])
    stage.expect("with the same repos", answers[0].content == answers[1].content)
    again = _search(ada, workspace, work)["items"]
    stage.expect("all are known now", all(each["registered"] for each in again))
    states = [
        ada.call("GET", f"/repos/{each['id']}/status").json()["state"]
        for each in answers[0].json()["items"]
    ]
    stage.expect("and each has a state", set(states) <= {"clean", "dirty"}, ", ".join(states))


def refused_as_a_whole(stage: Stage, ada: User, workspace: str) -> None:
    stage.step("All or none: each item that is in the way is told")
    items = [{"name": name, "path": "/srv/x"} for name in ("loom", "ENGINE", "Loom")]
    refused = ada.call("POST", f"/workspaces/{workspace}/repos/import", json={"items": items})
    stage.expect("409", problem(refused) == "409 repo-name-taken", seen(refused))
    pointers = [each["pointer"] for each in refused.json()["errors"]]
    stage.expect(
        "one name is taken, one given twice",
        pointers == ["/items/1/name", "/items/2/name"],
        ", ".join(pointers),
    )
    listed = ada.call("GET", f"/workspaces/{workspace}/repos?q=loom").json()["items"]
    stage.expect("and nothing was registered", listed == [])
    outside = ada.call("POST", f"/workspaces/{workspace}/discoveries", json={"root": "/"})
    stage.expect("elsewhere nobody may search", problem(outside) == "422 validation-error")


def _filled(work: Path, outside: Path) -> Path:
    gear = Repository.with_commits(outside / "gear", "teeth")
    engine = Repository.with_commits(work / "engine", "notes")
    engine.git("remote", "add", "origin", "https://git.example.org/ada/engine.git")
    engine.git(
        *("-c", "protocol.file.allow=always", "submodule", "--quiet", "add"),
        *(gear.path.as_uri(), "gear"),
    )
    engine.git("worktree", "add", "--quiet", str(work / "tree"))
    engine.git("clone", "--quiet", "--bare", engine.path.as_uri(), str(work / "server.git"))
    Repository.with_commits(work / "old" / "engine", "notes")
    (work / "outside").symlink_to(outside)
    return work


def _search(ada: User, workspace: str, work: Path) -> dict[str, Any]:
    body = {"root": str(work), "max_depth": 3}
    answer = ada.call("POST", f"/workspaces/{workspace}/discoveries", json=body)
    return answer.raise_for_status().json()


def _below(work: Path, item: dict[str, Any]) -> str:
    return str(Path(item["path"]).relative_to(work))
