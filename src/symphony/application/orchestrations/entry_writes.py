"""Writes of entries: a write to a locked vault is refused before it waits for other writes.

The vault can be locked after that, so the write checks again after it has locked the vault's row.
It reuses the data key if the record from which it was unwrapped is still the same.

A write beyond a limit of storage is refused for what is stored, not for what was counted: it runs
again after the bytes of the user were counted again, which is done once an hour at most.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TypeVar

from symphony.application.app import Application, Services
from symphony.application.vaults import entries
from symphony.application.vaults.entries import (
    DeleteEntry,
    PutEntry,
    RecountStorage,
    RestoreEntry,
    UnwrapVaultKey,
    recount_storage,
    unwrap_vault_key,
)
from symphony.domain.vaults.entries import EntryVersion
from symphony.domain.vaults.storage import StorageLimitReached

WriteT = TypeVar("WriteT", PutEntry, RestoreEntry)


async def put_entry(command: PutEntry, app: Application) -> EntryVersion:
    """Raises: what `entries.put_entry` raises."""
    unwrapped = await app.ask(unwrap_vault_key, UnwrapVaultKey(command.credentials))
    return await _stored(entries.put_entry, replace(command, unwrapped=unwrapped), app)


async def restore_entry(command: RestoreEntry, app: Application) -> EntryVersion:
    """Raises: what `entries.restore_entry` raises."""
    unwrapped = await app.ask(unwrap_vault_key, UnwrapVaultKey(command.credentials))
    return await _stored(entries.restore_entry, replace(command, unwrapped=unwrapped), app)


async def delete_entry(command: DeleteEntry, app: Application) -> None:
    """Raises: what `entries.delete_entry` raises."""
    unwrapped = await app.ask(unwrap_vault_key, UnwrapVaultKey(command.credentials))
    await app.run(entries.delete_entry, replace(command, unwrapped=unwrapped))


async def _stored(
    handler: Callable[[WriteT, Services], Awaitable[EntryVersion]],
    command: WriteT,
    app: Application,
) -> EntryVersion:
    try:
        return await app.run(handler, command)
    except StorageLimitReached:
        recount = RecountStorage(command.credentials.reach.user_id)
        if not await app.run(recount_storage, recount):
            raise
    return await app.run(handler, command)
