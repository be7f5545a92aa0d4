"""User profiles in the database."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import BindParameter, Column, Integer, UpdateBase, bindparam, select, update

from symphony.domain.errors import NotFound
from symphony.domain.fields import comparison_key
from symphony.domain.user_profiles import (
    PasswordChange,
    UserProfile,
    UserProfileRepository,
    UserSummary,
)
from symphony.infrastructure.database.base_repository import SqlAlchemyRepository
from symphony.infrastructure.database.connection import Connection
from symphony.infrastructure.database.entity_mapping import ENTITY_ID
from symphony.infrastructure.database.mappings import USER_PROFILES
from symphony.infrastructure.database.reach import OWNER_ID

_profiles = USER_PROFILES.table.c
_ADDED: BindParameter[int] = bindparam("added")
_BY_USERNAME = USER_PROFILES.select_all.where(_profiles.username_key == bindparam("key"))
_BY_EMAIL = USER_PROFILES.select_all.where(_profiles.email_key == bindparam("key"))
_ANY = select(_profiles.id).limit(1)
_SUMMARIES = (
    select(_profiles.username, _profiles.email, _profiles.created_at, _profiles.workspace_count)
    .where(_profiles.username_key > bindparam("after_key"))
    .order_by(_profiles.username_key)
    .limit(bindparam("at_most", type_=Integer()))
)
_TOKEN_GENERATION = select(_profiles.token_generation).where(_profiles.id == OWNER_ID)
_WORKSPACE_COUNT = select(_profiles.workspace_count).where(_profiles.id == OWNER_ID)
_REPLACE_PASSWORD_HASH = (
    update(USER_PROFILES.table)
    .where(_profiles.id == OWNER_ID, _profiles.password_hash == bindparam("old_hash"))
    .values(password_hash=bindparam("new_hash"))
)


def _counting(counter: Column[int]) -> UpdateBase:
    """Return the statement that adds to a counter of a profile and returns the new number."""
    return (
        update(USER_PROFILES.table)
        .where(_profiles.id == ENTITY_ID, _profiles.id == OWNER_ID)
        .values({counter: counter + _ADDED})
        .returning(counter)
    )


_COUNT_WORKSPACES = _counting(_profiles.workspace_count)
_COUNT_MACHINES = _counting(_profiles.machine_count)


class SqlAlchemyUserProfiles(SqlAlchemyRepository[UserProfile], UserProfileRepository):
    def __init__(self, connection: Connection) -> None:
        super().__init__(connection, USER_PROFILES)

    async def get_by_username(self, username: str) -> UserProfile | None:
        return await self._one(_BY_USERNAME, key=comparison_key(username))

    async def get_by_email(self, email: str) -> UserProfile | None:
        return await self._one(_BY_EMAIL, key=comparison_key(email))

    async def exist(self) -> bool:
        return bool(await self._connection.fetch(_ANY, {}))

    async def lock(self) -> None:
        await self._connection.lock_table(USER_PROFILES.table.name)

    async def summaries(self, after: str, limit: int) -> Sequence[UserSummary]:
        parameters = {"after_key": comparison_key(after), "at_most": limit}
        rows = await self._connection.fetch(_SUMMARIES, parameters)
        return [UserSummary(*row) for row in rows]

    async def token_generation(self, user_id: UUID) -> int | None:
        rows = await self._connection.fetch(_TOKEN_GENERATION, {"owner_id": user_id})
        return rows[0][0] if rows else None

    async def workspace_count(self, user_id: UUID) -> int:
        rows = await self._connection.fetch(_WORKSPACE_COUNT, {"owner_id": user_id})
        return rows[0][0] if rows else 0

    async def count_workspaces(self, owner_id: UUID, user_id: UUID, *, added: int = 0) -> int:
        return await self._count(_COUNT_WORKSPACES, owner_id, user_id, added)

    async def count_machines(self, owner_id: UUID, user_id: UUID, *, added: int = 0) -> int:
        return await self._count(_COUNT_MACHINES, owner_id, user_id, added)

    async def _count(self, statement: UpdateBase, owner_id: UUID, user_id: UUID, added: int) -> int:
        parameters = {"owner_id": owner_id, "entity_id": user_id, "added": added}
        rows = await self._connection.fetch(statement, parameters)
        if not rows:
            raise NotFound(UserProfile.noun, user_id)
        return rows[0][0]

    async def replace_password_hash(self, user_id: UUID, change: PasswordChange) -> None:
        parameters = {"old_hash": change.old_hash, "new_hash": change.new_hash}
        await self._connection.fetch(_REPLACE_PASSWORD_HASH, {"owner_id": user_id, **parameters})
