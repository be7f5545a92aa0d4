"""API tokens in the database."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import cast
from uuid import UUID

from sqlalchemy import Table, and_, bindparam, delete, func, insert, not_, or_, select, update

from symphony.domain.api_tokens import (
    USE_RESOLUTION,
    ApiToken,
    ApiTokenRepository,
    TokenRevoked,
)
from symphony.domain.base import Page, PageRequest
from symphony.domain.errors import NotFound
from symphony.domain.reach import Reach
from symphony.domain.user_profiles import LastWrite
from symphony.infrastructure.database.base_repository import SqlAlchemyPagedRepository
from symphony.infrastructure.database.connection import NOW, Connection
from symphony.infrastructure.database.entity_mapping import ENTITY_ID, ListScope
from symphony.infrastructure.database.mappings import API_TOKENS, USER_PROFILES
from symphony.infrastructure.database.models import ApiTokenWorkspaceModel
from symphony.infrastructure.database.reach import OWNER_ID, reach_parameters
from symphony.infrastructure.database.replicas.last_writes import OF_TOKEN
from symphony.infrastructure.database.replicas.server_start import SERVER_START
from symphony.infrastructure.database.sqlalchemy_internals import Statement
from symphony.infrastructure.database.tokens.rotation import (
    HAS_CREATOR,
    LOCK_CREATIONS,
    LOCK_CREATOR,
    PASS_CREATIONS,
)

_tokens = API_TOKENS.table.c
_confinements = cast("Table", ApiTokenWorkspaceModel.__table__)
_BY_HASH = API_TOKENS.select_all.where(
    or_(
        _tokens.token_hash == bindparam("token_hash"),
        _tokens.token_hash == bindparam("confined_hash"),
    )
)
_BY_HASH_WITH_LAST_WRITE = _BY_HASH.add_columns(OF_TOKEN, SERVER_START)
_COUNT = (
    select(func.count()).select_from(API_TOKENS.table).where(_tokens.user_profile_id == OWNER_ID)
)
_OWNER = select(_tokens.user_profile_id).where(_tokens.id == ENTITY_ID)
_REMOVE_ALL = delete(API_TOKENS.table).where(_tokens.user_profile_id == OWNER_ID)
_is_outdated = or_(
    _tokens.last_used_at.is_(None),
    _tokens.last_used_at < bindparam("earliest"),
    _tokens.last_used_at > bindparam("latest"),  # stored before the clock was set back
)
_MARK_USED = (
    update(API_TOKENS.table)
    .where(_tokens.id == ENTITY_ID, _is_outdated)
    .values(last_used_at=bindparam("moment"))
)
_expires_until = and_(_tokens.expires_at > NOW, _tokens.expires_at <= bindparam("until"))
_EXPIRING = API_TOKENS.select_reached.where(_expires_until, not_(_tokens.is_rotated))
_LIST_OF_EXPIRING = ListScope(API_TOKENS.in_parent.select.where(_expires_until), unique_names=False)
_EXPIRY = select(_tokens.expires_at).where(_tokens.id == ENTITY_ID)
# FOR KEY SHARE: it waits for a unit of work that ends the token, and that one for this one; those
# that use it, or store when it was used, do not wait for each other.
_HOLD = _EXPIRY.with_for_update(read=True, key_share=True)
_HOLD_TO_END = _EXPIRY.with_for_update()
_CONFINE = insert(_confinements).values(
    api_token_id=bindparam("token_id"), workspace_id=bindparam("inside_id")
)
# FOR UPDATE, with which `_HOLD` conflicts.
_SELECT_TO_END = API_TOKENS.select_one.with_for_update(of=API_TOKENS.table)


class SqlAlchemyApiTokens(SqlAlchemyPagedRepository[ApiToken], ApiTokenRepository):
    def __init__(self, connection: Connection) -> None:
        super().__init__(connection, API_TOKENS)

    async def get_by_hash(self, token_hash: bytes) -> ApiToken | None:
        hashes = {"token_hash": token_hash, "confined_hash": _of_confined(token_hash)}
        return await self._one(_BY_HASH, **hashes)

    async def get_with_last_write(self, token_hash: bytes) -> tuple[ApiToken, LastWrite] | None:
        hashes = {"token_hash": token_hash, "confined_hash": _of_confined(token_hash)}
        rows = await self._connection.fetch(_BY_HASH_WITH_LAST_WRITE, hashes)
        if not rows:
            return None
        *columns, mark, server = rows[0]
        return API_TOKENS.to_entity(columns), LastWrite(mark, server)

    async def get_for_update(self, reach: Reach, entity_id: UUID) -> ApiToken:
        """Lock a token; waits for the units of work that hold it."""
        token = await self._one(_SELECT_TO_END, **reach_parameters(reach), entity_id=entity_id)
        if token is None:
            raise NotFound(ApiToken.noun, entity_id)
        return token

    async def add(self, entity: ApiToken) -> None:
        if entity.workspace_ids is None:
            await super().add(entity)
            return
        await super().add(replace(entity, token_hash=_of_confined(entity.token_hash)))
        await self._connection.execute_many(
            _CONFINE, [{"token_id": entity.id, "inside_id": each} for each in entity.workspace_ids]
        )

    async def hold(self, token_id: UUID, *, to_end: bool) -> datetime | None:
        statement = _HOLD_TO_END if to_end else _HOLD
        if to_end:
            await self._connection.fetch(LOCK_CREATOR, {"entity_id": token_id})
        return await self._expiry(statement, token_id)

    async def expiry(self, token_id: UUID) -> datetime | None:
        return await self._expiry(_EXPIRY, token_id)

    async def _expiry(self, statement: Statement, token_id: UUID) -> datetime | None:
        rows = await self._connection.fetch(statement, {"entity_id": token_id})
        if not rows:
            raise TokenRevoked
        return rows[0][0]

    async def owner(self, token_id: UUID) -> UUID | None:
        rows = await self._connection.fetch(_OWNER, {"entity_id": token_id})
        return rows[0][0] if rows else None

    async def remove_all(self, user_id: UUID) -> None:
        await self._connection.fetch(_REMOVE_ALL, {"owner_id": user_id})

    async def count(self, owner_id: UUID) -> int:
        return (await self._connection.fetch(_COUNT, {"owner_id": owner_id}))[0][0]

    async def mark_used(self, token_id: UUID, moment: datetime) -> None:
        bounds = {"earliest": moment - USE_RESOLUTION, "latest": moment + USE_RESOLUTION}
        await self._connection.fetch(
            _MARK_USED, {"entity_id": token_id, "moment": moment, **bounds}
        )

    async def expiring(self, reach: Reach, until: datetime) -> Sequence[ApiToken]:
        parameters = {**reach_parameters(reach), "until": until}
        rows = await self._connection.fetch(_EXPIRING, parameters)
        return [API_TOKENS.to_entity(row) for row in rows]

    async def page_of_expiring(
        self, reach: Reach, until: datetime, request: PageRequest
    ) -> Page[ApiToken]:
        page = await self._page(_LIST_OF_EXPIRING, reach, reach.user_id, request, until=until)
        if not page.items:
            await self._require(USER_PROFILES, reach, reach.user_id)
        return page

    async def get_to_rotate(self, reach: Reach, token_id: UUID) -> ApiToken:
        await self._connection.fetch(LOCK_CREATOR, {"entity_id": token_id})
        token = await self.get_for_update(reach, token_id)
        await self._connection.fetch(LOCK_CREATIONS, {"entity_id": token_id})
        return token

    async def is_created_by(self, token_id: UUID, creator_id: UUID) -> bool:
        parameters = {"entity_id": token_id, "sought_id": creator_id}
        return bool(await self._connection.fetch(HAS_CREATOR, parameters))

    async def pass_creations(self, token_id: UUID, successor_id: UUID) -> None:
        parameters = {"entity_id": token_id, "successor_id": successor_id}
        await self._connection.fetch(PASS_CREATIONS, parameters)


def _of_confined(token_hash: bytes) -> bytes:
    """Return the hash under which a confined token is stored.

    Processes of the previous version know no confinement: they do not find the token.
    """
    return hashlib.sha256(b"confined" + token_hash).digest()
