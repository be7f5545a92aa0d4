"""Writes of entries: a write to a locked vault is refused before it waits for other writes.

The vault can be locked after that, so the write checks again after it has locked the vault's row.
It reuses the data key if the record from which it was unwrapped is still the same.
"""

from dataclasses import replace

from symphony.application.app import Application
from symphony.application.vaults import entries
from symphony.application.vaults.entries import (
    DeleteEntry,
    PutEntry,
    RestoreEntry,
    UnwrapVaultKey,
    unwrap_vault_key,
)
from symphony.domain.vaults.entries import EntryVersion


async def put_entry(command: PutEntry, app: Application) -> EntryVersion:
    """Raises: what `entries.put_entry` raises."""
    unwrapped = await app.ask(unwrap_vault_key, UnwrapVaultKey(command.credentials))
    return await app.run(entries.put_entry, replace(command, unwrapped=unwrapped))


async def restore_entry(command: RestoreEntry, app: Application) -> EntryVersion:
    """Raises: what `entries.restore_entry` raises."""
    unwrapped = await app.ask(unwrap_vault_key, UnwrapVaultKey(command.credentials))
    return await app.run(entries.restore_entry, replace(command, unwrapped=unwrapped))


async def delete_entry(command: DeleteEntry, app: Application) -> None:
    """Raises: what `entries.delete_entry` raises."""
    unwrapped = await app.ask(unwrap_vault_key, UnwrapVaultKey(command.credentials))
    await app.run(entries.delete_entry, replace(command, unwrapped=unwrapped))
