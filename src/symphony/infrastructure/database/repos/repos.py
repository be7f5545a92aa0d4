"""Repos in the database."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import starmap
from typing import Any
from uuid import UUID

from sqlalchemy import Boolean, FunctionElement, Text, bindparam, or_, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler

from symphony.domain.base import Page, PageRequest
from symphony.domain.reach import Reach
from symphony.domain.repos import RegisteredRepo, Repo, RepoRepository
from symphony.infrastructure.database.base_repository import (
    ESCAPE,
    SqlAlchemyPagedRepository,
    containing,
    position_of,
)
from symphony.infrastructure.database.connection import Connection
from symphony.infrastructure.database.entity_mapping import PARENT_ID, ListScope
from symphony.infrastructure.database.mappings import REPOS, USER_PROFILES, WORKSPACES
from symphony.infrastructure.database.reach import is_reached, reach_parameters

_repos = REPOS.table.c
_workspaces = WORKSPACES.table.c
_own = WORKSPACES.table.alias("own")


class _IsOneOf(FunctionElement[bool]):
    """For PostgreSQL, the condition that a column has one of the values of a subquery.

    It repeats a condition of a join, whose rows PostgreSQL estimates by the average user: it then
    reads all repos of all users. The array is read first, and its values are looked up in an index.
    """

    type = Boolean()
    inherit_cache = True


@compiles(_IsOneOf, "postgresql")
def _in_postgresql(element: _IsOneOf, compiler: SQLCompiler, **options: Any) -> str:  # pyright: ignore[reportUnusedFunction] - SQLAlchemy calls it
    value, subquery = (compiler.process(each, **options) for each in element.clauses)
    return f"{value} = ANY (ARRAY{subquery})"


@compiles(_IsOneOf, "sqlite")
def _in_sqlite(_: _IsOneOf, _compiler: SQLCompiler, **_options: Any) -> str:  # pyright: ignore[reportUnusedFunction] - SQLAlchemy calls it
    return "true"


# The names of a user's repos are unique within each workspace only.
_OF_USER = ListScope(
    REPOS.select_reached.where(
        _workspaces.user_profile_id == PARENT_ID,
        _IsOneOf(
            _repos.workspace_id,
            select(_own.c.id).where(is_reached(_own)).scalar_subquery(),
        ),
    ),
    unique_names=False,
    is_sorted=True,
)
# All that can have the remote, and a few others: without an escape, an address contains the path as
# it is compared. The database cannot normalize an address, so `page_of_user` compares them.
_MAY_HAVE_REMOTE = or_(
    _repos.remote_url.like(bindparam("path_pattern", type_=Text()), escape=ESCAPE),
    _repos.remote_url.like(bindparam("escaped_pattern", type_=Text()), escape=ESCAPE),
)
_OF_USER_BY_REMOTE = replace(_OF_USER, select=_OF_USER.select.where(_MAY_HAVE_REMOTE))
_CANDIDATES = 200
_REGISTERED = (
    select(_repos.name, _repos.path)
    .join_from(REPOS.table, WORKSPACES.table)
    .where(REPOS.is_reached, _repos.workspace_id == PARENT_ID)
    .order_by(_repos.name_key)
)


class SqlAlchemyRepos(SqlAlchemyPagedRepository[Repo], RepoRepository):
    def __init__(self, connection: Connection) -> None:
        super().__init__(connection, REPOS)

    async def registered(self, reach: Reach, workspace_id: UUID) -> Sequence[RegisteredRepo]:
        parameters = reach_parameters(reach) | {"parent_id": workspace_id}
        rows = await self._connection.fetch(_REGISTERED, parameters)
        if not rows:
            await self._require(WORKSPACES, reach, workspace_id)
        return list(starmap(RegisteredRepo, rows))

    async def page_of_user(
        self,
        reach: Reach,
        user_profile_id: UUID,
        request: PageRequest,
        *,
        workspace_id: UUID | None = None,
        remote: str | None = None,
    ) -> Page[Repo]:
        if workspace_id is not None:
            filters = {**request.filters, "workspace_id": workspace_id}
            request = replace(request, filters=filters)
        if remote is None:
            page = await self._page(_OF_USER, reach, user_profile_id, request)
        else:
            page = await self._page_by_remote(reach, user_profile_id, request, remote)
        if not page.items:
            await self._require(USER_PROFILES, reach, user_profile_id)
            if workspace_id is not None:
                await self._require(WORKSPACES, reach, workspace_id)
        return page

    async def _page_by_remote(
        self, reach: Reach, user_profile_id: UUID, request: PageRequest, remote: str
    ) -> Page[Repo]:
        patterns = {
            "path_pattern": containing(remote.partition("/")[2]),
            "escaped_pattern": containing("%"),
        }
        found: list[Repo] = []
        after = request.after
        while len(found) <= request.limit:
            candidates = await self._page(
                _OF_USER_BY_REMOTE,
                reach,
                user_profile_id,
                replace(request, limit=_CANDIDATES, after=after),
                **patterns,
            )
            found += [each for each in candidates.items if each.remote == remote]
            after = candidates.next
            if after is None:
                break
        items = found[: request.limit]
        has_more = len(found) > request.limit
        return Page(items, position_of(items[-1], request.sort) if has_more else None)

    async def add_all(self, repos: Sequence[Repo]) -> None:
        values = [self._mapping.to_values(repo) for repo in repos]
        await self._connection.execute_many(self._mapping.insert, values)
