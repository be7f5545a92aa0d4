"""The limits of storage, as clients meet them."""

import pytest

from symphony.config.settings import Settings
from tests.support.api import code, running_api, sign_up
from tests.support.vaults import OpenVault


@pytest.mark.long
async def test_a_user_at_the_limit_of_storage_is_refused_until_an_entry_is_deleted(
    settings: Settings,
) -> None:
    limits = {"max_entry_bytes_per_vault": 5000, "max_entry_bytes_per_user": 8000}
    async with running_api(settings.model_copy(update=limits)) as client:
        ada, eve = await sign_up(client, "ada"), await sign_up(client, "eve")
        workspace_id = (await ada.workspace())["id"]
        one = await OpenVault.created(ada, workspace_id, "one")
        two = await OpenVault.created(ada, workspace_id, "two", "a horse, a battery and a staple")
        two = await two.opened()
        content = "x" * 2000
        for key in ("a", "b"):
            assert (await one.put(key, content)).status_code == 201
        for refused in (
            await one.put("c", content),
            await one.put("a", content),
            await one.restore("a", 1),
        ):
            assert code(refused) == "409 storage-limit-reached"
            problem = refused.json()
            assert problem["limit"] == 5000
            assert 4000 < problem["used"] < 4500
            assert f"{problem['used']:,} of at most 5,000 bytes" in problem["detail"]
        assert (await two.put("a", content)).status_code == 201
        refused = await two.put("b", content)
        assert code(refused) == "409 storage-limit-reached"
        assert refused.json()["limit"] == 8000
        assert 6000 < refused.json()["used"] < 8000
        # Nothing of it is stored, and it concerns no other user.
        assert code(await two.get("b")) == "404 entry-not-found"
        vault = await OpenVault.created(eve, (await eve.workspace())["id"], "one")
        assert (await vault.put("a", content)).status_code == 201
        deleted = await one.ask("DELETE", "/entries/a")
        assert deleted.status_code == 204
        assert (await two.put("b", content)).status_code == 201
        assert code(await one.put("a", content)) == "409 storage-limit-reached"
        assert (await ada.delete(f"{two.path}?force=true")).status_code == 204
        assert (await one.put("a", content)).status_code == 201


async def test_an_entry_that_is_larger_than_the_limit_is_refused(settings: Settings) -> None:
    small = settings.model_copy(update={"max_entry_bytes_per_user": 1})
    async with running_api(small) as client:
        ada = await sign_up(client, "ada")
        vault = await OpenVault.created(ada, (await ada.workspace())["id"], "one")
        refused = await vault.put("a", "")
        assert code(refused) == "409 storage-limit-reached"
        assert (refused.json()["limit"], refused.json()["used"]) == (1, 0)
        assert code(await vault.get("a")) == "404 entry-not-found"
