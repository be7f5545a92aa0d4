"""Rows that a statement gets as one parameter: a JSON array. Both databases read it."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import (
    JSON,
    BindParameter,
    FunctionElement,
    Select,
    TableValuedAlias,
    Uuid,
    bindparam,
    column,
    select,
)
from sqlalchemy import cast as sql_cast
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler


class Elements(FunctionElement[Any]):
    """The elements of a JSON array as rows, each in the column `value`."""

    inherit_cache = True


@compiles(Elements, "postgresql")
def _in_postgresql(element: Elements, compiler: SQLCompiler, **options: Any) -> str:  # pyright: ignore[reportUnusedFunction] - SQLAlchemy calls it
    return f"json_array_elements({compiler.process(element.clauses, **options)})"


@compiles(Elements, "sqlite")
def _in_sqlite(element: Elements, compiler: SQLCompiler, **options: Any) -> str:  # pyright: ignore[reportUnusedFunction] - SQLAlchemy calls it
    return f"json_each({compiler.process(element.clauses, **options)})"


def rows_in(parameter: BindParameter[Any], name: str = "new_rows") -> TableValuedAlias:
    """Return the rows of a parameter; their column `value` is JSON."""
    return Elements(parameter).table_valued(column("value", JSON), name=name)


def ids_in(parameter: str) -> Select[UUID]:
    """Select the ids in a parameter, whose value is from `json_ids`."""
    rows = rows_in(bindparam(parameter, type_=JSON), "given_ids")
    return select(sql_cast(rows.c.value["id"].as_string(), Uuid()))


def json_ids(ids: Iterable[UUID]) -> list[dict[str, str]]:
    """Return the value of a parameter with ids."""
    return [{"id": each.hex} for each in ids]
