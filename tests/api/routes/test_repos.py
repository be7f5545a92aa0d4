"""Repos: create, get, update and delete them."""

from pathlib import Path

from symphony.config.settings import Settings
from tests.support.api import User, code, created_resource, faults, running_api, sign_up

FIELDS = {
    "id",
    "version",
    "created_at",
    "updated_at",
    "workspace_id",
    "name",
    "path",
    "remote_url",
    "metadata",
    "last_synced",
}


async def test_a_repo_is_registered_with_all_its_fields(ada: User) -> None:
    workspace_id = (await ada.workspace())["id"]
    given = {
        "name": "engine",
        "path": "/srv/git/engine",
        "remote_url": "https://git.example.org/ada/engine.git",
        "metadata": {"language": "note G", "stars": 1843},
    }
    answer = await ada.post(f"/workspaces/{workspace_id}/repos", given)
    repo = await created_resource(ada, answer, "/repos")
    assert set(repo) == FIELDS
    assert repo["workspace_id"] == workspace_id
    assert repo["last_synced"] is None
    assert {name: repo[name] for name in given} == given


async def test_name_and_path_are_required(ada: User) -> None:
    workspace_id = (await ada.workspace())["id"]
    repo = await ada.repo(workspace_id)
    assert (repo["remote_url"], repo["metadata"]) == (None, {})
    refused = await ada.post(f"/workspaces/{workspace_id}/repos", {})
    assert faults(refused) == [("/name", "missing"), ("/path", "missing")]


async def test_an_update_increments_the_version(ada: User) -> None:
    before = await ada.repo((await ada.workspace())["id"])
    given = {"name": "loom", "path": "~/loom", "remote_url": "git@git.example.org:ada/loom.git"}
    answer = await ada.patch(f"/repos/{before['id']}", given)
    assert answer.status_code == 200
    after = answer.json()
    assert after == before | given | {"version": 2, "updated_at": after["updated_at"]}
    assert after["updated_at"] > before["updated_at"]
    assert answer.headers["etag"] == (await ada.get(f"/repos/{before['id']}")).headers["etag"]


async def test_the_names_of_repos_are_unique_in_a_workspace(ada: User) -> None:
    one, other = await ada.workspace("one"), await ada.workspace("other")
    path = f"/workspaces/{one['id']}/repos"
    await ada.repo(one["id"], "engine")
    loom = await ada.repo(one["id"], "loom")
    taken = await ada.post(path, {"name": "ENGINE", "path": "/e"})
    assert code(taken) == "409 repo-name-taken"
    renamed = await ada.patch(f"/repos/{loom['id']}", {"name": "Engine"})
    assert code(renamed) == "409 repo-name-taken"
    assert (await ada.get(f"/repos/{loom['id']}")).json() == loom
    assert (await ada.repo(other["id"], "engine"))["name"] == "engine"
    assert (await ada.vault(one["id"], "engine"))["name"] == "engine"


async def test_a_workspace_at_its_limit_refuses_repos_until_one_is_deleted(
    settings: Settings,
) -> None:
    limited = settings.model_copy(update={"max_repos_per_workspace": 1})
    async with running_api(limited) as client:
        ada = await sign_up(client, "ada")
        full, free = await ada.workspace("full"), await ada.workspace("free")
        repo = await ada.repo(full["id"])
        refused = await ada.post(f"/workspaces/{full['id']}/repos", {"name": "b", "path": "/b"})
        assert code(refused) == "409 repo-limit-reached"
        assert (refused.json()["limit"], refused.json()["used"]) == (1, 1)
        assert await ada.repo(free["id"])
        assert await ada.vault(full["id"])
        assert (await ada.delete(f"/repos/{repo['id']}")).status_code == 204
        assert await ada.repo(full["id"], "b")


async def test_deleting_a_repo_changes_no_file(ada: User, tmp_path: Path) -> None:
    file = tmp_path / "engine" / "README"
    file.parent.mkdir()
    file.write_text("still here")
    repo = await ada.repo((await ada.workspace())["id"], path=str(file.parent))
    answer = await ada.delete(f"/repos/{repo['id']}")
    assert (answer.status_code, answer.content) == (204, b"")
    assert code(await ada.get(f"/repos/{repo['id']}")) == "404 repo-not-found"
    assert code(await ada.delete(f"/repos/{repo['id']}")) == "404 repo-not-found"
    assert file.read_text() == "still here"


async def test_valid_remotes_are_stored_unchanged(ada: User) -> None:
    repo = await ada.repo((await ada.workspace())["id"])
    for url in (
        "https://git.example.org/ada/engine.git",
        "http://127.0.0.1:3000/engine",
        "git://git.example.org/engine",
        "ssh://git.example.org/engine",
        "ssh://git@git.example.org:2222/~ada/engine.git",
        "ssh://git@[2001:db8::1]/engine",
        "git@git.example.org:ada/engine.git",
    ):
        answer = await ada.patch(f"/repos/{repo['id']}", {"remote_url": url})
        assert answer.status_code == 200, url
        assert answer.json()["remote_url"] == url


async def test_remotes_that_run_programs_read_files_or_carry_passwords_are_refused(
    ada: User,
) -> None:
    repo = await ada.repo((await ada.workspace())["id"])
    for url in (
        "--upload-pack=touch",
        "-oProxyCommand=x@host:path",
        "-x@git.example.org:engine",
        "file:///etc",
        "/srv/git/engine",
        "../engine",
        "engine",
        "ext::sh -c id",
        "fd::7",
        "ftp://git.example.org/engine",
        "https://ada:secret@git.example.org/engine",
        "https://ada@git.example.org/engine",
        "ssh://ada:secret@git.example.org/engine",
        "ssh://-oProxyCommand=x/engine",
        "ssh://-x@git.example.org/engine",
        "git@-x:engine",
        "git@git.example.org:-x",
        "https://",
        "https:///engine",
        "https://git.example.org:99999/engine",
        "https://git.example.org/eng ine",
        "https://git.example.org/\nengine",
        "",
        "https://git.example.org/" + "x" * 2048,
    ):
        answer = await ada.patch(f"/repos/{repo['id']}", {"remote_url": url})
        assert [pointer for pointer, _ in faults(answer)] == ["/remote_url"], url
    assert (await ada.get(f"/repos/{repo['id']}")).json() == repo
