"""Refusals are immediate: they wait for no writer and no Argon2."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from symphony.infrastructure.database.engine import Engines
from symphony.infrastructure.database.vaults.models import VaultModel
from symphony.infrastructure.vaults.passphrases import Argon2Passphrases
from tests.support.api import User, code, created
from tests.support.vaults import OpenVault

# A store that outlives the engine of the other writer.
pytestmark = pytest.mark.parametrize("store_kind", ["postgresql", "sqlite-file"], indirect=True)
AT_ONCE = 2  # seconds; a wait for the lock would take longer


@asynccontextmanager
async def concurrent_write(engines: Engines, vault: OpenVault) -> AsyncGenerator[None]:
    """Lock the row of the vault on PostgreSQL, and the database on SQLite."""
    row = select(VaultModel.id).where(VaultModel.id == UUID(vault.id)).with_for_update()
    async with engines.write.begin() as connection:
        await connection.execute(row)
        yield


async def writes(vault: OpenVault) -> set[str]:
    answers = (
        await vault.put(),
        await vault.restore("a", 1),
        await vault.ask("DELETE", "/entries/a"),
    )
    return {code(answer) for answer in answers}


async def test_a_write_to_a_locked_vault_is_refused_during_another_write(
    ada: User, engines: Engines
) -> None:
    workspace = (await ada.workspace())["id"]
    vault = await OpenVault.created(ada, workspace, "secret", "a horse and a battery")
    opened = await vault.opened()
    assert (await opened.put()).status_code == 201
    switched = await OpenVault.created(ada, workspace, "switched")
    assert (await switched.lock()).status_code == 200
    for each in (vault, switched):
        async with concurrent_write(engines, each), asyncio.timeout(AT_ONCE):
            assert await writes(each) == {"423 vault-locked"}
    await vault.lock()
    async with concurrent_write(engines, vault), asyncio.timeout(AT_ONCE):
        assert await writes(opened) == {"423 vault-locked"}


@pytest.mark.long
async def test_a_vault_in_an_unknown_workspace_is_refused_before_its_passphrase_is_hashed(
    ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = {
        "name": "k",
        "path": "/k",
        "protection": "passphrase",
        "passphrase": "a horse and a mare",
    }
    workspace = (await ada.workspace())["id"]
    path, once = f"/workspaces/{workspace}/vaults", {"Idempotency-Key": "once"}
    vault = created(await ada.post(path, body, headers=once))
    assert (await ada.delete(f"/workspaces/{workspace}?force=true")).status_code == 204
    # A retry still returns the first response.
    again = await ada.post(path, body, headers=once)
    assert (created(again), again.headers["idempotency-replayed"]) == (vault, "true")

    async def not_called(*_: object) -> bytes:
        raise AssertionError

    monkeypatch.setattr(Argon2Passphrases, "key", not_called)
    for nowhere in (workspace, uuid4()):
        for headers in ({}, {"Idempotency-Key": "another"}):
            answer = await ada.post(f"/workspaces/{nowhere}/vaults", body, headers=headers)
            assert code(answer) == "404 workspace-not-found"
