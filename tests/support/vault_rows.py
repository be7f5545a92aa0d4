"""Rows of vaults, as an attacker with access to the database can read and change them."""

import copy
from collections.abc import Generator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, cast
from uuid import UUID, uuid4

from sqlalchemy import Column, ColumnElement, Table, delete, insert, literal_column, select
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from symphony.infrastructure.database.engine import Engines
from symphony.infrastructure.database.models import Model

TABLES = [
    each
    for each in Model.metadata.sorted_tables
    if each.name == "vaults" or each.name.startswith("vault_")
]
# JSON that one database or both accept, and that Python cannot read or that is no object.
NOT_READABLE = (
    '{"a":"\\ud800"}',
    '{"a":1e999}',
    f'{{"a":{"1" * 5000}}}',
    '{"a":' * 300 + "1" + "}" * 300,
    "[1]",
    "null",
)
_ATTEMPTS = Model.metadata.tables["attempt_counters"]

Row = dict[str, Any]
Rows = dict[str, list[Row]]


async def read_rows(engines: Engines) -> Rows:
    """Return all rows of all vaults, by table."""
    async with engines.read.connect() as connection:
        return {
            table.name: [
                dict(row)
                for row in (
                    await connection.execute(select(table).order_by(*table.primary_key))
                ).mappings()
            ]
            for table in TABLES
        }


async def write_rows(engines: Engines, rows: Rows) -> bool:
    """Replace all rows; return False if the database refuses them."""
    try:
        async with engines.write.begin() as connection:
            await connection.execute(delete(_ATTEMPTS))
            for table in reversed(TABLES):
                await connection.execute(delete(table))
            for table in TABLES:
                for row in rows[table.name]:
                    await connection.execute(insert(table).values(row))
    except (OperationalError, InterfaceError):
        raise
    except DBAPIError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class Alteration:
    """A column of one row that was changed, and all rows after the change."""

    table: str
    column: str
    how: str
    vaults: frozenset[UUID]
    """The vaults of the changed rows, before and after the change."""
    rows: Rows

    def __str__(self) -> str:
        return f"{self.table}.{self.column}: {self.how}"


def alterations(table: Table, rows: Rows, older: Rows, of: set[UUID]) -> Generator[Alteration]:
    """Change each column of each row of some vaults in a table, to each plausible value."""
    for number, row in enumerate(rows[table.name]):
        if vault_of(rows, table.name, row) not in of:
            continue
        for column in table.columns:
            for how, value in _others(column, row[column.key]):
                yield _change(rows, table, column, number, how, value)
            for other_number in _neighbours(rows, table, number, column.key):
                other = rows[table.name][other_number][column.key]
                yield _change(rows, table, column, number, "another row's", other)
                swapped = _change(rows, table, column, number, "swapped", other)
                swapped.rows[table.name][other_number][column.key] = row[column.key]
                yield _with_vaults(rows, swapped, table.name, (number, other_number))
            for before in older[table.name]:
                same = all(before[key.key] == row[key.key] for key in table.primary_key)
                if same and before[column.key] != row[column.key]:
                    old = before[column.key]
                    yield _change(rows, table, column, number, "as it was before", old)


def vault_of(rows: Rows, table: str, row: Row) -> UUID | None:
    """Return the vault of a row."""
    if table == "vaults":
        return row["id"]
    if table == "vault_entry_versions":
        entries = {each["id"]: each["vault_id"] for each in rows["vault_entries"]}
        return entries.get(row["entry_id"])
    return row["vault_id"]


def _neighbours(rows: Rows, table: Table, number: int, column: str) -> Generator[int]:
    """Find a row of the same vault, and one of another vault, with another value in a column."""
    all_rows = rows[table.name]
    own = vault_of(rows, table.name, all_rows[number])
    for same in (True, False):
        yield from [
            other
            for other, row in enumerate(all_rows)
            if row[column] != all_rows[number][column]
            and (vault_of(rows, table.name, row) == own) is same
        ][:1]


def _change(
    rows: Rows, table: Table, column: Column[Any], number: int, how: str, value: Any
) -> Alteration:
    changed = {name: [*map(copy.copy, each)] for name, each in rows.items()}
    changed[table.name][number][column.key] = value
    alteration = Alteration(table.name, column.key, how, frozenset(), changed)
    return _with_vaults(rows, alteration, table.name, (number,))


def _with_vaults(
    rows: Rows, alteration: Alteration, table: str, numbers: tuple[int, ...]
) -> Alteration:
    vaults = {
        vault_of(state, table, state[table][number])
        for state in (rows, alteration.rows)
        for number in numbers
    }
    known = frozenset(each for each in vaults if each is not None)
    return replace(alteration, vaults=known)


def _others(  # noqa: PLR0912 - one branch per kind of value
    column: Column[Any], value: Any
) -> Generator[tuple[str, Any]]:
    """Yield other values for a column, each with a word for the difference."""
    if value is not None and column.nullable:
        yield "null", None
    match value:
        case None:
            kind = column.type.python_type
            if kind is bytes:
                yield "not null", bytes(16)
            elif kind is int:
                yield "not null", 1
        case bool():
            yield "negated", not value
        case Enum():
            yield from (("another word", each) for each in type(value) if each is not value)
        case int():
            yield from (("another number", each) for each in (value + 1, value - 1, 0, 2**31 - 1))
        case bytes():
            for place in (0, len(value) - 1):
                flipped = bytes(b ^ (i == place) for i, b in enumerate(value))
                yield f"a bit of byte {place} flipped", flipped
            yield "cut off", value[:-1]
            yield "longer", value + b"\0"
            yield "empty", b""
        case str():
            yield "longer", f"{value}x"
            yield "not UTF-8", _text(value.encode() + b"\xff")
        case datetime():
            yield "before Python's first", literal_column("'0000-01-01 00:00:00.000000'")
            yield "after Python's last", literal_column("'20000-01-01'")
            yield "before all", literal_column("'-infinity'")
            yield from (
                ("another time", value + timedelta(**by))
                for by in ({"days": 1}, {"days": -1}, {"microseconds": 1})
            )
        case UUID():
            yield "unknown", uuid4()
        case dict():
            yield "more in it", {**cast("dict[str, Any]", value), "more": 1}
            for text in NOT_READABLE:
                yield f"{text[:20]}", literal_column(f"'{text}'")
            yield "not UTF-8", _text(b'{"a":"\xff"}')
        case _:
            raise AssertionError(f"no other value is known for {column}: {value!r}")


def _text(content: bytes) -> ColumnElement[str]:
    """Return bytes as a text, which only SQLite accepts."""
    return literal_column(f"CAST(CAST(x'{content.hex()}' AS blob) AS text)")
