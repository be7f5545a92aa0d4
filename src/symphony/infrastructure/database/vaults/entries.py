"""The entries of vaults; each read checks in the same statement that the vault is unlocked."""

from collections.abc import Sequence
from typing import Any, cast
from uuid import UUID

from sqlalchemy import (
    BindParameter,
    Integer,
    Select,
    Table,
    and_,
    bindparam,
    delete,
    func,
    insert,
    not_,
    or_,
    select,
    update,
)

from symphony.domain.errors import NotFound
from symphony.domain.vaults.entries import SealedEntry, SealedVersion, VaultEntryRepository
from symphony.domain.vaults.sessions import VaultCredentials
from symphony.domain.vaults.vaults import Protection, Vault, VaultLocked
from symphony.infrastructure.database.connection import Connection
from symphony.infrastructure.database.entity_mapping import ENTITY_ID
from symphony.infrastructure.database.mappings import VAULTS, WORKSPACES
from symphony.infrastructure.database.reach import (
    Because,
    StatementT,
    reach_parameters,
    without_reach,
)
from symphony.infrastructure.database.sqlalchemy_internals import Rows
from symphony.infrastructure.database.vaults.lock_state import IS_LOCKED, has_session
from symphony.infrastructure.database.vaults.models import (
    VaultEntryModel,
    VaultEntryVersionModel,
    VaultSessionModel,
)
from symphony.infrastructure.database.vaults.storage_counters import ENTRY_BYTES, VERSION_BYTES

_entry_table = cast("Table", VaultEntryModel.__table__)
_version_table = cast("Table", VaultEntryVersionModel.__table__)
_vaults = VAULTS.table.c
_entries = _entry_table.c
_versions = _version_table.c
_sessions = VaultSessionModel.__table__.c

_VAULT_ID = bindparam("vault_id", type_=_vaults.id.type)
_LOOKUP = bindparam("own_lookup", type_=_entries.lookup.type)
_SESSION_HASH = bindparam("own_session", type_=_sessions.session_hash.type)
_VERSION = bindparam("own_version", type_=Integer())
_ENTRY = (_entries.id, _entries.lookup, _entries.newest, _entries.oldest, _entries.sealed)

# The service has verified the session before; this checks that it has not expired since.
_IS_OPEN = and_(
    not_(IS_LOCKED),
    or_(_vaults.protection == Protection.NONE, has_session(_SESSION_HASH)),
)


def _read(*columns: Any, by_key: bool, versions: Any) -> Select[*tuple[Any, ...]]:
    """Select whether a caller's vault is unlocked, and its entries with versions, or nulls."""
    is_of_vault = _entries.vault_id == _vaults.id
    is_wanted = and_(is_of_vault, _entries.lookup == _LOOKUP) if by_key else is_of_vault
    return (
        select(_IS_OPEN, *_ENTRY, _versions.version, *columns)
        .select_from(VAULTS.table)
        .join(WORKSPACES.table)
        .outerjoin(_entry_table, is_wanted)
        .outerjoin(_version_table, and_(_versions.entry_id == _entries.id, *versions))
        .where(_vaults.id == _VAULT_ID, VAULTS.is_reached)
    )


def _in_locked_vault(statement: StatementT) -> StatementT:
    return without_reach(statement, Because.VAULT_IS_LOCKED)


_IS_NEWEST = (_versions.version == _entries.newest,)
_ONE = _read(
    _versions.facts,
    _versions.content,
    by_key=True,
    versions=(_versions.version == func.coalesce(_VERSION, _entries.newest),),
)
_HISTORY = _read(_versions.facts, by_key=True, versions=()).order_by(_versions.version.desc())
_ALL = _read(_versions.facts, by_key=False, versions=_IS_NEWEST)

_COUNT = _in_locked_vault(
    select(func.count()).select_from(_entry_table).where(_entries.vault_id == _VAULT_ID)
)
_FIND = _in_locked_vault(
    select(*_ENTRY).where(_entries.vault_id == _VAULT_ID, _entries.lookup == _LOOKUP)
)
_FIND_VERSION = _in_locked_vault(
    select(_versions.version, _versions.facts, _versions.content).where(
        _versions.entry_id == ENTITY_ID, _versions.version == _VERSION
    )
)
_NEW: dict[str, BindParameter[Any]] = {
    column.key: bindparam(f"new_{column.key}") for column in _ENTRY
}
_ADD = _in_locked_vault(insert(_entry_table).values(_NEW | {"vault_id": _VAULT_ID}))
_SAVE = _in_locked_vault(update(_entry_table).where(_entries.id == ENTITY_ID).values(_NEW))
# Versions from the newest on exist only if they were written by other means than this service.
_REMOVE_OTHER_VERSIONS = _in_locked_vault(
    delete(_version_table)
    .where(
        _versions.entry_id == ENTITY_ID,
        or_(
            _versions.version < bindparam("own_oldest"),
            _versions.version >= bindparam("own_newest"),
        ),
    )
    .returning(VERSION_BYTES)
)
_ADD_VERSION = _in_locked_vault(
    insert(_version_table).values(
        entry_id=ENTITY_ID,
        version=_VERSION,
        facts=bindparam("new_facts"),
        content=bindparam("new_content"),
    )
)
_REMOVE_VERSIONS = _in_locked_vault(
    delete(_version_table).where(_versions.entry_id == ENTITY_ID).returning(VERSION_BYTES)
)
_REMOVE = _in_locked_vault(
    delete(_entry_table).where(_entries.id == ENTITY_ID).returning(ENTRY_BYTES)
)


class SqlAlchemyVaultEntries(VaultEntryRepository):
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def read(
        self,
        credentials: VaultCredentials,
        session_hash: bytes | None,
        lookup: bytes,
        version: int | None,
    ) -> tuple[SealedEntry, SealedVersion | None] | None:
        parameters = {"own_lookup": lookup, "own_version": version}
        rows = await self._rows(_ONE, credentials, session_hash, parameters)
        return (_entry(rows[0]), _version(rows[0])) if rows else None

    async def versions(
        self, credentials: VaultCredentials, session_hash: bytes | None, lookup: bytes
    ) -> tuple[SealedEntry, Sequence[SealedVersion]] | None:
        rows = await self._rows(_HISTORY, credentials, session_hash, {"own_lookup": lookup})
        versions = [each for each in map(_version, rows) if each]
        return (_entry(rows[0]), versions) if rows else None

    async def all(
        self, credentials: VaultCredentials, session_hash: bytes | None
    ) -> Sequence[tuple[SealedEntry, SealedVersion | None]]:
        rows = await self._rows(_ALL, credentials, session_hash, {})
        return [(_entry(row), _version(row)) for row in rows]

    async def count(self, vault_id: UUID) -> int:
        return (await self._connection.fetch(_COUNT, {"vault_id": vault_id}))[0][0]

    async def find(self, vault_id: UUID, lookup: bytes) -> SealedEntry | None:
        rows = await self._connection.fetch(_FIND, {"vault_id": vault_id, "own_lookup": lookup})
        return SealedEntry(*rows[0]) if rows else None

    async def find_version(self, entry_id: UUID, version: int) -> SealedVersion | None:
        parameters = {"entity_id": entry_id, "own_version": version}
        rows = await self._connection.fetch(_FIND_VERSION, parameters)
        return SealedVersion(*rows[0]) if rows else None

    async def add(self, vault_id: UUID, entry: SealedEntry) -> None:
        await self._connection.fetch(_ADD, _values(entry) | {"vault_id": vault_id})

    async def save(self, entry: SealedEntry) -> int:
        parameters = {"entity_id": entry.id}
        await self._connection.fetch(_SAVE, _values(entry) | parameters)
        kept = {"own_oldest": entry.oldest, "own_newest": entry.newest}
        return _sum(await self._connection.fetch(_REMOVE_OTHER_VERSIONS, parameters | kept))

    async def add_version(self, entry_id: UUID, version: SealedVersion) -> None:
        values = {"new_facts": version.facts, "new_content": version.content}
        parameters = {"entity_id": entry_id, "own_version": version.version}
        await self._connection.fetch(_ADD_VERSION, parameters | values)

    async def remove(self, entry_id: UUID) -> int:
        parameters = {"entity_id": entry_id}
        versions = await self._connection.fetch(_REMOVE_VERSIONS, parameters)
        return _sum(versions) + _sum(await self._connection.fetch(_REMOVE, parameters))

    async def _rows(
        self,
        statement: Select[*tuple[Any, ...]],
        credentials: VaultCredentials,
        session_hash: bytes | None,
        parameters: dict[str, Any],
    ) -> Rows:
        """Return the rows that have an entry. Raises: NotFound for the vault, VaultLocked."""
        access = reach_parameters(credentials.reach)
        access |= {"vault_id": credentials.vault_id, "own_session": session_hash}
        rows = await self._connection.fetch(statement, access | parameters)
        if not rows:
            raise NotFound(Vault.noun, credentials.vault_id)
        if not rows[0][0]:
            raise VaultLocked
        return [row for row in rows if row[1] is not None]


def _entry(row: Sequence[Any]) -> SealedEntry:
    return SealedEntry(*row[1:6])


def _version(row: Sequence[Any]) -> SealedVersion | None:
    return SealedVersion(*row[6:]) if row[6] is not None else None


def _sum(rows: Rows) -> int:
    return sum(row[0] for row in rows)


def _values(entry: SealedEntry) -> dict[str, Any]:
    return {f"new_{column.key}": getattr(entry, column.key) for column in _ENTRY}
