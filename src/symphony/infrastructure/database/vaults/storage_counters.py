"""The counters of the bytes that the entries of vaults take."""

from typing import Any, cast
from uuid import UUID

from sqlalchemy import BigInteger, Table, bindparam, case, func, select, update
from sqlalchemy import cast as sql_cast

from symphony.domain.reach import Reach
from symphony.domain.vaults.storage import RECOUNTED_AFTER, StorageCounters
from symphony.infrastructure.database.connection import NOW, Connection
from symphony.infrastructure.database.entity_mapping import ENTITY_ID
from symphony.infrastructure.database.mappings import USER_PROFILES, VAULTS, WORKSPACES
from symphony.infrastructure.database.reach import (
    OWNER_ID,
    Because,
    reach_parameters,
    without_reach,
)
from symphony.infrastructure.database.sqlalchemy_internals import upsert
from symphony.infrastructure.database.vaults.models import (
    StorageCounterModel,
    VaultEntryModel,
    VaultEntryVersionModel,
)

_table = cast("Table", StorageCounterModel.__table__)
_counters = _table.c
_entries = cast("Table", VaultEntryModel.__table__)
_versions = cast("Table", VaultEntryVersionModel.__table__)
_vaults = VAULTS.table
# Neither database reads a value only to return its length.
ENTRY_BYTES = func.length(_entries.c.sealed)
VERSION_BYTES = func.length(_versions.c.facts) + func.length(_versions.c.content)

_LOCK = (
    select(USER_PROFILES.table.c.id)
    .where(USER_PROFILES.table.c.id == OWNER_ID)
    .with_for_update(key_share=True)
)
_OF_USER = (
    select(sql_cast(func.coalesce(func.sum(_counters.entry_bytes), 0), BigInteger))
    .select_from(_table)
    .join(_vaults, _vaults.c.id == _counters.vault_id)
    .join(WORKSPACES.table)
    .where(VAULTS.is_reached)
)
_sum = _counters.entry_bytes + bindparam("growth", type_=BigInteger())
_COUNT = without_reach(
    update(_table)
    .where(_counters.vault_id == ENTITY_ID)
    # It can be too low after processes of the previous version have added entries.
    .values(entry_bytes=case((_sum < 0, 0), else_=_sum))
    .returning(_counters.entry_bytes),
    Because.VAULT_IS_LOCKED,
)
_of_entries = (
    select(func.coalesce(func.sum(ENTRY_BYTES), 0))
    .where(_entries.c.vault_id == _vaults.c.id)
    .scalar_subquery()
)
_of_versions = (
    select(func.coalesce(func.sum(VERSION_BYTES), 0))
    .select_from(_entries)
    .join(_versions, _versions.c.entry_id == _entries.c.id)
    .where(_entries.c.vault_id == _vaults.c.id)
    .scalar_subquery()
)
_stored = select(_vaults.c.id, sql_cast(_of_entries + _of_versions, BigInteger))
_add = upsert(_table)
_START = without_reach(
    _add.from_select(
        ["vault_id", "entry_bytes"], _stored.where(_vaults.c.id == ENTITY_ID)
    ).on_conflict_do_nothing(),
    Because.VAULT_IS_LOCKED,
)
_LOCK_COUNTERS = (
    select(_counters.recounted_at)
    .join(_vaults, _vaults.c.id == _counters.vault_id)
    .join(WORKSPACES.table)
    .where(VAULTS.is_reached)
    .order_by(_counters.vault_id)
    .with_for_update(of=_table)
)
_RECOUNT = _add.from_select(
    ["vault_id", "entry_bytes", "recounted_at"],
    _stored.add_columns(NOW).join_from(_vaults, WORKSPACES.table).where(VAULTS.is_reached),
).on_conflict_do_update(
    index_elements=[_counters.vault_id],
    set_={
        "entry_bytes": _add.excluded.entry_bytes,
        "recounted_at": _add.excluded.recounted_at,
    },
)


class SqlAlchemyStorageCounters(StorageCounters):
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def lock(self, user_id: UUID) -> None:
        await self._connection.fetch(_LOCK, _of(user_id))

    async def count(self, vault_id: UUID, *, added: int = 0, freed: int = 0) -> int:
        vault = {"entity_id": vault_id}
        rows = await self._connection.fetch(_COUNT, vault | {"growth": added - freed})
        if not rows:  # the first entry, or the first one since this table exists
            await self._connection.fetch(_START, vault)
            rows = await self._connection.fetch(_COUNT, vault | {"growth": added})
        return rows[0][0]

    async def of_user(self, user_id: UUID) -> int:
        return (await self._connection.fetch(_OF_USER, _of(user_id)))[0][0]

    async def recount(self, user_id: UUID) -> bool:
        owner, now = _of(user_id), self._connection.now()
        # Locked before, because PostgreSQL reads entries in the state at the statement's start.
        for (recounted_at,) in await self._connection.fetch(_LOCK_COUNTERS, owner):
            # A time in the future was stored before the clock was set back.
            if recounted_at is not None and abs(now - recounted_at) < RECOUNTED_AFTER:
                return False
        await self._connection.fetch(_RECOUNT, owner | {"now": now})
        return True


def _of(user_id: UUID) -> dict[str, Any]:
    """Return the parameters for all vaults of a user: the limits are the user's."""
    return reach_parameters(Reach(user_id))
