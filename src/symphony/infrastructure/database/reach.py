"""The reach of a caller in SQL: the one condition of ownership and confinement.

Every statement that reads or writes workspaces, or what they contain, has this condition
(`IS_REACHED`), or says why it needs none (`without_reach`). A connection refuses to run any other
one, so no query can forget it; that a query uses it rightly is what the tests are for.
"""

import re
from enum import StrEnum
from functools import cache
from typing import Any, TypeVar, cast
from uuid import UUID

from sqlalchemy import (
    BindParameter,
    Column,
    ColumnElement,
    Dialect,
    Executable,
    FunctionElement,
    Table,
    Text,
    and_,
    bindparam,
    case,
    exists,
    func,
    null,
    or_,
    select,
)
from sqlalchemy import cast as sql_cast
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler

from symphony.domain.reach import Reach
from symphony.infrastructure.database.models import (
    ApiTokenModel,
    ApiTokenWorkspaceModel,
    Model,
    WorkspaceModel,
)
from symphony.infrastructure.database.sqlalchemy_internals import (
    DirectlyReadType,
    Prepared,
    Processor,
    Statement,
)

StatementT = TypeVar("StatementT", bound=Executable)

OWNER_ID: BindParameter[UUID] = bindparam("owner_id")
_CONFINED_BY = "confined_by"
_WORKSPACES = cast("Table", WorkspaceModel.__table__)
_CONFINEMENTS = cast("Table", ApiTokenWorkspaceModel.__table__)
_INSIDE = _CONFINEMENTS.c
_REASON = "without_reach"
_WORD = re.compile(r"\w+")


def is_reached(workspaces: Any) -> ColumnElement[bool]:
    """Return the condition that a caller reaches a workspace, a row of a table or its alias."""
    confined_by = bindparam(_CONFINED_BY, type_=_INSIDE.api_token_id.type)
    is_inside = (_INSIDE.api_token_id == confined_by, _INSIDE.workspace_id == workspaces.c.id)
    return and_(
        workspaces.c.user_profile_id == OWNER_ID,
        or_(confined_by.is_(None), exists().where(*is_inside).correlate(workspaces)),
    )


IS_REACHED = is_reached(_WORKSPACES)


def is_owned(owner: Column[Any]) -> ColumnElement[bool]:
    """Return the condition that a caller owns the row with this column, and reaches it."""
    return IS_REACHED if owner.table is _WORKSPACES else owner == OWNER_ID


def reach_parameters(reach: Reach) -> dict[str, Any]:
    """Return the parameters of the conditions."""
    return {OWNER_ID.key: reach.user_id, _CONFINED_BY: reach.confined_by}


class Because(StrEnum):
    """A reason why a statement on what workspaces contain needs no reach."""

    IS_CREATED = "the container is locked, and what is created in it is the caller's"
    WAS_LOOKED_UP = "the unit of work has looked the entity up before"
    VAULT_IS_LOCKED = "the unit of work has locked the row of the vault"
    HAS_EXPIRED = "expired sessions are removed for all users"
    RECOGNIZES_CHECKOUTS = "which repo a checkout is of depends on all repos of the user"
    IS_OPERATORS = "the operator sees all users"


def without_reach(statement: StatementT, because: Because) -> StatementT:
    """Return a statement that looks up nothing for a caller, with the reason for that."""
    return statement.execution_options(**{_REASON: because})


class ReachMissing(RuntimeError):
    """A statement reads or writes what workspaces contain, whatever the caller reaches."""


def require_reach(statement: Statement, prepared: Prepared) -> None:
    """Require the condition in a statement that needs it. Raises: ReachMissing."""
    tables = set(_WORD.findall(prepared.sql)) & tables_in_workspaces()
    has_reach = any(name == _CONFINED_BY for name, _ in prepared.parameters)
    if tables and not has_reach and not statement.get_execution_options().get(_REASON):
        names = ", ".join(sorted(tables))
        raise ReachMissing(f"a statement on {names} ignores what a caller reaches: {prepared.sql}")


@cache
def tables_in_workspaces() -> frozenset[str]:
    """Return the names of the tables of workspaces, and of all that they contain."""
    tables = Model.metadata.tables.values()
    found = set[str]()
    added = {_WORKSPACES.name}
    while added:
        found |= added
        added = {
            each.name
            for each in tables
            if each is not _CONFINEMENTS
            and each.name not in found
            and any(key.column.table.name in found for key in each.foreign_keys)
        }
    return frozenset(found)


class _Ids(DirectlyReadType[tuple[UUID, ...]]):
    """Ids as a text with spaces between them; read in their order."""

    impl = Text()
    cache_ok = True

    @property
    def python_type(self) -> type[Any]:
        return cast("type[Any]", tuple[UUID, ...])

    def reader(self, dialect: Dialect) -> Processor | None:
        return _ids


def _ids(text: str | None) -> tuple[UUID, ...] | None:
    return None if text is None else tuple(map(UUID, sorted(text.split())))


class _WithSpaces(FunctionElement[str]):
    """The texts of all rows, with spaces between them."""

    type = Text()
    inherit_cache = True


@compiles(_WithSpaces, "postgresql")
def _in_postgresql(element: _WithSpaces, compiler: SQLCompiler, **options: Any) -> str:  # pyright: ignore[reportUnusedFunction] - SQLAlchemy calls it
    return f"string_agg({compiler.process(element.clauses, **options)}, ' ')"


@compiles(_WithSpaces, "sqlite")
def _in_sqlite(element: _WithSpaces, compiler: SQLCompiler, **options: Any) -> str:  # pyright: ignore[reportUnusedFunction] - SQLAlchemy calls it
    return f"group_concat({compiler.process(element.clauses, **options)}, ' ')"


_TOKENS = cast("Table", ApiTokenModel.__table__)
_ids_of_token = (
    select(_WithSpaces(sql_cast(_INSIDE.workspace_id, Text)))
    .where(_INSIDE.api_token_id == _TOKENS.c.id)
    .correlate(_TOKENS)
    .scalar_subquery()
)
CONFINED_TO: ColumnElement[Any] = sql_cast(
    case((_TOKENS.c.is_confined, func.coalesce(_ids_of_token, "")), else_=null()), _Ids
)
"""The ids of the workspaces to which an API token is confined; null if it is not."""
