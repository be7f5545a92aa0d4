"""The wrapped keys of vaults."""

from collections.abc import Sequence
from typing import Any, cast
from uuid import UUID

from sqlalchemy import BindParameter, Table, bindparam, insert, select, update

from symphony.domain.reach import Reach
from symphony.domain.vaults.keys import Derivation, KeyRecord, VaultKeyRepository
from symphony.infrastructure.database.connection import Connection
from symphony.infrastructure.database.entity_mapping import ENTITY_ID
from symphony.infrastructure.database.mappings import VAULTS, WORKSPACES
from symphony.infrastructure.database.reach import Because, reach_parameters, without_reach
from symphony.infrastructure.database.vaults.models import VaultKeyModel

TABLE = cast("Table", VaultKeyModel.__table__)
_keys = TABLE.c
COLUMNS = tuple(_keys)
_VALUES: dict[str, BindParameter[Any]] = {
    column.key: bindparam(f"new_{column.key}") for column in _keys
}
_FIND = (
    select(*COLUMNS)
    .select_from(TABLE)
    .join(VAULTS.table, VAULTS.table.c.id == _keys.vault_id)
    .join(WORKSPACES.table)
    .where(_keys.vault_id == ENTITY_ID, VAULTS.is_reached)
)
_ADD = without_reach(insert(TABLE).values(_VALUES), Because.VAULT_IS_LOCKED)
_REPLACE = without_reach(
    update(TABLE).where(_keys.vault_id == ENTITY_ID).values(_VALUES), Because.VAULT_IS_LOCKED
)
_HAS_MASTER_KEY = _keys.master_key_name.is_not(None)
_ANY_WITH_MASTER_KEY = without_reach(
    select(_keys.vault_id).where(_HAS_MASTER_KEY).limit(1), Because.IS_OPERATORS
)
_UNDER_OTHER_MASTER_KEYS = without_reach(
    select(*COLUMNS)
    .where(
        _HAS_MASTER_KEY,
        _keys.master_key_name != bindparam("name"),
        _keys.vault_id > bindparam("after"),
    )
    .order_by(_keys.vault_id)
    .limit(bindparam("at_most"))
    .with_for_update(),
    Because.IS_OPERATORS,
)


class SqlAlchemyVaultKeys(VaultKeyRepository):
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def find(self, reach: Reach, vault_id: UUID) -> KeyRecord | None:
        parameters = reach_parameters(reach) | {"entity_id": vault_id}
        rows = await self._connection.fetch(_FIND, parameters)
        return to_record(rows[0]) if rows else None

    async def add(self, record: KeyRecord) -> None:
        await self._connection.fetch(_ADD, _values(record))

    async def replace(self, record: KeyRecord) -> None:
        await self._connection.fetch(_REPLACE, _values(record) | {"entity_id": record.vault_id})

    async def need_a_master_key(self) -> bool:
        return bool(await self._connection.fetch(_ANY_WITH_MASTER_KEY, {}))

    async def under_other_master_keys(
        self, name: bytes, after: UUID, limit: int
    ) -> Sequence[KeyRecord]:
        parameters = {"name": name, "after": after, "at_most": limit}
        return [
            to_record(row)
            for row in await self._connection.fetch(_UNDER_OTHER_MASTER_KEYS, parameters)
        ]


def to_record(row: Sequence[Any]) -> KeyRecord:
    vault_id, wrapped, master_key, salt, memory, passes, lanes, checksum = row
    derivation = None
    if any(each is not None for each in (salt, memory, passes, lanes)):
        # The table requires all four, but only where there is no master key.
        derivation = Derivation(salt or b"", memory or 0, passes or 0, lanes or 0)
    return KeyRecord(vault_id, wrapped, master_key, derivation, checksum)


def _values(record: KeyRecord) -> dict[str, Any]:
    derivation = record.derivation
    return {
        "new_vault_id": record.vault_id,
        "new_wrapped": record.wrapped,
        "new_master_key_name": record.master_key,
        "new_salt": derivation.salt if derivation else None,
        "new_memory": derivation.memory if derivation else None,
        "new_passes": derivation.passes if derivation else None,
        "new_lanes": derivation.lanes if derivation else None,
        "new_checksum": record.checksum,
    }
