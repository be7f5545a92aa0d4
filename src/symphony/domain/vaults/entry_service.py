"""Reading and writing the entries of vaults that are open."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from symphony.domain.base import new_id, utc_now
from symphony.domain.errors import LimitReached, PreconditionFailed
from symphony.domain.unit_of_work import Repositories
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
    VersionGone,
    VersionInfo,
    VersionNotFound,
    entry_tag,
)
from symphony.domain.vaults.keys import Keyring, Tampered
from symphony.domain.vaults.sessions import VaultCredentials, data_key

if TYPE_CHECKING:
    from symphony.domain.unit_of_work import UnitOfWork

_NOUN = "entry"


@dataclass(frozen=True, slots=True)
class EntryPage:
    """A part of a list, the cursor of the next one, and the entries that could not be opened."""

    items: Sequence[EntryVersion]
    next_cursor: bytes | None
    damaged: Sequence[UUID]


@dataclass(frozen=True, slots=True)
class WriteConditions:
    """Of which states of an entry a write may start; by default of any, and of none."""

    only_new: bool = False
    only_existing: bool = False
    expected_tags: frozenset[str] | None = None
    refused_tags: frozenset[str] = frozenset()

    def require(self, entry: SealedEntry | None) -> None:
        """Raises: PreconditionFailed."""
        if entry is None:
            failed = self.only_existing or self.expected_tags is not None
        else:
            tag = entry_tag(entry.id, entry.newest)
            unexpected = self.expected_tags is not None and tag not in self.expected_tags
            failed = self.only_new or unexpected or tag in self.refused_tags
        if failed:
            raise PreconditionFailed(_NOUN, entry.newest if entry else None)


class EntryReader:
    """Reads what a credentials may.

    Each method raises NotFound for the vault, VaultLocked, VaultDamaged and MasterKeyMissing.
    """

    def __init__(
        self, repositories: Repositories, keyring: Keyring, credentials: VaultCredentials
    ) -> None:
        self._repositories = repositories
        self._keyring = keyring
        self._credentials = credentials

    async def get(self, key: str, version: int | None) -> tuple[EntryVersion, Content]:
        """Raises: EntryNotFound, VersionNotFound, VersionGone, EntryDamaged."""
        sealing = await self._sealing()
        found = sealing and await self._repositories.vault_entries.read(
            self._credentials, self._session_hash, sealing.lookup(key), version
        )
        if sealing is None or found is None:
            raise EntryNotFound
        entry, sealed = found
        try:
            sealing.key_of(entry)  # before its numbers are believed
            _require_kept(entry, version)
            shown = sealing.shown(entry, sealed)
            return shown, sealing.content(shown, sealed)
        except Tampered:
            raise EntryDamaged(self._credentials.vault_id, entry.id) from None

    async def versions(self, key: str) -> list[EntryVersion]:
        """All that are kept, the newest first. Raises: EntryNotFound, EntryDamaged."""
        sealing = await self._sealing()
        found = sealing and await self._repositories.vault_entries.versions(
            self._credentials, self._session_hash, sealing.lookup(key)
        )
        if sealing is None or found is None:
            raise EntryNotFound
        entry, versions = found
        try:
            sealing.key_of(entry)  # before its numbers are believed: they could ask for billions
            shown = [sealing.shown(entry, each) for each in versions]
        except Tampered:
            raise EntryDamaged(self._credentials.vault_id, entry.id) from None
        if [each.version for each in shown] != [*range(entry.newest, entry.oldest - 1, -1)]:
            raise EntryDamaged(self._credentials.vault_id, entry.id)
        return shown

    async def page(self, prefix: str, limit: int, cursor: bytes | None) -> EntryPage:
        """The entries whose keys begin so, by key, code point by code point.

        Raises: InvalidEntryCursor.
        """
        sealing = await self._sealing()
        if sealing is None:
            if cursor is not None:
                raise InvalidEntryCursor
            return EntryPage((), None, ())
        context = (self._credentials.user_id.bytes, prefix.encode())
        try:
            after = "" if cursor is None else sealing.open_cursor(cursor, *context)
        except Tampered:
            raise InvalidEntryCursor from None
        opened: list[EntryVersion] = []
        damaged: list[UUID] = []
        for entry, newest in await self._repositories.vault_entries.all(
            self._credentials, self._session_hash
        ):
            try:
                opened.append(sealing.shown(entry, newest))
            except Tampered:
                damaged.append(entry.id)
        wanted = sorted(
            (each for each in opened if each.key.startswith(prefix) and each.key > after),
            key=lambda each: each.key,
        )
        items = wanted[:limit]
        more = len(wanted) > limit
        next_cursor = sealing.seal_cursor(items[-1].key, *context) if more else None
        return EntryPage(items, next_cursor, damaged)

    @property
    def _session_hash(self) -> bytes | None:
        return self._credentials.session_hash(self._keyring.cryptography)

    async def _sealing(self) -> EntrySealing | None:
        key = await data_key(self._repositories, self._keyring, self._credentials)
        return None if key is None else EntrySealing(key)


class VaultEntryService:
    """The rules of writing: how many entries and versions there are, and what a write starts from.

    The vault's row is locked first, then it is looked whether the vault is open: a lock that was
    acknowledged is seen. Each method raises NotFound for the vault, VaultLocked, VaultDamaged,
    MasterKeyMissing and PreconditionFailed.
    """

    def __init__(self, uow: "UnitOfWork", keyring: Keyring) -> None:
        self._uow = uow
        self._keyring = keyring

    async def put(
        self, credentials: VaultCredentials, key: str, content: Content, conditions: WriteConditions
    ) -> EntryVersion:
        """Makes the entry or its next version; one that does not open is made anew.

        Raises: LimitReached.
        """
        sealing = await self._locked(credentials) or await self._first_key(credentials.vault_id)
        found = await self._uow.vault_entries.find(credentials.vault_id, sealing.lookup(key))
        conditions.require(found)
        if found is not None and not _opens(sealing, found):
            await self._uow.vault_entries.remove(found.id)
            found = None
        if found is not None:
            return await self._add_version(sealing, found, key, content)
        # Nobody else makes one meanwhile, for the vault's row is locked. A counter on it would be
        # one more number that somebody could alter, and one more write.
        used = await self._uow.vault_entries.count(credentials.vault_id)
        if used >= MAX_ENTRIES:
            raise LimitReached(_NOUN, limit=MAX_ENTRIES, used=used)
        entry = sealing.seal_entry(new_id(), key, newest=1, oldest=1)
        await self._uow.vault_entries.add(credentials.vault_id, entry)
        return await self._keep_version(sealing, entry, key, content)

    async def restore(
        self, credentials: VaultCredentials, key: str, version: int, conditions: WriteConditions
    ) -> EntryVersion:
        """Makes an older version the newest one once more.

        Raises: EntryNotFound, VersionNotFound, VersionGone, EntryDamaged.
        """
        sealing, entry = await self._existing(credentials, key, conditions)
        try:
            sealing.key_of(entry)
            _require_kept(entry, version)
            sealed = await self._uow.vault_entries.find_version(entry.id, version)
            content = sealing.content(sealing.shown(entry, sealed), sealed)
        except Tampered:
            raise EntryDamaged(credentials.vault_id, entry.id) from None
        return await self._add_version(sealing, entry, key, content)

    async def remove(
        self, credentials: VaultCredentials, key: str, conditions: WriteConditions
    ) -> None:
        """Removes all versions. Raises: EntryNotFound."""
        _, entry = await self._existing(credentials, key, conditions)
        await self._uow.vault_entries.remove(entry.id)

    async def _locked(self, credentials: VaultCredentials) -> EntrySealing | None:
        await self._uow.vaults.get_for_update(credentials.user_id, credentials.vault_id)
        key = await data_key(self._uow, self._keyring, credentials)
        return None if key is None else EntrySealing(key)

    async def _first_key(self, vault_id: UUID) -> EntrySealing:
        key = self._keyring.new_key(vault_id)
        await self._uow.vault_keys.add(self._keyring.wrap(key))
        return EntrySealing(key)

    async def _existing(
        self, credentials: VaultCredentials, key: str, conditions: WriteConditions
    ) -> tuple[EntrySealing, SealedEntry]:
        sealing = await self._locked(credentials)
        entry = sealing and await self._uow.vault_entries.find(
            credentials.vault_id, sealing.lookup(key)
        )
        if sealing is None or entry is None:
            raise EntryNotFound
        conditions.require(entry)
        return sealing, entry

    async def _add_version(
        self, sealing: EntrySealing, entry: SealedEntry, key: str, content: Content
    ) -> EntryVersion:
        newest = entry.newest + 1
        oldest = max(entry.oldest, newest - MAX_VERSIONS + 1)
        changed = sealing.seal_entry(entry.id, key, newest, oldest)
        await self._uow.vault_entries.save(changed)
        return await self._keep_version(sealing, changed, key, content)

    async def _keep_version(
        self, sealing: EntrySealing, entry: SealedEntry, key: str, content: Content
    ) -> EntryVersion:
        facts = VersionInfo(content.content_type, content.encoding, len(content.data), utc_now())
        shown = EntryVersion(entry.id, key, entry.newest, facts)
        sealed = sealing.seal_version(shown, content.data)
        await self._uow.vault_entries.add_version(entry.id, sealed)
        return shown


def _opens(sealing: EntrySealing, entry: SealedEntry) -> bool:
    try:
        sealing.key_of(entry)
    except Tampered:
        return False
    return True


def _require_kept(entry: SealedEntry, version: int | None) -> None:
    """Raises: VersionNotFound, VersionGone."""
    if version is not None and version > entry.newest:
        raise VersionNotFound
    if version is not None and version < entry.oldest:
        raise VersionGone
