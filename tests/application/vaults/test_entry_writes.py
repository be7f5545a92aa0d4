"""A write unwraps the vault's key once, and checks the lock again when it has locked the row."""

from collections import Counter
from dataclasses import dataclass, replace
from uuid import UUID

import pytest

from symphony.application.app import Application
from symphony.application.callers import Caller
from symphony.application.orchestrations import entry_writes
from symphony.application.orchestrations.vault_creation import (
    CreateProtectedVault,
    create_protected_vault,
)
from symphony.application.orchestrations.vault_unlocking import OpenVault, open_vault
from symphony.application.vaults.entries import (
    DeleteEntry,
    GetEntry,
    PutEntry,
    RestoreEntry,
    UnwrapVaultKey,
    get_entry,
    put_entry,
    unwrap_vault_key,
)
from symphony.application.vaults.vaults import CreateVault, LockVault, create_vault, lock_vault
from symphony.application.workspaces import CreateWorkspace, create_workspace
from symphony.domain.api_tokens import Scope
from symphony.domain.preconditions import Precondition
from symphony.domain.reach import Reach
from symphony.domain.vaults.entries import Content, Encoding
from symphony.domain.vaults.keys import Keyring
from symphony.domain.vaults.sessions import UnwrappedKey, VaultCredentials
from symphony.domain.vaults.vaults import Protection, VaultLocked
from symphony.infrastructure.vaults.sealing import AesGcmSealing

TOKEN = b"t" * 32
PASSPHRASE = "a horse, a battery and a staple"
CONTENT = Content(b"secret", "text/plain", Encoding.UTF_8)


class CountingSealing(AesGcmSealing):
    """Counts what it opens, by purpose."""

    def __init__(self) -> None:
        self.opened = Counter[str]()

    def open(self, key: bytes, sealed: bytes, purpose: str, *associated_data: bytes) -> bytes:
        self.opened[purpose] += 1
        return super().open(key, sealed, purpose, *associated_data)


@dataclass(frozen=True, slots=True)
class UnlockedVault:
    app: Application
    credentials: VaultCredentials
    sealing: CountingSealing

    def put(self) -> PutEntry:
        return PutEntry(self.credentials, "a", CONTENT, Precondition())

    async def unwrap(self) -> UnwrappedKey | None:
        return await self.app.ask(unwrap_vault_key, UnwrapVaultKey(self.credentials))

    def unwrapped(self) -> int:
        """How often the data key was unwrapped since the last call."""
        number = self.sealing.opened["data key"] + self.sealing.opened["session"]
        self.sealing.opened.clear()
        return number


@pytest.fixture(params=Protection)
async def vault(app: Application, ada: UUID, request: pytest.FixtureRequest) -> UnlockedVault:
    """An unlocked vault with the entry `a`."""
    sealing = CountingSealing()
    app = replace(app, keyring=Keyring(sealing, app.keyring.master_keys))
    workspace = await app.run(create_workspace, CreateWorkspace(Reach(ada), ada, "Thesis"))
    command = CreateVault(Reach(ada), workspace.id, "v", "/v")
    session = None
    if request.param is Protection.NONE:
        created = await app.run(create_vault, command)
    else:
        protected = CreateProtectedVault(command, request.param, PASSPHRASE)
        created = (await create_protected_vault(protected, app)).result
        caller = Caller(ada, frozenset(Scope), TOKEN, None)
        session = (await open_vault(OpenVault(caller, created.id, PASSPHRASE, 60), app)).session
    found = UnlockedVault(app, VaultCredentials(Reach(ada), created.id, TOKEN, session), sealing)
    await entry_writes.put_entry(found.put(), app)
    found.unwrapped()
    return found


async def test_each_write_unwraps_the_key_once(vault: UnlockedVault) -> None:
    anything = Precondition()
    await entry_writes.put_entry(vault.put(), vault.app)
    assert vault.unwrapped() == 1
    restore = RestoreEntry(vault.credentials, "a", 1, anything)
    await entry_writes.restore_entry(restore, vault.app)
    assert vault.unwrapped() == 1
    await entry_writes.delete_entry(DeleteEntry(vault.credentials, "a", anything), vault.app)
    assert vault.unwrapped() == 1


async def test_a_lock_after_the_key_was_unwrapped_refuses_the_write(vault: UnlockedVault) -> None:
    unwrapped = await vault.unwrap()
    assert unwrapped
    lock = LockVault(vault.credentials.reach, vault.credentials.vault_id)
    await vault.app.run(lock_vault, lock)
    with pytest.raises(VaultLocked):
        await vault.app.run(put_entry, replace(vault.put(), unwrapped=unwrapped))


async def test_a_key_whose_record_has_changed_is_unwrapped_again(vault: UnlockedVault) -> None:
    unwrapped = await vault.unwrap()
    assert unwrapped
    stale = replace(unwrapped, record=replace(unwrapped.record, wrapped=b"before"))
    vault.unwrapped()
    await vault.app.run(put_entry, replace(vault.put(), unwrapped=stale))
    assert vault.unwrapped() == 1
    version, content = await vault.app.ask(get_entry, GetEntry(vault.credentials, "a", None))
    assert (version.version, content) == (2, CONTENT)


@pytest.mark.parametrize("vault", [Protection.PASSPHRASE], indirect=True)
async def test_an_unknown_session_is_refused_before_the_write_starts(vault: UnlockedVault) -> None:
    for credentials in (
        replace(vault.credentials, session="symv_unknown"),
        replace(vault.credentials, token_hash=b"o" * 32),
    ):
        with pytest.raises(VaultLocked):
            await vault.app.ask(unwrap_vault_key, UnwrapVaultKey(credentials))
        with pytest.raises(VaultLocked):
            await vault.app.run(put_entry, replace(vault.put(), credentials=credentials))
