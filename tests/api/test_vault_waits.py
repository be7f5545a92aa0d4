"""A locked vault says so at once, whoever is writing at the time."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from uuid import UUID

import pytest
from sqlalchemy import select

from symphony.infrastructure.database.engine import Engines
from symphony.infrastructure.database.models import VaultModel
from tests.support.api import User, code
from tests.support.open_vaults import OpenVault

# One that outlives the engine by which somebody else writes.
pytestmark = pytest.mark.parametrize("store_kind", ["postgresql", "sqlite-file"], indirect=True)
AT_ONCE = 2  # seconds; whoever waits for the lock waits longer


@asynccontextmanager
async def somebody_writing(engines: Engines, vault: OpenVault) -> AsyncGenerator[None]:
    """Holds the vault's row on PostgreSQL, and all of SQLite."""
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


async def test_a_write_to_a_locked_vault_is_refused_while_somebody_else_writes(
    ada: User, engines: Engines
) -> None:
    workspace = (await ada.workspace())["id"]
    vault = await OpenVault.made(ada, workspace, "secret", "a horse and a battery")
    opened = await vault.opened()
    assert (await opened.put()).status_code == 201
    switched = await OpenVault.made(ada, workspace, "switched")
    assert (await switched.lock()).status_code == 200
    for each in (vault, switched):
        async with somebody_writing(engines, each), asyncio.timeout(AT_ONCE):
            assert await writes(each) == {"423 vault-locked"}
    await vault.lock()
    async with somebody_writing(engines, vault), asyncio.timeout(AT_ONCE):
        assert await writes(opened) == {"423 vault-locked"}
