"""Services to read and write the entries of unlocked vaults."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from symphony.domain.base import new_id, utc_now
from symphony.domain.errors import LimitReached, PreconditionFailed
from symphony.domain.preconditions import Precondition
from symphony.domain.vaults.entries import (
    MAX_ENTRIES,
    MAX_VERSIONS,
    Content,
    EntryDamaged,
    EntryNotFound,
    EntrySealing,
    EntryVersion,
    InvalidEntryCursor,
    SealedEntry,
    SealedVersion,
    VaultEntryRepository,
    VersionFacts,
    VersionGone,
    VersionNotFound,
    entry_tag,
)
from symphony.domain.vaults.keys import Keyring, Tampered, VaultKeyRepository
from symphony.domain.vaults.sessions import (
    UnwrappedKey,
    VaultCredentials,
    VaultSessionRepository,
    unwrap_data_key,
)
from symphony.domain.vaults.storage import VaultStorage
from symphony.domain.vaults.vaults import VaultRepository

_NOUN = "entry"


@dataclass(frozen=True, slots=True)
class EntryPage:
    """A part of a list, the cursor of the next part, and the ids of entries tampered with."""

    items: Sequence[EntryVersion]
    next_cursor: bytes | None
    damaged: Sequence[UUID]


class EntryReader:
    """Reads of the entries of vaults that are unlocked for the given credentials.

    Each method raises NotFound for the vault, VaultLocked, VaultDamaged and MasterKeyMissing.
    """

    def __init__(
        self,
        vault_entries: VaultEntryRepository,
        vault_sessions: VaultSessionRepository,
        keyring: Keyring,
    ) -> None:
        self._vault_entries = vault_entries
        self._vault_sessions = vault_sessions
        self._keyring = keyring

    async def get(
        self, credentials: VaultCredentials, key: str, version: int | None
    ) -> tuple[EntryVersion, Content]:
        """Raises: EntryNotFound, VersionNotFound, VersionGone, EntryDamaged."""
        sealing = await self._sealing(credentials)
        found = sealing and await self._vault_entries.read(
            credentials, self._session_hash(credentials), sealing.lookup(key), version
        )
        if sealing is None or found is None:
            raise EntryNotFound
        entry, sealed = found
        try:
            sealing.key_of(entry)  # first, because its numbers may be tampered with
            _require_stored(entry, version)
            opened = sealing.open_version(entry, sealed)
            return opened, sealing.open_content(opened, sealed)
        except Tampered:
            raise EntryDamaged(credentials.vault_id, entry.id) from None

    async def versions(self, credentials: VaultCredentials, key: str) -> list[EntryVersion]:
        """List all stored versions, the newest first. Raises: EntryNotFound, EntryDamaged."""
        sealing = await self._sealing(credentials)
        found = sealing and await self._vault_entries.versions(
            credentials, self._session_hash(credentials), sealing.lookup(key)
        )
        if sealing is None or found is None:
            raise EntryNotFound
        entry, versions = found
        try:
            sealing.key_of(entry)  # first: tampered numbers could claim billions of versions
            opened = [sealing.open_version(entry, each) for each in versions]
        except Tampered:
            raise EntryDamaged(credentials.vault_id, entry.id) from None
        if [each.version for each in opened] != [*range(entry.newest, entry.oldest - 1, -1)]:
            raise EntryDamaged(credentials.vault_id, entry.id)
        return opened

    async def page(
        self, credentials: VaultCredentials, prefix: str, limit: int, cursor: bytes | None
    ) -> EntryPage:
        """List the entries whose keys start with the prefix, sorted by code points of the keys.

        Raises: InvalidEntryCursor.
        """
        sealing = await self._sealing(credentials)
        if sealing is None:
            if cursor is not None:
                raise InvalidEntryCursor
            return EntryPage((), None, ())
        context = (credentials.reach.user_id.bytes, prefix.encode())
        try:
            after = "" if cursor is None else sealing.open_cursor(cursor, *context)
        except Tampered:
            raise InvalidEntryCursor from None
        opened: list[EntryVersion] = []
        damaged: list[UUID] = []
        for entry, newest in await self._vault_entries.all(
            credentials, self._session_hash(credentials)
        ):
            try:
                opened.append(sealing.open_version(entry, newest))
            except Tampered:
                damaged.append(entry.id)
        matching = sorted(
            (each for each in opened if each.key.startswith(prefix) and each.key > after),
            key=lambda each: each.key,
        )
        items = matching[:limit]
        has_more = len(matching) > limit
        next_cursor = sealing.seal_cursor(items[-1].key, *context) if has_more else None
        return EntryPage(items, next_cursor, damaged)

    def _session_hash(self, credentials: VaultCredentials) -> bytes | None:
        return credentials.session_hash(self._keyring.cryptography)

    async def _sealing(self, credentials: VaultCredentials) -> EntrySealing | None:
        key = await unwrap_data_key(self._vault_sessions, self._keyring, credentials)
        return None if key is None else EntrySealing(key.data_key)


class VaultEntryService:
    """The rules of writes of entries: limits of entries, versions and storage, and preconditions.

    Each method locks the vault's row first (before it the user's, if it adds an entry or a
    version), and then checks that the vault is unlocked, so no write starts after a lock was
    acknowledged. `key` is the vault's key if the caller has already
    unwrapped it.

    Each method raises NotFound for the vault, VaultLocked, VaultDamaged, MasterKeyMissing and
    PreconditionFailed.
    """

    def __init__(
        self,
        vault_entries: VaultEntryRepository,
        vaults: VaultRepository,
        vault_keys: VaultKeyRepository,
        vault_sessions: VaultSessionRepository,
        storage: VaultStorage,
        keyring: Keyring,
    ) -> None:
        self._vault_entries = vault_entries
        self._vaults = vaults
        self._storage = storage
        self._vault_keys = vault_keys
        self._vault_sessions = vault_sessions
        self._keyring = keyring

    async def put(
        self,
        credentials: VaultCredentials,
        entry_key: str,
        content: Content,
        precondition: Precondition,
        key: UnwrappedKey | None = None,
    ) -> EntryVersion:
        """Create an entry or its next version; replace an entry that was tampered with.

        Raises: LimitReached.
        """
        vault_id = credentials.vault_id
        await self._storage.lock(credentials.reach.user_id)
        sealing = await self._lock_vault(credentials, key) or await self._create_key(vault_id)
        found = await self._vault_entries.find(vault_id, sealing.lookup(entry_key))
        _require(precondition, found)
        freed = 0
        if found is not None and not _can_open(sealing, found):
            freed = await self._vault_entries.remove(found.id)
            found = None
        if found is not None:
            return await self._add_version(credentials, sealing, found, entry_key, content)
        # The lock on the vault's row prevents that other units of work add entries. A counter in
        # the row would cost another write, and would be another number to tamper with.
        used = await self._vault_entries.count(vault_id)
        if used >= MAX_ENTRIES:
            raise LimitReached(_NOUN, limit=MAX_ENTRIES, used=used)
        entry = sealing.seal_entry(new_id(), entry_key, newest=1, oldest=1)
        version, sealed = _sealed(sealing, entry, entry_key, content)
        added = entry.stored_bytes + sealed.stored_bytes
        await self._storage.replace(credentials.reach.user_id, vault_id, added=added, freed=freed)
        await self._vault_entries.add(vault_id, entry)
        await self._vault_entries.add_version(entry.id, sealed)
        return version

    async def restore(
        self,
        credentials: VaultCredentials,
        entry_key: str,
        version: int,
        precondition: Precondition,
        key: UnwrappedKey | None = None,
    ) -> EntryVersion:
        """Create the next version with the content of an older one.

        Raises: EntryNotFound, VersionNotFound, VersionGone, EntryDamaged, LimitReached.
        """
        await self._storage.lock(credentials.reach.user_id)
        sealing, entry = await self._lock_entry(credentials, entry_key, precondition, key)
        try:
            sealing.key_of(entry)
            _require_stored(entry, version)
            sealed = await self._vault_entries.find_version(entry.id, version)
            content = sealing.open_content(sealing.open_version(entry, sealed), sealed)
        except Tampered:
            raise EntryDamaged(credentials.vault_id, entry.id) from None
        return await self._add_version(credentials, sealing, entry, entry_key, content)

    async def remove(
        self,
        credentials: VaultCredentials,
        entry_key: str,
        precondition: Precondition,
        key: UnwrappedKey | None = None,
    ) -> None:
        """Remove an entry with all its versions. Raises: EntryNotFound."""
        _, entry = await self._lock_entry(credentials, entry_key, precondition, key)
        freed = await self._vault_entries.remove(entry.id)
        await self._storage.free(credentials.vault_id, freed)

    async def _lock_vault(
        self, credentials: VaultCredentials, key: UnwrappedKey | None
    ) -> EntrySealing | None:
        await self._vaults.get_for_update(credentials.reach, credentials.vault_id)
        current = await unwrap_data_key(self._vault_sessions, self._keyring, credentials, key)
        return None if current is None else EntrySealing(current.data_key)

    async def _create_key(self, vault_id: UUID) -> EntrySealing:
        data_key = self._keyring.new_key(vault_id)
        await self._vault_keys.add(self._keyring.wrap(data_key))
        return EntrySealing(data_key)

    async def _lock_entry(
        self,
        credentials: VaultCredentials,
        entry_key: str,
        precondition: Precondition,
        key: UnwrappedKey | None,
    ) -> tuple[EntrySealing, SealedEntry]:
        sealing = await self._lock_vault(credentials, key)
        entry = sealing and await self._vault_entries.find(
            credentials.vault_id, sealing.lookup(entry_key)
        )
        if sealing is None or entry is None:
            raise EntryNotFound
        _require(precondition, entry)
        return sealing, entry

    async def _add_version(
        self,
        credentials: VaultCredentials,
        sealing: EntrySealing,
        entry: SealedEntry,
        entry_key: str,
        content: Content,
    ) -> EntryVersion:
        newest = entry.newest + 1
        oldest = max(entry.oldest, newest - MAX_VERSIONS + 1)
        updated = sealing.seal_entry(entry.id, entry_key, newest, oldest)
        version, sealed = _sealed(sealing, updated, entry_key, content)
        freed = await self._vault_entries.save(updated)
        await self._storage.replace(
            credentials.reach.user_id, credentials.vault_id, added=sealed.stored_bytes, freed=freed
        )
        await self._vault_entries.add_version(entry.id, sealed)
        return version


def _sealed(
    sealing: EntrySealing, entry: SealedEntry, entry_key: str, content: Content
) -> tuple[EntryVersion, SealedVersion]:
    """Return the newest version of an entry, and the same sealed, with the content."""
    facts = VersionFacts(content.content_type, content.encoding, len(content.data), utc_now())
    version = EntryVersion(entry.id, entry_key, entry.newest, facts)
    return version, sealing.seal_version(version, content.data)


def _can_open(sealing: EntrySealing, entry: SealedEntry) -> bool:
    try:
        sealing.key_of(entry)
    except Tampered:
        return False
    return True


def _require(precondition: Precondition, entry: SealedEntry | None) -> None:
    """Raises: PreconditionFailed."""
    tag = None if entry is None else entry_tag(entry.id, entry.newest)
    if not precondition.accepts(tag):
        raise PreconditionFailed(_NOUN, entry.newest if entry else None)


def _require_stored(entry: SealedEntry, version: int | None) -> None:
    """Raises: VersionNotFound, VersionGone."""
    if version is not None and version > entry.newest:
        raise VersionNotFound
    if version is not None and version < entry.oldest:
        raise VersionGone
