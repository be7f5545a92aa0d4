"""Use cases of the entries of vaults."""

from dataclasses import dataclass, field
from uuid import UUID

from symphony.application.app import Queries, Services
from symphony.application.replica_use import OnlyFromPrimary
from symphony.domain.preconditions import Precondition
from symphony.domain.vaults.entries import Content, EntryVersion
from symphony.domain.vaults.entry_service import EntryPage
from symphony.domain.vaults.sessions import UnwrappedKey, VaultCredentials, unwrap_data_key


@dataclass(frozen=True, slots=True)
class PutEntry:
    """Create or update an entry. `orchestrations.entry_writes` sets `unwrapped`, here and below."""

    credentials: VaultCredentials
    key: str = field(repr=False)
    content: Content
    precondition: Precondition
    unwrapped: UnwrappedKey | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class RestoreEntry:
    credentials: VaultCredentials
    key: str = field(repr=False)
    version: int
    precondition: Precondition
    unwrapped: UnwrappedKey | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class DeleteEntry:
    credentials: VaultCredentials
    key: str = field(repr=False)
    precondition: Precondition
    unwrapped: UnwrappedKey | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class RecountStorage:
    """Count again what a user stores, for `orchestrations.entry_writes`."""

    user_id: UUID


@dataclass(frozen=True, slots=True)
class UnwrapVaultKey:
    credentials: VaultCredentials


@dataclass(frozen=True, slots=True)
class GetEntry(OnlyFromPrimary):
    """Get the newest version of an entry, or the one with the number `version`."""

    credentials: VaultCredentials
    key: str = field(repr=False)
    version: int | None


@dataclass(frozen=True, slots=True)
class ListEntryVersions(OnlyFromPrimary):
    credentials: VaultCredentials
    key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ListEntries(OnlyFromPrimary):
    credentials: VaultCredentials
    prefix: str = field(repr=False)
    limit: int
    cursor: bytes | None


async def put_entry(command: PutEntry, services: Services) -> EntryVersion:
    """Raises: the errors of VaultEntryService, LimitReached."""
    return await services.vault_entries.put(
        command.credentials,
        command.key,
        command.content,
        command.precondition,
        command.unwrapped,
    )


async def restore_entry(command: RestoreEntry, services: Services) -> EntryVersion:
    """Raises: the errors of VaultEntryService, EntryNotFound, VersionNotFound, VersionGone,
    EntryDamaged.
    """
    return await services.vault_entries.restore(
        command.credentials,
        command.key,
        command.version,
        command.precondition,
        command.unwrapped,
    )


async def delete_entry(command: DeleteEntry, services: Services) -> None:
    """Raises: the errors of VaultEntryService, EntryNotFound."""
    await services.vault_entries.remove(
        command.credentials, command.key, command.precondition, command.unwrapped
    )


async def recount_storage(command: RecountStorage, services: Services) -> bool:
    """Return False when it was done recently."""
    return await services.vault_storage.recount(command.user_id)


async def unwrap_vault_key(query: UnwrapVaultKey, queries: Queries) -> UnwrappedKey | None:
    """Raises: the errors of EntryReader."""
    return await unwrap_data_key(
        queries.repositories.vault_sessions, queries.keyring, query.credentials
    )


async def get_entry(query: GetEntry, queries: Queries) -> tuple[EntryVersion, Content]:
    """Raises: the errors of EntryReader, EntryNotFound, VersionNotFound, VersionGone,
    EntryDamaged.
    """
    return await queries.vault_entries.get(query.credentials, query.key, query.version)


async def list_entry_versions(query: ListEntryVersions, queries: Queries) -> list[EntryVersion]:
    """Raises: the errors of EntryReader, EntryNotFound, EntryDamaged."""
    return await queries.vault_entries.versions(query.credentials, query.key)


async def list_entries(query: ListEntries, queries: Queries) -> EntryPage:
    """Raises: the errors of EntryReader, InvalidEntryCursor."""
    return await queries.vault_entries.page(
        query.credentials, query.prefix, query.limit, query.cursor
    )
