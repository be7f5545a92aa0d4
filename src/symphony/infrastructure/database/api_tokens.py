"""API tokens in the database."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, delete, func, select, update

from symphony.domain.api_tokens import ApiToken, ApiTokenRepository
from symphony.infrastructure.database.base_repository import SqlAlchemyPagedRepository
from symphony.infrastructure.database.connection import Connection
from symphony.infrastructure.database.entity_mapping import ENTITY_ID, OWNER_ID
from symphony.infrastructure.database.mappings import API_TOKENS

_tokens = API_TOKENS.table.c
_BY_HASH = API_TOKENS.select_all.where(_tokens.token_hash == bindparam("token_hash"))
_COUNT = (
    select(func.count()).select_from(API_TOKENS.table).where(_tokens.user_profile_id == OWNER_ID)
)
_OWNER = select(_tokens.user_profile_id).where(_tokens.id == ENTITY_ID)
_REMOVE_ALL = delete(API_TOKENS.table).where(_tokens.user_profile_id == OWNER_ID)
_MARK_USED = (
    update(API_TOKENS.table).where(_tokens.id == ENTITY_ID).values(last_used_at=bindparam("moment"))
)


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
        await self._connection.fetch(_MARK_USED, {"entity_id": token_id, "moment": moment})
