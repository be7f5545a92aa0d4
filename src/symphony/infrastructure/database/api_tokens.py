"""API tokens in the database."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import and_, bindparam, delete, func, not_, or_, select, update

from symphony.domain.api_tokens import USE_RESOLUTION, ApiToken, ApiTokenRepository
from symphony.domain.base import Page, PageRequest
from symphony.domain.unit_of_work import TransactionConflict
from symphony.infrastructure.database.base_repository import SqlAlchemyPagedRepository
from symphony.infrastructure.database.connection import NOW, Connection
from symphony.infrastructure.database.entity_mapping import ENTITY_ID, OWNER_ID, ListScope
from symphony.infrastructure.database.mappings import API_TOKENS, USER_PROFILES
from symphony.infrastructure.database.tokens.rotation import (
    END_SESSIONS,
    HAS_CREATOR,
    LOCK_CREATIONS,
    LOCK_CREATOR,
    PASS_CREATIONS,
)

_tokens = API_TOKENS.table.c
_BY_HASH = API_TOKENS.select_all.where(_tokens.token_hash == bindparam("token_hash"))
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
_EXPIRING = API_TOKENS.select_owned.where(_expires_until, not_(_tokens.is_rotated))
_LIST_OF_EXPIRING = ListScope(API_TOKENS.in_parent.select.where(_expires_until), unique_names=False)


class SqlAlchemyApiTokens(SqlAlchemyPagedRepository[ApiToken], ApiTokenRepository):
    def __init__(self, connection: Connection) -> None:
        super().__init__(connection, API_TOKENS)

    async def get_by_hash(self, token_hash: bytes) -> ApiToken | None:
        return await self._one(_BY_HASH, token_hash=token_hash)

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

    async def expiring(self, owner_id: UUID, until: datetime) -> Sequence[ApiToken]:
        rows = await self._connection.fetch(_EXPIRING, {"owner_id": owner_id, "until": until})
        return [API_TOKENS.to_entity(row) for row in rows]

    async def page_of_expiring(
        self, owner_id: UUID, until: datetime, request: PageRequest
    ) -> Page[ApiToken]:
        page = await self._page(_LIST_OF_EXPIRING, owner_id, owner_id, request, until=until)
        if not page.items:
            await self._require(USER_PROFILES, owner_id, owner_id)
        return page

    async def get_to_rotate(self, owner_id: UUID, token_id: UUID) -> ApiToken:
        creator_id = (await self.get(owner_id, token_id)).creator_id
        if creator_id is not None:
            await self._connection.fetch(LOCK_CREATOR, {"entity_id": creator_id})
        token = await self.get_for_update(owner_id, token_id)
        if token.creator_id != creator_id:
            raise TransactionConflict
        await self._connection.fetch(LOCK_CREATIONS, {"entity_id": token_id})
        return token

    async def is_created_by(self, token_id: UUID, creator_id: UUID) -> bool:
        parameters = {"entity_id": token_id, "sought_id": creator_id}
        return bool(await self._connection.fetch(HAS_CREATOR, parameters))

    async def pass_creations(self, token_id: UUID, successor_id: UUID) -> None:
        parameters = {"entity_id": token_id, "successor_id": successor_id}
        await self._connection.fetch(PASS_CREATIONS, parameters)

    async def end(self, token: ApiToken) -> None:
        await self.save(token)
        parameters = {"entity_id": token.id, "moment": token.expires_at}
        await self._connection.fetch(END_SESSIONS, parameters)
