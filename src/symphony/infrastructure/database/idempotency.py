"""Idempotency keys, in the same transaction as what is made under them."""

import hmac
from dataclasses import fields
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Table, Uuid, bindparam, delete, select, update

from symphony.domain.base import Entity, utc_now
from symphony.domain.idempotency import KEPT_FOR, IdempotencyKey, IdempotencyKeys, KeyReused
from symphony.domain.unit_of_work import TransactionConflict
from symphony.domain.workspaces import WorkspaceType
from symphony.infrastructure.database.mapping import Mapping
from symphony.infrastructure.database.models import (
    IdempotencyKeyModel,
    UtcDateTime,
    WorkspaceTypeName,
)
from symphony.infrastructure.database.repositories import REPOS, USER_PROFILES, VAULTS, WORKSPACES
from symphony.infrastructure.database.sessions import Session
from symphony.infrastructure.database.upsert import insert_for

_MAPPINGS: dict[str, Mapping[Any]] = {each.noun: each for each in (WORKSPACES, REPOS, VAULTS)}

_table = cast("Table", IdempotencyKeyModel.__table__)
_keys = _table.c
_users = USER_PROFILES.table.c
_OWNER = select(_users.id).where(_users.id == bindparam("user_id"))
_MADE = select(_keys.fingerprint, _keys.noun, _keys.entity).where(
    _keys.user_profile_id == bindparam("user_id"), _keys.key == bindparam("own_key")
)


class SqlAlchemyIdempotencyKeys(IdempotencyKeys):
    def __init__(self, session: Session) -> None:
        self._session = session

    async def claim(self, key: IdempotencyKey) -> Entity | None:
        if not await self._session.rows(_OWNER, {"user_id": key.user_id}):
            return None  # nobody is there to make anything for, as the handler will say
        now = utc_now()
        await self._session.execute(
            delete(_table).where(
                _keys.user_profile_id == key.user_id, _keys.created_at < now - KEPT_FOR
            )
        )
        # Where another unit of work has inserted the same key, this waits for its end.
        claimed = await self._session.execute(
            insert_for(self._session, _table)
            .values(
                user_profile_id=key.user_id,
                key=key.key,
                fingerprint=key.fingerprint,
                created_at=now,
            )
            .on_conflict_do_nothing()
        )
        return None if claimed.rowcount == 1 else await self._made_under(key)

    async def keep(self, key: IdempotencyKey, made: Entity) -> None:
        await self._session.execute(
            update(_table)
            .where(_keys.user_profile_id == key.user_id, _keys.key == key.key)
            .values(noun=made.noun, entity=_to_json(made))
        )

    async def _made_under(self, key: IdempotencyKey) -> Entity | None:
        rows = await self._session.rows(_MADE, {"user_id": key.user_id, "own_key": key.key})
        if not rows:  # its day was over, and somebody has cleared it away just now
            raise TransactionConflict
        fingerprint, noun, entity = rows[0]
        if not hmac.compare_digest(fingerprint, key.fingerprint):
            raise KeyReused
        return _from_json(_MAPPINGS[noun], entity)


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
    return mapping.entity.restored(
        {name: _restored(mapping.table.c[name].type, value) for name, value in stored.items()}
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
    return value
