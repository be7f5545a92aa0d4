"""A lock is seen by whoever was let in before it and reads after it."""

from uuid import UUID

import pytest

from symphony.application.app import Application
from symphony.application.authentication import Caller
from symphony.application.vault_locks import OpenVault, open_vault, protected
from symphony.application.vaults import CreateVault, LockVault, create_vault, lock_vault
from symphony.application.workspaces import CreateWorkspace, create_workspace
from symphony.domain.api_tokens import Scope
from symphony.domain.unit_of_work import Repositories
from symphony.domain.vault_access import Visitor, data_key
from symphony.domain.vaults import Protection, VaultLocked

TOKEN = b"t" * 32
PASSPHRASE = "a horse, a battery and a staple"


@pytest.mark.parametrize("protection", Protection)
async def test_who_has_opened_the_key_reads_nothing_after_a_lock(
    app: Application, ada: UUID, protection: Protection
) -> None:
    workspace = await app.run(create_workspace, CreateWorkspace(ada, ada, "Thesis"))
    command = CreateVault(ada, workspace.id, "v", "/v")
    session = None
    if protection is Protection.PASSPHRASE:
        command = await protected(command, protection, PASSPHRASE, app)
    vault = await app.run(create_vault, command)
    if protection is Protection.PASSPHRASE:
        caller = Caller(ada, frozenset(Scope), TOKEN, None)
        session = (await open_vault(OpenVault(caller, vault.id, PASSPHRASE, 60), app)).session
    visitor = Visitor(ada, vault.id, TOKEN, session)
    session_hash = visitor.session_hash(app.keyring.cryptography)

    async def read_late(visitor: Visitor, repositories: Repositories) -> None:
        await data_key(repositories, app.keyring, visitor)
        await app.run(lock_vault, LockVault(ada, vault.id))
        entries = repositories.vault_entries
        for read in (
            entries.read(visitor, session_hash, b"lookup", None),
            entries.versions(visitor, session_hash, b"lookup"),
            entries.all(visitor, session_hash),
        ):
            with pytest.raises(VaultLocked):
                await read

    await app.ask(read_late, visitor)
