"""Vaults: create, update and delete them; what a locked vault refuses."""

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
    "metadata",
    "is_locked",
    "protection",
}


async def _vault(ada: User) -> dict[str, object]:
    return await ada.vault((await ada.workspace())["id"])


async def test_a_vault_is_created_unlocked_with_all_its_fields(ada: User) -> None:
    workspace_id = (await ada.workspace())["id"]
    given = {"name": "keys", "path": "~/vaults/keys", "metadata": {"owner": None, "size": 3}}
    answer = await ada.post(f"/workspaces/{workspace_id}/vaults", given)
    vault = await created_resource(ada, answer, "/vaults")
    assert set(vault) == FIELDS
    assert vault["workspace_id"] == workspace_id
    assert vault["is_locked"] is False
    assert {name: vault[name] for name in given} == given


async def test_name_and_path_are_required(ada: User) -> None:
    workspace_id = (await ada.workspace())["id"]
    assert (await ada.vault(workspace_id))["metadata"] == {}
    refused = await ada.post(f"/workspaces/{workspace_id}/vaults", {})
    assert faults(refused) == [("/name", "missing"), ("/path", "missing")]


async def test_an_update_increments_the_version(ada: User) -> None:
    before = await _vault(ada)
    answer = await ada.patch(f"/vaults/{before['id']}", {"name": "notes", "path": "/notes"})
    assert answer.status_code == 200
    after = answer.json()
    expected = {"name": "notes", "path": "/notes", "version": 2, "updated_at": after["updated_at"]}
    assert after == before | expected
    assert answer.headers["etag"] == (await ada.get(f"/vaults/{before['id']}")).headers["etag"]


async def test_the_names_of_vaults_are_unique_in_a_workspace(ada: User) -> None:
    workspace_id = (await ada.workspace())["id"]
    await ada.vault(workspace_id, "keys")
    notes = await ada.vault(workspace_id, "notes")
    taken = await ada.post(f"/workspaces/{workspace_id}/vaults", {"name": "KEYS", "path": "/k"})
    assert code(taken) == "409 vault-name-taken"
    renamed = await ada.patch(f"/vaults/{notes['id']}", {"name": "Keys"})
    assert code(renamed) == "409 vault-name-taken"
    assert (await ada.get(f"/vaults/{notes['id']}")).json() == notes


async def test_a_workspace_at_its_limit_refuses_vaults_until_one_is_deleted(
    settings: Settings,
) -> None:
    limited = settings.model_copy(update={"max_vaults_per_workspace": 1})
    async with running_api(limited) as client:
        ada = await sign_up(client, "ada")
        workspace_id = (await ada.workspace())["id"]
        vault = await ada.vault(workspace_id)
        refused = await ada.post(f"/workspaces/{workspace_id}/vaults", {"name": "b", "path": "/b"})
        assert code(refused) == "409 vault-limit-reached"
        assert (refused.json()["limit"], refused.json()["used"]) == (1, 1)
        assert (await ada.delete(f"/vaults/{vault['id']}")).status_code == 204
        assert await ada.vault(workspace_id, "b")


async def test_lock_and_unlock_increment_the_version_and_repeating_them_does_not(
    ada: User,
) -> None:
    vault = await _vault(ada)
    for verb, is_locked, version in (("lock", True, 2), ("unlock", False, 3)):
        first = await ada.post(f"/vaults/{vault['id']}/{verb}")
        assert first.status_code == 200
        now = first.json()
        if verb == "unlock":
            assert (now.pop("session"), now.pop("unlocked_until")) == (None, None)
        expected = {"is_locked": is_locked, "version": version, "updated_at": now["updated_at"]}
        assert now == vault | expected
        second = await ada.post(f"/vaults/{vault['id']}/{verb}")
        assert second.status_code == 200
        assert {**second.json(), **now} == second.json()
        read = await ada.get(f"/vaults/{vault['id']}")
        assert read.json() == now
        assert first.headers["etag"] == second.headers["etag"] == read.headers["etag"]


async def test_unlocking_an_unlocked_vault_changes_nothing(ada: User) -> None:
    vault = await _vault(ada)
    nothing = {"session": None, "unlocked_until": None}
    assert (await ada.post(f"/vaults/{vault['id']}/unlock")).json() == vault | nothing


async def test_a_locked_vault_is_read_but_not_changed(ada: User) -> None:
    path = f"/vaults/{(await _vault(ada))['id']}"
    locked = (await ada.post(f"{path}/lock")).json()
    changes: list[dict[str, object]] = [{"name": "other"}, {"metadata": {}}, {}]
    for change in changes:
        assert code(await ada.patch(path, change)) == "423 vault-locked"
    assert (await ada.get(path)).json() == locked
    await ada.post(f"{path}/unlock")
    assert (await ada.patch(path, {"name": "other"})).status_code == 200


async def test_a_locked_vault_is_deleted_only_by_force(ada: User) -> None:
    path = f"/vaults/{(await _vault(ada))['id']}"
    locked = (await ada.post(f"{path}/lock")).json()
    for query in ("", "?force=false"):
        assert code(await ada.delete(path + query)) == "423 vault-locked"
    assert (await ada.get(path)).json() == locked
    assert (await ada.delete(f"{path}?force=true")).status_code == 204
    assert code(await ada.get(path)) == "404 vault-not-found"


async def test_an_unlocked_vault_needs_no_force(ada: User) -> None:
    path = f"/vaults/{(await _vault(ada))['id']}"
    answer = await ada.delete(path)
    assert (answer.status_code, answer.content) == (204, b"")
    for gone in (
        await ada.get(path),
        await ada.patch(path, {"name": "other"}),
        await ada.delete(f"{path}?force=true"),
        await ada.post(f"{path}/lock"),
        await ada.post(f"{path}/unlock"),
    ):
        assert code(gone) == "404 vault-not-found"


async def test_a_patch_cannot_set_the_lock(ada: User) -> None:
    vault = await _vault(ada)
    refused = await ada.patch(f"/vaults/{vault['id']}", {"is_locked": True})
    assert faults(refused) == [("/is_locked", "unknown-field")]
