"""Repos in the database."""

from collections.abc import Sequence
from itertools import starmap
from uuid import UUID

from sqlalchemy import select

from symphony.domain.repos import RegisteredRepo, Repo, RepoRepository
from symphony.infrastructure.database.base_repository import PARENT_ID, SqlAlchemyPagedRepository
from symphony.infrastructure.database.connection import Connection
from symphony.infrastructure.database.entity_mapping import OWNER_ID
from symphony.infrastructure.database.mappings import REPOS, WORKSPACES

_repos = REPOS.table.c
_REGISTERED = (
    select(_repos.name, _repos.path)
    .join_from(REPOS.table, WORKSPACES.table)
    .where(REPOS.owner == OWNER_ID, _repos.workspace_id == PARENT_ID)
    .order_by(_repos.name_key)
)


class SqlAlchemyRepos(SqlAlchemyPagedRepository[Repo], RepoRepository):
    def __init__(self, connection: Connection) -> None:
        super().__init__(connection, REPOS)

    async def registered(self, owner_id: UUID, workspace_id: UUID) -> Sequence[RegisteredRepo]:
        parameters = {"owner_id": owner_id, "parent_id": workspace_id}
        rows = await self._connection.fetch(_REGISTERED, parameters)
        if not rows:
            await self._require_parent(owner_id, workspace_id)
        return list(starmap(RegisteredRepo, rows))

    async def add_all(self, repos: Sequence[Repo]) -> None:
        values = [self._mapping.to_values(repo) for repo in repos]
        await self._connection.execute_many(self._mapping.insert, values)
