"""What the last sync of each repo saw of its remote."""

from collections.abc import Mapping, Sequence
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Table, Text, and_, bindparam, select
from sqlalchemy import cast as sql_cast

from symphony.domain.git.work import Comparison, RemoteHeads
from symphony.domain.reach import Reach
from symphony.domain.sync import RemoteHeadsRepository
from symphony.infrastructure.database.column_types import object_from_text
from symphony.infrastructure.database.connection import Connection
from symphony.infrastructure.database.entity_mapping import ENTITY_ID, PARENT_ID
from symphony.infrastructure.database.mappings import REPOS, WORKSPACES
from symphony.infrastructure.database.models import RemoteHeadsModel
from symphony.infrastructure.database.reach import Because, reach_parameters, without_reach
from symphony.infrastructure.database.sqlalchemy_internals import upsert
from symphony.infrastructure.database.statements.remembered_rows import RememberedRows

_table = cast("Table", RemoteHeadsModel.__table__)
_repos = REPOS.table.c
_workspaces = WORKSPACES.table.c

_MAX_BYTES = 8 << 20
_COLUMNS = ("repo_id", "remote_url", "synced_at", "heads")
# What was seen of another remote says nothing about this one.
_IS_OF_REPO = and_(_table.c.repo_id == _repos.id, _table.c.remote_url == _repos.remote_url)
_SELECT = (
    # The heads as text, which is decoded only when it has changed.
    select(*(_table.c[name] for name in _COLUMNS[:-1]), sql_cast(_table.c.heads, Text))
    .join_from(WORKSPACES.table, REPOS.table)
    .join(_table, _IS_OF_REPO)
    .where(WORKSPACES.is_reached)
)
_OF_REPO = _SELECT.where(_repos.id == ENTITY_ID)
_OF_USER = _SELECT.where(_workspaces.user_profile_id == PARENT_ID)
_OF_WORKSPACE = _OF_USER.where(_workspaces.id == bindparam("workspace_id"))
_insert = upsert(_table).values({name: bindparam(f"new_{name}") for name in _COLUMNS})
_KEEP = without_reach(
    _insert.on_conflict_do_update(
        index_elements=[_table.c.repo_id],
        set_={name: _insert.excluded[name] for name in _COLUMNS},
    ),
    Because.WAS_LOOKED_UP,
)


class SqlAlchemyRemoteHeads(RemoteHeadsRepository):
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def of_repo(self, reach: Reach, repo_id: UUID) -> RemoteHeads | None:
        parameters = reach_parameters(reach) | {"entity_id": repo_id}
        rows = await self._connection.fetch(_OF_REPO, parameters)
        return _heads(rows[0]) if rows else None

    async def of_user(
        self, reach: Reach, user_profile_id: UUID, workspace_id: UUID | None
    ) -> Mapping[UUID, RemoteHeads]:
        parameters = reach_parameters(reach) | {"parent_id": user_profile_id}
        if workspace_id is None:
            statement = _OF_USER
        else:
            statement = _OF_WORKSPACE
            parameters["workspace_id"] = workspace_id
        rows, convert = await self._connection.fetch_unconverted(statement, parameters)
        return dict(_remembered.values(rows, convert))

    async def save(self, repo_id: UUID, heads: RemoteHeads) -> None:
        compared = heads.comparison
        values = {
            "new_repo_id": repo_id,
            "new_remote_url": heads.remote_url,
            "new_synced_at": heads.synced_at,
            "new_heads": {
                "branches": dict(heads.branches),
                "default_branch": heads.default_branch,
                "tags": sorted(heads.tags),
                "is_complete": heads.is_complete,
                "comparison": compared
                and [compared.head, compared.upstream, compared.ahead, compared.behind],
            },
        }
        await self._connection.fetch(_KEEP, values)


def _heads(row: Sequence[Any]) -> RemoteHeads:
    _, remote_url, synced_at, written = row
    seen = object_from_text(written)
    compared = seen["comparison"]
    return RemoteHeads(
        remote_url=remote_url,
        branches=seen["branches"],
        default_branch=seen["default_branch"],
        comparison=None if compared is None else Comparison(*compared),
        tags=frozenset(seen.get("tags", ())),
        is_complete=seen["is_complete"],
        synced_at=synced_at,
    )


def _of_repo(row: Sequence[Any]) -> tuple[UUID, RemoteHeads]:
    return row[0], _heads(row)


_remembered = RememberedRows(_of_repo, _MAX_BYTES)
