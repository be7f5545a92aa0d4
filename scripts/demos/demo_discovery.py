"""Discovery: find every git repository below a folder, and register them with one request."""

import tempfile
from collections.abc import Mapping
from pathlib import Path

import httpx

from scripts.demos.support.demo_server import running_server
from scripts.demos.support.stage import Stage, perform
from scripts.demos.support.user import User, outcome, sign_up
from scripts.support.git_repository import Repository

FIELDS = ("name", "kind", "path", "remote_url", "registered")


def story(stage: Stage) -> None:
    with tempfile.TemporaryDirectory(prefix="symphony-demo-") as temporary:
        home = Path(temporary).resolve()
        work = filled(home / "work", outside=home / "elsewhere")
        with running_server("--git-root", str(work)) as server, server.client() as client:
            ada = sign_up(client, "ada")
            workspace = ada.create_workspace("Work")
            before = traces(work)
            found = discover(stage, ada, workspace, work)
            stage.expect("no file in the folder has been changed", traces(work) == before)
            import_all(stage, ada, workspace, work, found)
            refused_as_a_whole(stage, ada, workspace)
            too_many(stage, ada, workspace)
            other_folders(stage, ada, workspace)


def filled(work: Path, outside: Path) -> Path:
    """A folder with an ordinary, a bare and an older repository, a submodule and a worktree."""
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


def traces(work: Path) -> Mapping[Path, object]:
    """The times, sizes and inodes of all files, by repository."""
    return {each: Repository(each).snapshot() for each in work.iterdir() if not each.is_symlink()}


def search(ada: User, workspace: str, root: Path | str) -> httpx.Response:
    body = {"root": str(root), "max_depth": 3}
    return ada.call("POST", f"/workspaces/{workspace}/discoveries", json=body)


def discover(stage: Stage, ada: User, workspace: str, work: Path) -> httpx.Response:
    stage.step("Years of work in one folder: what is in there?")
    found = stage.exchange(search(ada, workspace, work), *FIELDS)
    items = found.json()["items"]
    kinds = {str(Path(each["path"]).relative_to(work)): each["kind"] for each in items}
    stage.table("path in the folder", "kind", rows=kinds.items())
    stage.why(
        "you list no repositories by hand. Links that lead out of the folder are not"
        " followed, and nothing in it is executed or changed."
    )
    stage.expect(
        "repositories, a bare one, a worktree and a submodule are found",
        kinds
        == {
            "engine": "repository",
            "engine/gear": "submodule",
            "old/engine": "repository",
            "server.git": "bare",
            "tree": "worktree",
        },
    )
    stage.expect("the search has covered the whole folder", not found.json()["truncated"])
    names = {each["name"] for each in items}
    stage.expect("two of the same name get different names", {"engine", "engine-2"} < names)
    return found


def import_all(stage: Stage, ada: User, workspace: str, work: Path, found: httpx.Response) -> None:
    stage.step("Register what was found, as it is, with one request")
    items = found.json()["items"]
    path = f"/workspaces/{workspace}/repos/import"
    key = {"Idempotency-Key": "this-folder"}
    imported = ada.call("POST", path, json={"items": items}, headers=key)
    stage.exchange(imported, "id", "name")
    again = ada.call("POST", path, json={"items": items}, headers=key)
    stage.why(
        "the answer of the search is the request of the import: nothing has to be picked apart."
        " Five repos or a hundred take one request, and a retry with the same key does not"
        " register them twice."
    )
    stage.expect("the repos have been created", imported.status_code == 201)
    stage.expect("a retry returns the same repos", again.content == imported.content)
    registered = [each["registered"] for each in search(ada, workspace, work).json()["items"]]
    stage.expect("the next search marks all as registered", all(registered))
    states = [
        ada.call("GET", f"/repos/{each['id']}/status").json()["state"]
        for each in imported.json()["items"]
    ]
    stage.expect(
        "each has a status", set(states) <= {"clean", "dirty"}, f"states: {', '.join(states)}"
    )


def refused_as_a_whole(stage: Stage, ada: User, workspace: str) -> None:
    stage.step("All or none: one invalid item, and nothing is registered")
    items = [{"name": name, "path": "/srv/x"} for name in ("loom", "ENGINE", "Loom")]
    path = f"/workspaces/{workspace}/repos/import"
    refused = stage.exchange(ada.call("POST", path, json={"items": items}))
    stage.why(
        "the errors point at every item that is in the way, so one correction is enough; and"
        " there is no half of an import to clean up."
    )
    stage.expect("the import is refused", outcome(refused) == "409 repo-name-taken")
    pointers = [each["pointer"] for each in refused.json()["errors"]]
    stage.expect(
        "`ENGINE` is taken, `Loom` is given twice", pointers == ["/items/1/name", "/items/2/name"]
    )
    listed = ada.call("GET", f"/workspaces/{workspace}/repos?q=loom").json()["items"]
    stage.expect("`loom`, which was valid, is not registered either", listed == [])


def too_many(stage: Stage, ada: User, workspace: str) -> None:
    stage.step("More than fits: the error says how much is needed, and how much is left")
    items = [{"name": f"r{number}", "path": "/srv/x"} for number in range(96)]
    path = f"/workspaces/{workspace}/repos/import"
    refused = ada.call("POST", path, json={"items": items})
    stage.say(f"Ada sends 96 items to a workspace of {refused.json()['used']} repos:")
    stage.exchange(refused, "status", "code", "detail", "limit", "used")
    stage.why("the client can choose another workspace, or send fewer, without guessing.")
    stage.expect("the import is refused", outcome(refused) == "409 repo-limit-reached")
    detail = refused.json()["detail"]
    stage.expect("it says how many fit", detail == "This import needs 96 slots; 95 are left")
    many = {"items": [*items, *items]}
    stage.expect(
        "more than 100 at once are an invalid request",
        outcome(ada.call("POST", path, json=many)) == "422 validation-error",
    )


def other_folders(stage: Stage, ada: User, workspace: str) -> None:
    stage.step("Only folders that the operator has named can be searched")
    refused = stage.exchange(search(ada, workspace, "/"))
    stage.why("a user of the API cannot explore the rest of the server's disk.")
    stage.expect("the search is refused", outcome(refused) == "422 validation-error")


if __name__ == "__main__":
    perform(story)
