"""Idempotency keys, in the same transaction as what is made under them."""

import hmac
from dataclasses import fields
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Table, Uuid, bindparam, delete, select, update
from sqlalchemy.dialects.postgresql import insert  # SQLite's compiler takes it as well

from symphony.domain.base import Entity, utc_now
from symphony.domain.idempotency import (
    KEPT_FOR,
    Creation,
    IdempotencyKey,
    IdempotencyKeyRepository,
    KeyReused,
)
from symphony.domain.unit_of_work import TransactionConflict
from symphony.domain.vaults.vaults import Protection
from symphony.domain.workspaces import WorkspaceType
from symphony.infrastructure.database.connection import Connection
from symphony.infrastructure.database.mapping import Mapping
from symphony.infrastructure.database.models import (
    IdempotencyKeyModel,
    ProtectionName,
    UtcDateTime,
    WorkspaceTypeName,
)
from symphony.infrastructure.database.repositories import REPOS, USER_PROFILES, VAULTS, WORKSPACES

_MAPPINGS: dict[str, Mapping[Any]] = {each.noun: each for each in (WORKSPACES, REPOS, VAULTS)}

_table = cast("Table", IdempotencyKeyModel.__table__)
_keys = _table.c
_users = USER_PROFILES.table.c
_OWNER = select(_users.id).where(_users.id == bindparam("user_id"))
_OF_USER = _keys.user_profile_id == bindparam("user_id")
_OWN_KEY = _keys.key == bindparam("own_key")
_FORGET = delete(_table).where(_OF_USER, _keys.created_at < bindparam("made_before"))
# Where another unit of work has inserted the same key, this waits for its end.
_CLAIM = (
    insert(_table)
    .values(
        user_profile_id=bindparam("user_id"),
        key=bindparam("own_key"),
        fingerprint=bindparam("own_fingerprint"),
        created_at=bindparam("now"),
    )
    .on_conflict_do_nothing()
    .returning(_keys.key)
)
_KEEP = (
    update(_table)
    .where(_OF_USER, _OWN_KEY)
    .values(noun=bindparam("made_noun"), entity=bindparam("made"))
)
_MADE = select(_keys.fingerprint, _keys.noun, _keys.entity).where(_OF_USER, _OWN_KEY)


class SqlAlchemyIdempotencyKeys(IdempotencyKeyRepository):
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def claim(self, key: IdempotencyKey) -> Creation | None:
        user = {"user_id": key.user_id}
        if not await self._connection.rows(_OWNER, user):
            return None  # nobody is there to make anything for, as the handler will say
        now = utc_now()
        await self._connection.rows(_FORGET, user | {"made_before": now - KEPT_FOR})
        new = {"own_fingerprint": key.fingerprint, "now": now}
        claimed = await self._connection.rows(_CLAIM, _named(key) | new)
        return None if claimed else await self._made_under(key)

    async def exists(self, key: IdempotencyKey) -> bool:
        return bool(await self._connection.rows(_MADE, _named(key)))

    async def save(self, key: IdempotencyKey, created: Creation) -> None:
        if isinstance(created, Entity):
            values = {"made_noun": created.noun, "made": _to_json(created)}
        else:
            values = {"made_noun": created[0].noun, "made": [_to_json(each) for each in created]}
        await self._connection.rows(_KEEP, _named(key) | values)

    async def _made_under(self, key: IdempotencyKey) -> Creation:
        rows = await self._connection.rows(_MADE, _named(key))
        if not rows:  # its day was over, and somebody has cleared it away just now
            raise TransactionConflict
        fingerprint, noun, made = rows[0]
        if not hmac.compare_digest(fingerprint, key.fingerprint):
            raise KeyReused
        if isinstance(made, list):
            return [_from_json(_MAPPINGS[noun], each) for each in cast("list[Any]", made)]
        return _from_json(_MAPPINGS[noun], made)


def _named(key: IdempotencyKey) -> dict[str, Any]:
    return {"user_id": key.user_id, "own_key": key.key}


def _to_json(entity: Entity) -> dict[str, Any]:
    values = {field.name: getattr(entity, field.name) for field in fields(entity)}
    return {
        name: value.isoformat()
        if isinstance(value, datetime)
        else str(value)
        if isinstance(value, UUID)
        else value
        for name, value in values.items()
    }


def _from_json(mapping: Mapping[Any], stored: dict[str, Any]) -> Entity:
    # What an older version of the service has kept lacks the fields that have come since.
    return mapping.entity.restored(
        _restored(mapping.table.c[field.name].type, stored.get(field.name, field.default))
        for field in fields(mapping.entity)
    )


def _restored(column_type: object, value: Any) -> Any:
    if value is None:
        return None
    if isinstance(column_type, UtcDateTime):
        return datetime.fromisoformat(value)
    if isinstance(column_type, Uuid):
        return UUID(value)
    if isinstance(column_type, WorkspaceTypeName):
        return WorkspaceType(value)
    if isinstance(column_type, ProtectionName):
        return Protection(value)
    return value
