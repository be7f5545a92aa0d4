"""The last observation of each repo; one statement reads or writes those of many repos."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import (
    JSON,
    ColumnElement,
    DateTime,
    Dialect,
    String,
    Table,
    Text,
    and_,
    bindparam,
    not_,
    null,
    or_,
    select,
)
from sqlalchemy import cast as sql_cast
from sqlalchemy.types import TypeDecorator

from symphony.domain.git.facts import read_facts
from symphony.domain.observations import (
    BoardFacts,
    BoardRepo,
    ObservationRepository,
    RepoObservation,
    UnlockedVault,
)
from symphony.domain.reach import Reach
from symphony.infrastructure.database.column_types import object_from_text
from symphony.infrastructure.database.connection import NOW, Connection
from symphony.infrastructure.database.entity_mapping import PARENT_ID
from symphony.infrastructure.database.mappings import REPOS, VAULTS, WORKSPACES
from symphony.infrastructure.database.models import RepoInspectionModel
from symphony.infrastructure.database.reach import reach_parameters
from symphony.infrastructure.database.sqlalchemy_internals import upsert
from symphony.infrastructure.database.statements.json_rows import rows_in
from symphony.infrastructure.database.statements.remembered_rows import RememberedRows
from symphony.infrastructure.database.vaults.lock_state import IS_LOCKED


class _ObservationsJson(TypeDecorator[Sequence[RepoObservation]]):
    """Observations as a JSON array; times are text in the form that the database uses."""

    impl = JSON
    cache_ok = True

    def process_bind_param(
        self, value: Sequence[RepoObservation] | None, dialect: Dialect
    ) -> list[dict[str, Any]]:
        return [
            {
                "repo_id": each.repo_id.hex,
                "path": each.path,
                "observed_at": _time_text(each.observed_at, dialect),
                "facts": each.to_json(),
                "times": _written_times(each),
            }
            for each in value or ()
        ]


_FIELDS = ("repo_id", "path", "observed_at", "facts", "times")
_AS_TEXT = ("facts", "times")  # decoded only when the row has changed
_TIME = DateTime(timezone=True).with_variant(String(), "sqlite")  # whose times are text
_OBJECT = JSON().with_variant(Text(), "sqlite")  # whose JSON is text

_table = cast("Table", RepoInspectionModel.__table__)
_repos = REPOS.table.c
_vaults = VAULTS.table.c
_workspaces = WORKSPACES.table.c

_IS_OF_USER = (WORKSPACES.is_reached, _workspaces.user_profile_id == PARENT_ID)
_IS_IN_WORKSPACE = _workspaces.id == bindparam("workspace_id")
# An observation of another path does not describe the repo.
_IS_OF_REPO = and_(_table.c.repo_id == _repos.id, _table.c.path == _repos.path)
_COMMON = ("id", "workspace_id", "name", "name_key")
_OBSERVATION = tuple(
    sql_cast(_table.c[name], Text) if name in _AS_TEXT else _table.c[name] for name in _FIELDS
)
_REPOS = (
    select(*(_repos[name] for name in _COMMON), _repos.path, *_OBSERVATION)
    .join_from(WORKSPACES.table, REPOS.table)
    .outerjoin(_table, _IS_OF_REPO)
    .where(*_IS_OF_USER)
)
_UNLOCKED_VAULTS = (
    select(
        *(_vaults[name] for name in _COMMON),
        # Only repos have a path here, and an observation.
        *(null() for _ in ("path", *_FIELDS)),
    )
    .join_from(WORKSPACES.table, VAULTS.table)
    .where(*_IS_OF_USER, not_(IS_LOCKED))
)
_BOARD = _REPOS.union_all(_UNLOCKED_VAULTS)
_BOARD_OF_WORKSPACE = _REPOS.where(_IS_IN_WORKSPACE).union_all(
    _UNLOCKED_VAULTS.where(_IS_IN_WORKSPACE)
)


def _new_value(name: str) -> ColumnElement[Any]:
    """Return a field of the observation to write."""
    value = _new_rows.c.value[name]
    if name == "facts":
        return value
    # Of `times`, the null of JSON becomes that of SQL.
    kind = {"observed_at": _TIME, "times": _OBJECT}.get(name, _table.c[name].type)
    return sql_cast(value.as_string(), kind)


_new_rows = rows_in(bindparam("observations", type_=_ObservationsJson))
_insert = upsert(_table).from_select(
    _FIELDS,
    select(*map(_new_value, _FIELDS))
    .join_from(_new_rows, REPOS.table, _repos.id == _new_value("repo_id"))
    .join(WORKSPACES.table)
    .where(_repos.path == _new_value("path"), WORKSPACES.is_reached)
    # Every writer of many locks the rows in this order, which prevents deadlocks.
    .order_by(_repos.id),
)
_KEEP = _insert.on_conflict_do_update(
    index_elements=[_table.c.repo_id],
    set_={name: _insert.excluded[name] for name in _FIELDS},
    where=or_(
        _insert.excluded.observed_at > _table.c.observed_at,
        # Stored by a clock that was ahead: it would be the latest until that time.
        _table.c.observed_at > NOW,
    ),
)


_MAX_BYTES = 16 << 20
_OBSERVED_AT = "observed_at"
_SINCE = "since"  # in the facts of revision 014, whose other programs do not read such facts


class SqlAlchemyObservations(ObservationRepository):
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def board_facts(
        self, reach: Reach, user_profile_id: UUID, workspace_id: UUID | None
    ) -> BoardFacts:
        parameters = reach_parameters(reach) | {"parent_id": user_profile_id}
        if workspace_id is None:
            statement = _BOARD
        else:
            statement = _BOARD_OF_WORKSPACE
            parameters["workspace_id"] = workspace_id
        rows, convert = await self._connection.fetch_unconverted(statement, parameters)
        found = _remembered.values(rows, convert)
        return BoardFacts(
            [each for each in found if isinstance(each, BoardRepo)],
            [each for each in found if isinstance(each, UnlockedVault)],
        )

    async def save(self, reach: Reach, observations: Sequence[RepoObservation]) -> None:
        parameters = reach_parameters(reach) | {"observations": observations}
        await self._connection.fetch(_KEEP, parameters)


def _board_fact(row: Sequence[Any]) -> BoardRepo | UnlockedVault:
    common, path = dict(zip(_COMMON, row, strict=False)), row[len(_COMMON)]
    if path is None:
        return UnlockedVault(**common)
    observation = _observation(row[len(_COMMON) + 1 :])
    return BoardRepo(**common, path=path, observation=observation)


def _observation(row: Sequence[Any]) -> RepoObservation | None:
    """Return the observation in a row; None when there is none, or only one of another version."""
    repo_id, path, observed_at, written, written_times = row
    if repo_id is None:
        return None
    found = dict(object_from_text(written))
    times = found.pop(_SINCE, None) or _times_of(observed_at, written_times)
    if (facts := read_facts(found, times)) is None:
        return None
    return RepoObservation(repo_id=repo_id, path=path, observed_at=observed_at, **facts)


def _written_times(observation: RepoObservation) -> dict[str, Any] | None:
    """Return the times in the facts of an observation, with what shows that they are of that one:
    programs of revision 014 replace its facts, and leave the times of another one beside them."""
    times = observation.times_to_json()
    return {_OBSERVED_AT: _identity(observation.observed_at), **times} if times else None


def _times_of(observed_at: datetime, written: str | None) -> dict[str, Any] | None:
    times = object_from_text(written)
    return times if times.get(_OBSERVED_AT) == _identity(observed_at) else None


def _identity(observed_at: datetime) -> str:
    return observed_at.astimezone(UTC).isoformat()


def _time_text(value: datetime, dialect: Dialect) -> str:
    utc = value.astimezone(UTC)
    is_sqlite = dialect.name == "sqlite"
    return (utc.replace(tzinfo=None) if is_sqlite else utc).isoformat(" ", "microseconds")


_remembered = RememberedRows(_board_fact, _MAX_BYTES)
