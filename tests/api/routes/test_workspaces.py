"""Workspaces: create, get, update and delete them, and their stats."""

from symphony.config.settings import Settings
from tests.support.api import User, code, created_resource, faults, running_api, sign_up

FIELDS = {
    "id",
    "version",
    "created_at",
    "updated_at",
    "user_profile_id",
    "name",
    "description",
    "workspace_type",
    "settings",
}


async def test_a_workspace_is_created_with_all_its_fields(ada: User) -> None:
    given = {
        "name": "Thesis",
        "description": "Notes\non the engine",
        "workspace_type": "research",
        "settings": {"colour": "blue", "depth": [1, 2.5, None, {"on": True}]},
    }
    answer = await ada.post(f"/user-profiles/{ada.id}/workspaces", given)
    workspace = await created_resource(ada, answer, "/workspaces")
    assert set(workspace) == FIELDS
    assert workspace["user_profile_id"] == ada.id
    assert {name: workspace[name] for name in given} == given


async def test_only_the_name_is_required(ada: User) -> None:
    workspace = await ada.workspace()
    assert workspace["description"] is None
    assert workspace["workspace_type"] == "general"
    assert workspace["settings"] == {}
    refused = await ada.post(f"/user-profiles/{ada.id}/workspaces", {})
    assert faults(refused) == [("/name", "missing")]


async def test_every_type_can_be_created(ada: User) -> None:
    for workspace_type in ("general", "client", "personal", "research"):
        workspace = await ada.workspace(workspace_type, workspace_type=workspace_type)
        assert workspace["workspace_type"] == workspace_type


async def test_an_update_increments_the_version(ada: User) -> None:
    before = await ada.workspace(description="old")
    answer = await ada.patch(f"/workspaces/{before['id']}", {"name": "Book", "description": "new"})
    assert answer.status_code == 200
    after = answer.json()
    assert after == before | {
        "name": "Book",
        "description": "new",
        "version": 2,
        "updated_at": after["updated_at"],
    }
    assert after["updated_at"] > before["updated_at"]
    read = await ada.get(f"/workspaces/{before['id']}")
    assert read.json() == after
    assert read.headers["etag"] == answer.headers["etag"]


async def test_the_names_of_workspaces_are_unique_for_a_user(ada: User, eve: User) -> None:
    thesis, book = await ada.workspace("Thesis"), await ada.workspace("Book")
    again = await ada.post(f"/user-profiles/{ada.id}/workspaces", {"name": " tHESIS "})
    assert code(again) == "409 workspace-name-taken"
    renamed = await ada.patch(f"/workspaces/{book['id']}", {"name": "THESIS"})
    assert code(renamed) == "409 workspace-name-taken"
    assert (await ada.get(f"/workspaces/{book['id']}")).json() == book
    own_name = await ada.patch(f"/workspaces/{thesis['id']}", {"name": "THESIS"})
    assert own_name.json()["name"] == "THESIS"
    assert (await eve.workspace("Thesis"))["name"] == "Thesis"


async def test_the_name_of_a_deleted_workspace_is_free_again(ada: User) -> None:
    first = await ada.workspace("Thesis")
    assert (await ada.delete(f"/workspaces/{first['id']}")).status_code == 204
    assert (await ada.workspace("Thesis"))["id"] != first["id"]


async def test_a_user_at_the_limit_creates_no_workspace_until_one_is_deleted(
    settings: Settings,
) -> None:
    limited = settings.model_copy(update={"max_workspaces_per_user": 2})
    async with running_api(limited) as client:
        ada = await sign_up(client, "ada")
        first, _ = await ada.workspace("one"), await ada.workspace("two")
        refused = await ada.post(f"/user-profiles/{ada.id}/workspaces", {"name": "three"})
        assert code(refused) == "409 workspace-limit-reached"
        assert (refused.json()["limit"], refused.json()["used"]) == (2, 2)
        assert (await ada.delete(f"/workspaces/{first['id']}")).status_code == 204
        assert await ada.workspace("three")
        assert await (await sign_up(client, "eve")).workspace("hers")


async def test_the_stats_count_repos_and_vaults(ada: User) -> None:
    workspace_id = (await ada.workspace())["id"]
    path = f"/workspaces/{workspace_id}/stats"

    async def stats() -> dict[str, object]:
        answer = await ada.get(path)
        assert answer.status_code == 200
        return answer.json()

    def counted(repos: int, vaults: int) -> dict[str, object]:
        counts = {"repo_count": repos, "vault_count": vaults, "total_resources": repos + vaults}
        return {"workspace_id": workspace_id, **counts}

    assert await stats() == counted(0, 0)
    repo = await ada.repo(workspace_id, "one")
    await ada.repo(workspace_id, "two")
    vault = await ada.vault(workspace_id)
    assert await stats() == counted(2, 1)
    await ada.delete(f"/repos/{repo['id']}")
    await ada.delete(f"/vaults/{vault['id']}")
    assert await stats() == counted(1, 0)


async def test_an_empty_workspace_is_deleted_for_good(ada: User) -> None:
    path = f"/workspaces/{(await ada.workspace())['id']}"
    answer = await ada.delete(path)
    assert (answer.status_code, answer.content) == (204, b"")
    assert code(await ada.get(path)) == "404 workspace-not-found"
    assert code(await ada.delete(path)) == "404 workspace-not-found"


async def test_a_workspace_that_is_not_empty_is_deleted_only_by_force(ada: User) -> None:
    for make in (ada.repo, ada.vault):
        workspace_id = (await ada.workspace(make.__name__))["id"]
        held = await make(workspace_id)
        for query in ("", "?force=false"):
            refused = await ada.delete(f"/workspaces/{workspace_id}{query}")
            assert code(refused) == "409 workspace-not-empty"
        assert (await ada.get(f"/{make.__name__}s/{held['id']}")).json() == held
        await ada.delete(f"/{make.__name__}s/{held['id']}")
        assert (await ada.delete(f"/workspaces/{workspace_id}")).status_code == 204


async def test_force_deletes_a_workspace_with_everything_in_it_also_locked_vaults(
    ada: User,
) -> None:
    workspace_id = (await ada.workspace())["id"]
    repo, vault = await ada.repo(workspace_id), await ada.vault(workspace_id)
    await ada.post(f"/vaults/{vault['id']}/lock")
    assert (await ada.delete(f"/workspaces/{workspace_id}?force=true")).status_code == 204
    assert code(await ada.get(f"/workspaces/{workspace_id}")) == "404 workspace-not-found"
    assert code(await ada.get(f"/workspaces/{workspace_id}/stats")) == "404 workspace-not-found"
    assert code(await ada.get(f"/repos/{repo['id']}")) == "404 repo-not-found"
    assert code(await ada.get(f"/vaults/{vault['id']}")) == "404 vault-not-found"
    assert code(await ada.get(f"/workspaces/{workspace_id}/repos")) == "404 workspace-not-found"
