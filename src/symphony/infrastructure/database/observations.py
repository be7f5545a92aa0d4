"""What was last seen of repos: read beside them, and written in one statement for many."""

from collections.abc import Sequence
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import (
    JSON,
    ColumnElement,
    DateTime,
    Dialect,
    FunctionElement,
    String,
    Table,
    and_,
    bindparam,
    column,
    not_,
    null,
    select,
)
from sqlalchemy import cast as sql_cast
from sqlalchemy.dialects.postgresql import insert  # SQLite's compiler takes it as well
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.types import TypeDecorator

from symphony.domain.attention import (
    BoardFacts,
    BoardRepo,
    ObservationRepository,
    RepoObservation,
    UnlockedVault,
)
from symphony.domain.git import RepoState
from symphony.infrastructure.database.base_repository import PARENT_ID
from symphony.infrastructure.database.connection import Connection
from symphony.infrastructure.database.mapping import OWNER_ID
from symphony.infrastructure.database.models import RepoObservationModel
from symphony.infrastructure.database.repositories import IS_LOCKED, REPOS, VAULTS, WORKSPACES


class _Json(TypeDecorator[Sequence[RepoObservation]]):
    """Observations as a JSON array, in which times are text as the database writes them."""

    impl = JSON
    cache_ok = True

    def process_bind_param(
        self, value: Sequence[RepoObservation] | None, dialect: Dialect
    ) -> list[dict[str, Any]]:
        return [
            {name: _plain(getattr(each, name), dialect) for name in _FIELDS} for each in value or ()
        ]


class _Elements(FunctionElement[Any]):
    """The elements of a JSON array as rows, each in the column `value`."""

    inherit_cache = True


@compiles(_Elements, "postgresql")
def _in_postgresql(element: _Elements, compiler: SQLCompiler, **options: Any) -> str:  # pyright: ignore[reportUnusedFunction] - SQLAlchemy calls it
    return f"json_array_elements({compiler.process(element.clauses, **options)})"


@compiles(_Elements, "sqlite")
def _in_sqlite(element: _Elements, compiler: SQLCompiler, **options: Any) -> str:  # pyright: ignore[reportUnusedFunction] - SQLAlchemy calls it
    return f"json_each({compiler.process(element.clauses, **options)})"


_FIELDS = tuple(field.name for field in fields(RepoObservation))
_TIME = DateTime(timezone=True).with_variant(String(), "sqlite")  # whose times are text

_table = cast("Table", RepoObservationModel.__table__)
_repos = REPOS.table.c
_vaults = VAULTS.table.c
_workspaces = WORKSPACES.table.c

_OF_USER = (_workspaces.user_profile_id == OWNER_ID, _workspaces.user_profile_id == PARENT_ID)
_IN_ONE = _workspaces.id == bindparam("workspace_id")
# What was seen at another path says nothing of the repo.
_OF_REPO = and_(_table.c.repo_id == _repos.id, _table.c.path == _repos.path)
_SHOWN = ("id", "workspace_id", "name", "name_key")
_REPOS = (
    select(*(_repos[name] for name in _SHOWN), _repos.path, *(_table.c[name] for name in _FIELDS))
    .join_from(WORKSPACES.table, REPOS.table)
    .outerjoin(_table, _OF_REPO)
    .where(*_OF_USER)
)
_UNLOCKED_VAULTS = (
    select(
        *(_vaults[name] for name in _SHOWN),
        # Only repos have a path here, and what was seen.
        *(null() for _ in ("path", *_FIELDS)),
    )
    .join_from(WORKSPACES.table, VAULTS.table)
    .where(*_OF_USER, not_(IS_LOCKED))
)
_KNOWN = _REPOS.union_all(_UNLOCKED_VAULTS)
_KNOWN_IN_ONE = _REPOS.where(_IN_ONE).union_all(_UNLOCKED_VAULTS.where(_IN_ONE))


def _given(name: str) -> ColumnElement[Any]:
    """A field of the observation that is to be kept."""
    kind = _table.c[name].type
    text = _seen.c.value[name].as_string()
    return sql_cast(text, _TIME if name.endswith("_at") else kind)


_seen = _Elements(bindparam("observations", type_=_Json)).table_valued(
    column("value", JSON), name="seen"
)
_new = insert(_table).from_select(
    _FIELDS,
    select(*map(_given, _FIELDS))
    .join_from(_seen, REPOS.table, _repos.id == _given("repo_id"))
    .join(WORKSPACES.table)
    .where(_repos.path == _given("path"), _workspaces.user_profile_id == OWNER_ID)
    # All who keep many lock them in this order.
    .order_by(_repos.id),
)
_KEEP = _new.on_conflict_do_update(
    index_elements=[_table.c.repo_id],
    set_={name: _new.excluded[name] for name in _FIELDS},
    where=_new.excluded.observed_at > _table.c.observed_at,
)


class SqlAlchemyObservations(ObservationRepository):
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def board_facts(
        self, owner_id: UUID, user_profile_id: UUID, workspace_id: UUID | None
    ) -> BoardFacts:
        parameters = {"owner_id": owner_id, "parent_id": user_profile_id}
        if workspace_id is None:
            rows = await self._connection.rows(_KNOWN, parameters)
        else:
            in_one = {"workspace_id": workspace_id}
            rows = await self._connection.rows(_KNOWN_IN_ONE, parameters | in_one)
        repos = list[BoardRepo]()
        vaults = list[UnlockedVault]()
        for row in rows:
            shown, path = dict(zip(_SHOWN, row, strict=False)), row[len(_SHOWN)]
            if path is None:
                vaults.append(UnlockedVault(**shown))
            else:
                observation = _observation(row[len(_SHOWN) + 1 :])
                repos.append(BoardRepo(**shown, path=path, observation=observation))
        return BoardFacts(repos, vaults)

    async def save(self, owner_id: UUID, observations: Sequence[RepoObservation]) -> None:
        await self._connection.rows(_KEEP, {"owner_id": owner_id, "observations": observations})


def _observation(row: Sequence[Any]) -> RepoObservation | None:
    values = dict[str, Any](zip(_FIELDS, row, strict=True))
    if values["repo_id"] is None:
        return None
    values["state"] = RepoState(values["state"])
    return RepoObservation(**values)


def _plain(value: object, dialect: Dialect) -> object:
    if isinstance(value, UUID):
        return value.hex
    if isinstance(value, datetime):
        utc = value.astimezone(UTC)
        is_sqlite = dialect.name == "sqlite"
        return (utc.replace(tzinfo=None) if is_sqlite else utc).isoformat(" ", "microseconds")
    return value
