"""The changes that docs/vaults.md calls undetectable are, and have no other effect."""

from dataclasses import replace
from uuid import UUID

import pytest

from symphony.domain.vaults.vaults import Protection
from symphony.infrastructure.database.engine import Engines
from tests.support.api import User, code
from tests.support.vault_rows import Rows, read_rows, write_rows
from tests.support.vaults import OpenVault

# A store that outlives the engine that changes the rows.
pytestmark = pytest.mark.parametrize("store_kind", ["postgresql", "sqlite-file"], indirect=True)

OLD, NEW = "a horse, a battery and a staple", "a mare, a cell and a paper clip"


@pytest.fixture
async def vault(ada: User) -> OpenVault:
    """A vault with a passphrase and an entry with two versions."""
    created = await OpenVault.created(ada, (await ada.workspace())["id"], "secret", OLD)
    opened = await created.opened()
    await opened.put("a", "first")
    return opened


async def test_an_older_copy_of_all_rows_is_accepted(vault: OpenVault, engines: Engines) -> None:
    older = await read_rows(engines)
    await vault.put("a", "second")
    assert await write_rows(engines, older)
    assert (await vault.get("a")).json()["content"] == "first"


@pytest.mark.long
async def test_an_older_data_key_opens_with_the_older_passphrase(
    vault: OpenVault, engines: Engines
) -> None:
    older = await read_rows(engines)
    assert (await vault.update_passphrase(NEW)).status_code == 204
    assert code(await vault.unlock(OLD)) == "403 wrong-passphrase"
    rows = await read_rows(engines)
    assert await write_rows(engines, rows | {"vault_keys": older["vault_keys"]})
    opened = await replace(vault, passphrase=OLD).opened()
    assert (await opened.get("a")).json()["content"] == "first"


async def test_a_revoked_session_is_valid_again_when_its_row_is_restored(
    vault: OpenVault, engines: Engines
) -> None:
    older = await read_rows(engines)
    assert (await vault.lock()).status_code == 200
    assert code(await vault.get("a")) == "423 vault-locked"
    rows = await read_rows(engines)
    back = {name: older[name] for name in ("vaults", "vault_sessions")}
    assert await write_rows(engines, rows | back)
    assert (await vault.get("a")).json()["content"] == "first"
    assert code(await replace(vault, session="").get("a")) == "423 vault-locked"


async def test_a_deleted_entry_row_is_a_missing_entry(vault: OpenVault, engines: Engines) -> None:
    rows = await read_rows(engines)
    assert await write_rows(engines, rows | {"vault_entries": [], "vault_entry_versions": []})
    assert code(await vault.get("a")) == "404 entry-not-found"
    assert (await vault.ask("GET", "/entries")).json()["damaged"] == 0


async def test_a_vault_moved_to_another_user_is_readable_only_without_a_passphrase(
    ada: User, eve: User, vault: OpenVault, engines: Engines
) -> None:
    plain = await OpenVault.created(ada, (await ada.workspace("plain"))["id"], "plain")
    await plain.put("a", "of the plain one")
    hers = UUID((await eve.workspace())["id"])
    rows = await read_rows(engines)
    for row in rows["vaults"]:
        row["workspace_id"] = hers
    assert await write_rows(engines, rows)
    read = await replace(plain, owner=eve).get("a")
    assert read.json()["content"] == "of the plain one"
    assert code(await replace(vault, owner=eve).get("a")) == "423 vault-locked"
    assert code(await replace(vault, owner=eve).unlock(NEW)) == "403 wrong-passphrase"


async def test_a_vault_that_was_emptied_and_lost_its_passphrase_shows_its_protection(
    vault: OpenVault, engines: Engines
) -> None:
    rows = await read_rows(engines)
    for row in rows["vaults"]:
        row["protection"] = Protection.NONE
    emptied: Rows = {table: [] for table in rows}
    assert await write_rows(engines, emptied | {"vaults": rows["vaults"]})
    assert (await vault.ask("GET")).json()["protection"] == "none"
    assert code(await vault.unlock()) == "422 validation-error"
    assert (await vault.put("a", "not so secret")).status_code == 201
