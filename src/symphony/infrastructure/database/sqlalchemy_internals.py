"""Internals of SQLAlchemy: compiled statements, type processors and one shared dialect construct.

`docs/decisions/dependencies.md` lists each of them with its reason, and
`tests/contracts/test_sqlalchemy.py` checks that it still behaves as expected.
"""

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

from sqlalchemy import Dialect, Select, UpdateBase

# SQLite's compiler accepts PostgreSQL's construct: one statement with ON CONFLICT for both.
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.types import TypeDecorator, TypeEngine

__all__ = [
    "DirectlyReadType",
    "Prepared",
    "Processor",
    "Rows",
    "Statement",
    "equal_dialect",
    "prepare",
    "upsert",
]

Statement: TypeAlias = Select[*tuple[Any, ...]] | UpdateBase
Rows: TypeAlias = Sequence[Sequence[Any]]
Processor: TypeAlias = Callable[[Any], Any]
_T = TypeVar("_T")

_dialects = dict[tuple[type[Dialect], object], Dialect]()


class DirectlyReadType(TypeDecorator[_T]):
    """A column type whose stored values are converted by one function.

    It overrides `result_processor`, although SQLAlchemy advises subclasses of TypeDecorator against
    that: `process_result_value` adds two calls for each value.
    """

    __abstract__ = True

    @property
    def python_type(self) -> type[Any]:
        """The type of the values; TypeDecorator itself does not know it."""
        return self.impl_instance.python_type

    @abstractmethod
    def reader(self, dialect: Dialect) -> Processor | None:
        """Return the conversion of the driver's values; None when they need none."""

    def result_processor(self, dialect: Dialect, coltype: object) -> Any:
        return self.reader(dialect)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A compiled statement, as a driver runs it."""

    sql: str
    parameters: tuple[tuple[str, Processor | None], ...]
    """The names in the order of the placeholders, with the conversion to the driver's value."""
    constants: Mapping[str, Any]
    """The values that are part of the statement."""
    conversions: tuple[tuple[int, Processor], ...]
    """The columns of the result that need a conversion from the driver's value."""
    takes_now: bool
    """Whether `now` is a parameter."""

    def arguments(self, given: Mapping[str, Any]) -> list[Any]:
        """Return the driver's arguments. Raises: KeyError for a missing parameter."""
        values = {**self.constants, **given}
        return [
            process(values[name]) if process else values[name] for name, process in self.parameters
        ]

    def convert(self, rows: Any) -> Rows:
        """Return the rows with the Python values of their columns' types."""
        if not self.conversions:
            return rows
        converted = [list(row) for row in rows]
        for column, process in self.conversions:
            for row in converted:
                row[column] = process(row[column])
        return converted


def equal_dialect(dialect: Dialect) -> Dialect:
    """Return the same dialect for all engines whose databases compile statements alike.

    Each engine has a dialect of its own, so that each would compile every statement again. Apart
    from the version of the server, those of a driver are equal: `engine.py` has one call for each.
    """
    version: object = getattr(dialect, "server_version_info", None)
    return _dialects.setdefault((type(dialect), version), dialect)


def prepare(statement: Statement, dialect: Dialect) -> Prepared:
    """Compile a statement for a dialect."""
    compiled = statement.compile(dialect=dialect)
    names = compiled.positiontup or ()
    binds = compiled.binds
    return Prepared(
        str(compiled),
        tuple((name, _bind_processor(binds[name].type, dialect)) for name in names),
        {name: binds[name].value for name in names if not binds[name].required},
        tuple(
            (index, process)
            for index, column in enumerate(statement.exported_columns)
            if (process := _result_processor(column.type, dialect))
        ),
        "now" in names,
    )


def _bind_processor(kind: TypeEngine[Any], dialect: Dialect) -> Processor | None:
    return kind.dialect_impl(dialect).bind_processor(dialect)


def _result_processor(kind: TypeEngine[Any], dialect: Dialect) -> Processor | None:
    return kind.dialect_impl(dialect).result_processor(dialect, None)
