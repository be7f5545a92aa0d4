"""The marks of the last writes in the database."""

from typing import cast
from uuid import UUID

from sqlalchemy import Table, bindparam, select

from symphony.domain.user_profiles import LastWrite, LastWriteRepository, UserState
from symphony.infrastructure.database.connection import Connection
from symphony.infrastructure.database.models import (
    ApiTokenModel,
    LastWriteModel,
    UserProfileModel,
)
from symphony.infrastructure.database.reach import OWNER_ID
from symphony.infrastructure.database.replicas.server_start import SERVER_START
from symphony.infrastructure.database.sqlalchemy_internals import upsert

_table = cast("Table", LastWriteModel.__table__)
_writes = _table.c
_profiles = cast("Table", UserProfileModel.__table__)
_tokens = cast("Table", ApiTokenModel.__table__)
_MARK = bindparam("mark", type_=_writes.mark.type)
_FIND = (
    select(_profiles.c.token_generation, _writes.mark, SERVER_START)
    .select_from(_profiles)
    .outerjoin(_table, _writes.user_profile_id == _profiles.c.id)
    .where(_profiles.c.id == OWNER_ID)
)
# From the profile's row, which the unit of work may have deleted.
_owner = select(_profiles.c.id, _MARK).where(_profiles.c.id == OWNER_ID)
_RECORD = (
    upsert(_table)
    .from_select([_writes.user_profile_id, _writes.mark], _owner)
    .on_conflict_do_update(index_elements=[_writes.user_profile_id], set_={"mark": _MARK})
)
OF_TOKEN = (
    select(_writes.mark)
    .where(_writes.user_profile_id == _tokens.c.user_profile_id)
    .correlate(_tokens)
    .scalar_subquery()
)
"""The mark of the owner of an API token, as a column of a statement on these."""


class SqlAlchemyLastWrites(LastWriteRepository):
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def find(self, user_id: UUID) -> UserState | None:
        rows = await self._connection.fetch(_FIND, {"owner_id": user_id})
        if not rows:
            return None
        generation, mark, server = rows[0]
        return UserState(generation, LastWrite(mark, server))

    async def record(self, user_id: UUID, mark: UUID) -> None:
        await self._connection.fetch(_RECORD, {"owner_id": user_id, "mark": mark})
