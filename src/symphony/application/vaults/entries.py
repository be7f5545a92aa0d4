"""Use cases of the entries of vaults."""

from dataclasses import dataclass, field
from functools import partial

from symphony.application.app import Application, Services
from symphony.domain.unit_of_work import Repositories
from symphony.domain.vaults.entries import Content, EntryVersion
from symphony.domain.vaults.entry_service import EntryPage, EntryReader, WriteConditions
from symphony.domain.vaults.keys import DataKey, Keyring
from symphony.domain.vaults.sessions import VaultCredentials, data_key


@dataclass(frozen=True, slots=True)
class PutEntry:
    credentials: VaultCredentials
    key: str = field(repr=False)
    content: Content
    conditions: WriteConditions


@dataclass(frozen=True, slots=True)
class RestoreEntry:
    credentials: VaultCredentials
    key: str = field(repr=False)
    version: int
    conditions: WriteConditions


@dataclass(frozen=True, slots=True)
class DeleteEntry:
    credentials: VaultCredentials
    key: str = field(repr=False)
    conditions: WriteConditions


@dataclass(frozen=True, slots=True)
class GetEntry:
    """`version` is an older one; None stands for the newest."""

    credentials: VaultCredentials
    key: str = field(repr=False)
    version: int | None


@dataclass(frozen=True, slots=True)
class ListVersions:
    credentials: VaultCredentials
    key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ListEntries:
    credentials: VaultCredentials
    prefix: str = field(repr=False)
    limit: int
    cursor: bytes | None


async def put_entry(command: PutEntry, app: Application) -> EntryVersion:
    """Raises: what writing raises, LimitReached."""
    await _require_open(command.credentials, app)
    return await app.run(_put_entry, command)


async def restore_entry(command: RestoreEntry, app: Application) -> EntryVersion:
    """Raises: what writing raises, EntryNotFound, VersionNotFound, VersionGone, EntryDamaged."""
    await _require_open(command.credentials, app)
    return await app.run(_restore_entry, command)


async def delete_entry(command: DeleteEntry, app: Application) -> None:
    """Raises: what writing raises, EntryNotFound."""
    await _require_open(command.credentials, app)
    await app.run(_delete_entry, command)


async def get_entry(query: GetEntry, app: Application) -> tuple[EntryVersion, Content]:
    """Raises: what reading raises, EntryNotFound, VersionNotFound, VersionGone, EntryDamaged."""
    return await app.ask(partial(_get, app.keyring), query)


async def list_versions(query: ListVersions, app: Application) -> list[EntryVersion]:
    """Raises: what reading raises, EntryNotFound, EntryDamaged."""
    return await app.ask(partial(_versions, app.keyring), query)


async def list_entries(query: ListEntries, app: Application) -> EntryPage:
    """Raises: what reading raises, InvalidEntryCursor."""
    return await app.ask(partial(_list, app.keyring), query)


async def _require_open(credentials: VaultCredentials, app: Application) -> None:
    """Whoever comes to a locked vault is told so without a wait for those who write.

    It may be locked before the write begins, so the write looks again.
    """
    await app.ask(partial(_data_key, app.keyring), credentials)


async def _data_key(
    keyring: Keyring, credentials: VaultCredentials, repositories: Repositories
) -> DataKey | None:
    return await data_key(repositories, keyring, credentials)


async def _put_entry(command: PutEntry, services: Services) -> EntryVersion:
    return await services.vault_entries.put(
        command.credentials, command.key, command.content, command.conditions
    )


async def _restore_entry(command: RestoreEntry, services: Services) -> EntryVersion:
    return await services.vault_entries.restore(
        command.credentials, command.key, command.version, command.conditions
    )


async def _delete_entry(command: DeleteEntry, services: Services) -> None:
    await services.vault_entries.remove(command.credentials, command.key, command.conditions)


async def _get(
    keyring: Keyring, query: GetEntry, repositories: Repositories
) -> tuple[EntryVersion, Content]:
    return await EntryReader(repositories, keyring, query.credentials).get(query.key, query.version)


async def _versions(
    keyring: Keyring, query: ListVersions, repositories: Repositories
) -> list[EntryVersion]:
    return await EntryReader(repositories, keyring, query.credentials).versions(query.key)


async def _list(keyring: Keyring, query: ListEntries, repositories: Repositories) -> EntryPage:
    reader = EntryReader(repositories, keyring, query.credentials)
    return await reader.page(query.prefix, query.limit, query.cursor)
