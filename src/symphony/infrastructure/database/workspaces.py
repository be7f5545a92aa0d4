"""Workspaces in the database."""

from uuid import UUID

from sqlalchemy import Integer, bindparam, select, update

from symphony.domain.errors import NotFound
from symphony.domain.reach import Reach
from symphony.domain.workspaces import Workspace, WorkspaceRepository, WorkspaceStats
from symphony.infrastructure.database.base_repository import SqlAlchemyPagedRepository
from symphony.infrastructure.database.connection import Connection
from symphony.infrastructure.database.entity_mapping import ENTITY_ID
from symphony.infrastructure.database.mappings import WORKSPACES
from symphony.infrastructure.database.reach import reach_parameters
from symphony.infrastructure.database.sqlalchemy_internals import Statement

_workspaces = WORKSPACES.table.c
_COUNTERS = WorkspaceStats.counters()
_COUNTS = (_workspaces.id, *(_workspaces[counter] for counter in _COUNTERS))
_IDS = select(_workspaces.id).where(WORKSPACES.is_reached)
_STATS = select(*_COUNTS).where(_workspaces.id == ENTITY_ID, WORKSPACES.is_reached)
_COUNT_CONTENTS = (
    update(WORKSPACES.table)
    .where(_workspaces.id == ENTITY_ID, WORKSPACES.is_reached)
    .values(
        {
            counter: _workspaces[counter] + bindparam(f"added_{counter}", type_=Integer())
            for counter in _COUNTERS
        }
    )
    .returning(*_COUNTS)
)


class SqlAlchemyWorkspaces(SqlAlchemyPagedRepository[Workspace], WorkspaceRepository):
    def __init__(self, connection: Connection) -> None:
        super().__init__(connection, WORKSPACES)

    async def ids(self, reach: Reach) -> frozenset[UUID]:
        rows = await self._connection.fetch(_IDS, reach_parameters(reach))
        return frozenset(row[0] for row in rows)

    async def stats(self, reach: Reach, workspace_id: UUID) -> WorkspaceStats:
        return await self._stats(_STATS, reach, workspace_id)

    async def count_contents(
        self, reach: Reach, workspace_id: UUID, **added: int
    ) -> WorkspaceStats:
        if unknown := added.keys() - set(_COUNTERS):
            raise KeyError(*unknown)
        parameters = {f"added_{counter}": added.get(counter, 0) for counter in _COUNTERS}
        return await self._stats(_COUNT_CONTENTS, reach, workspace_id, **parameters)

    async def _stats(
        self, statement: Statement, reach: Reach, workspace_id: UUID, **parameters: object
    ) -> WorkspaceStats:
        own = reach_parameters(reach) | {"entity_id": workspace_id}
        rows = await self._connection.fetch(statement, own | parameters)
        if not rows:
            raise NotFound(Workspace.noun, workspace_id)
        return WorkspaceStats(*rows[0])
