"""A lock takes effect for reads that have started; expired sessions are removed."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, update

from symphony.application.app import Application, Queries
from symphony.application.callers import Caller
from symphony.application.orchestrations.vault_creation import (
    CreateProtectedVault,
    create_protected_vault,
)
from symphony.application.orchestrations.vault_unlocking import OpenVault, open_vault
from symphony.application.vaults.entries import UnwrapVaultKey, unwrap_vault_key
from symphony.application.vaults.vaults import CreateVault, LockVault, create_vault, lock_vault
from symphony.application.workspaces import CreateWorkspace, create_workspace
from symphony.domain.api_tokens import Scope
from symphony.domain.base import utc_now
from symphony.domain.reach import Reach
from symphony.domain.vaults.sessions import VaultCredentials
from symphony.domain.vaults.vaults import Protection, VaultLocked
from symphony.infrastructure.database.engine import Engines
from symphony.infrastructure.database.vaults.models import VaultSessionModel

TOKEN = b"t" * 32
PASSPHRASE = "a horse, a battery and a staple"


@pytest.mark.parametrize("protection", Protection)
async def test_nothing_is_read_after_a_lock_even_if_the_key_was_unwrapped_before(
    app: Application, ada: UUID, protection: Protection
) -> None:
    workspace = await app.run(create_workspace, CreateWorkspace(Reach(ada), ada, "Thesis"))
    command = CreateVault(Reach(ada), workspace.id, "v", "/v")
    session = None
    if protection is Protection.NONE:
        vault = await app.run(create_vault, command)
    else:
        protected = CreateProtectedVault(command, protection, PASSPHRASE)
        vault = (await create_protected_vault(protected, app)).result
        caller = Caller(ada, frozenset(Scope), TOKEN, None)
        session = (await open_vault(OpenVault(caller, vault.id, PASSPHRASE, 60), app)).session
    credentials = VaultCredentials(Reach(ada), vault.id, TOKEN, session)
    session_hash = credentials.session_hash(app.keyring.cryptography)

    async def read_late(query: UnwrapVaultKey, queries: Queries) -> None:
        await unwrap_vault_key(query, queries)
        await app.run(lock_vault, LockVault(Reach(ada), vault.id))
        entries = queries.repositories.vault_entries
        for read in (
            entries.read(credentials, session_hash, b"lookup", None),
            entries.versions(credentials, session_hash, b"lookup"),
            entries.all(credentials, session_hash),
        ):
            with pytest.raises(VaultLocked):
                await read

    await app.ask(read_late, UnwrapVaultKey(credentials))


async def test_unlocking_a_vault_removes_the_expired_sessions_of_all_vaults(
    app: Application, ada: UUID, engines: Engines
) -> None:
    """It does not wait for locked ones, because their holder could wait for it in turn."""
    workspace = await app.run(create_workspace, CreateWorkspace(Reach(ada), ada, "Thesis"))
    caller = Caller(ada, frozenset(Scope), TOKEN, None)
    vaults: list[UUID] = []
    for name in ("one", "two", "three"):
        command = CreateVault(Reach(ada), workspace.id, name, f"/{name}")
        protected = CreateProtectedVault(command, Protection.PASSPHRASE, PASSPHRASE)
        vaults.append((await create_protected_vault(protected, app)).result.id)
        await open_vault(OpenVault(caller, vaults[-1], PASSPHRASE, 60), app)
    ended, held, opened = vaults
    of, ends = VaultSessionModel.vault_id, VaultSessionModel.expires_at

    async def kept() -> list[UUID]:
        async with engines.read.connect() as connection:
            return list(await connection.scalars(select(of)))

    async with engines.write.begin() as connection:
        past = {ends.key: utc_now() - timedelta(seconds=1)}
        await connection.execute(
            update(VaultSessionModel).where(of.in_([ended, held])).values(past)
        )
    if engines.write is engines.read:  # PostgreSQL, where two can write at once
        async with engines.write.begin() as connection, asyncio.timeout(5):
            await connection.execute(select(of).where(of == held).with_for_update())
            await open_vault(OpenVault(caller, opened, PASSPHRASE, 60), app)
            assert sorted(await kept()) == sorted([held, opened, opened])
    await open_vault(OpenVault(caller, opened, PASSPHRASE, 60), app)
    assert set(await kept()) == {opened}
