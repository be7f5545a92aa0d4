"""Idempotency keys, each stored in the transaction that creates the entities under it.

The entities are stored as JSON, so a retry returns them in the state of their creation.
"""

import hashlib
import hmac
import json
from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from functools import cache
from typing import Any, cast

from pydantic import ConfigDict, TypeAdapter
from pydantic_core import to_jsonable_python
from sqlalchemy import Table, bindparam, case, delete, func, or_, select, update

from symphony.domain.base import Entity
from symphony.domain.idempotency import (
    KEPT_BYTES,
    KEPT_FOR,
    LEAST_KEPT_BYTES,
    Creation,
    CreationGone,
    IdempotencyKey,
    IdempotencyKeyRepository,
    KeyReused,
)
from symphony.domain.json_objects import compact
from symphony.domain.unit_of_work import TransactionConflict
from symphony.infrastructure.database.connection import NOW, Connection
from symphony.infrastructure.database.entity_mapping import EntityMapping
from symphony.infrastructure.database.mappings import USER_PROFILES
from symphony.infrastructure.database.models import IdempotencyKeyModel
from symphony.infrastructure.database.reach import reach_parameters
from symphony.infrastructure.database.sqlalchemy_internals import upsert

_table = cast("Table", IdempotencyKeyModel.__table__)
_keys = _table.c
_users = USER_PROFILES.table.c
_OWNER = select(_users.id).where(_users.id == bindparam("user_id"))
_IS_OF_USER = _keys.user_profile_id == bindparam("user_id")
_IS_KEY = _keys.key == bindparam("own_key")
_REMOVE_EXPIRED = delete(_table).where(
    _IS_OF_USER,
    or_(
        _keys.created_at < bindparam("created_before"),
        # The clock has been set back since then, by more than clocks of processes differ.
        _keys.created_at > bindparam("created_after"),
    ),
)
_by_age = (
    select(
        _keys.key,
        func.sum(
            case((_keys.size < LEAST_KEPT_BYTES, LEAST_KEPT_BYTES), else_=_keys.size),
        )
        .over(order_by=(_keys.created_at.desc(), _keys.key))
        .label("total"),
    )
    .where(_IS_OF_USER)
    .subquery("by_age")
)
_REMOVE_EXCESS = delete(_table).where(
    _IS_OF_USER,
    _keys.key != bindparam("own_key"),  # it may look older, after the clock was set back
    _keys.key.in_(select(_by_age.c.key).where(_by_age.c.total > bindparam("kept_bytes"))),
)
# When another unit of work has inserted the same key, this waits until that one is done.
_CLAIM = (
    upsert(_table)
    .values(
        user_profile_id=bindparam("user_id"),
        key=bindparam("own_key"),
        fingerprint=bindparam("own_fingerprint"),
        created_at=NOW,
    )
    .on_conflict_do_nothing()
    .returning(_keys.key)
)
_KEEP = (
    update(_table)
    .where(_IS_OF_USER, _IS_KEY)
    .values(noun=bindparam("own_noun"), entity=bindparam("created"), size=bindparam("own_size"))
)
_FIND = select(_keys.fingerprint, _keys.noun, _keys.entity).where(_IS_OF_USER, _IS_KEY)
_FIND_KEPT = _FIND.where(
    _keys.created_at.between(bindparam("created_before"), bindparam("created_after"))
)


class SqlAlchemyIdempotencyKeys(IdempotencyKeyRepository):
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def claim(self, key: IdempotencyKey) -> Creation | None:
        user = {"user_id": key.reach.user_id}
        if not await self._connection.fetch(_OWNER, user):
            return None  # the user does not exist; the handler reports that
        now = self._connection.now()
        await self._connection.fetch(_REMOVE_EXPIRED, user | _kept(now))
        new = {"own_fingerprint": key.fingerprint, "now": now}
        is_claimed = await self._connection.fetch(_CLAIM, _parameters(key) | new)
        if is_claimed:
            return None
        rows = await self._connection.fetch(_FIND, _parameters(key))
        if not rows:  # it expired, and another request has just removed it
            raise TransactionConflict
        return await self._reached(key, _replayed(key, rows[0]))

    async def created(self, key: IdempotencyKey) -> Creation | None:
        row = await self._find(key)
        return await self._reached(key, _creation(row)) if row else None

    async def replay(self, key: IdempotencyKey) -> Creation | None:
        row = await self._find(key)
        return await self._reached(key, _replayed(key, row)) if row else None

    async def save(self, key: IdempotencyKey, created: Creation) -> None:
        is_one = isinstance(created, Entity)
        stored = to_json(created) if is_one else [to_json(each) for each in created]
        noun = created.noun if is_one else created[0].noun
        values = {"own_noun": noun, "created": stored, "own_size": len(compact(stored).encode())}
        await self._connection.fetch(_KEEP, _parameters(key) | values)
        await self._connection.fetch(_REMOVE_EXCESS, _parameters(key) | {"kept_bytes": KEPT_BYTES})

    async def _find(self, key: IdempotencyKey) -> Sequence[Any] | None:
        kept = _kept(self._connection.now())
        rows = await self._connection.fetch(_FIND_KEPT, _parameters(key) | kept)
        return rows[0] if rows else None

    async def _reached(self, key: IdempotencyKey, created: Creation) -> Creation:
        """Return what was created, if a confined token reaches all of it. Raises: CreationGone."""
        if key.reach.confined_by is None:
            return created
        for entity in [created] if isinstance(created, Entity) else created:
            statement = EntityMapping.by_noun[entity.noun].select_one
            parameters = reach_parameters(key.reach) | {"entity_id": entity.id}
            if not await self._connection.fetch(statement, parameters):
                raise CreationGone
        return created


def _kept(now: datetime) -> dict[str, Any]:
    """Return the parameters for the keys that have not expired."""
    return {"created_before": now - KEPT_FOR, "created_after": now + KEPT_FOR}


def _replayed(key: IdempotencyKey, row: Sequence[Any]) -> Creation:
    if not hmac.compare_digest(row[0], key.fingerprint):
        raise KeyReused
    return _creation(row)


def _creation(row: Sequence[Any]) -> Creation:
    _, noun, created = row
    mapping = EntityMapping.by_noun[noun]
    if isinstance(created, list):
        return [_from_json(mapping, each) for each in cast("list[Any]", created)]
    return _from_json(mapping, created)


def _parameters(key: IdempotencyKey) -> dict[str, Any]:
    return {"user_id": key.reach.user_id, "own_key": _stored_key(key)}


def _stored_key(key: IdempotencyKey) -> str:
    """Return the form in which a key is stored: for a confined token, one of its own.

    It contains a space, as no key of a client does, and has a fixed length.
    """
    token_id = key.reach.confined_by
    if token_id is None:
        return key.key
    return f"{token_id} {hashlib.sha256(key.key.encode()).hexdigest()}"


def to_json(entity: Entity) -> dict[str, Any]:
    """Return the fields of an entity as JSON values: times as ISO 8601, bytes as base64url."""
    values = {field.name: getattr(entity, field.name) for field in fields(entity)}
    return to_jsonable_python(values, bytes_mode="base64")


def _from_json(mapping: EntityMapping[Any], stored: dict[str, Any]) -> Entity:
    # A key of an older version of the service lacks the fields that were added since.
    return mapping.entity.restored(
        _value(mapping.read_expression(field.name).type.python_type, stored[field.name])
        if field.name in stored
        else field.default
        for field in fields(mapping.entity)
    )


def _value(python_type: type[Any], stored: Any) -> Any:
    return None if stored is None else _adapter(python_type).validate_json(json.dumps(stored))


@cache
def _adapter(python_type: type[Any]) -> TypeAdapter[Any]:
    return TypeAdapter(python_type, config=ConfigDict(val_json_bytes="base64"))
