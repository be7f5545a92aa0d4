"""Check constraints for the types of columns on SQLite.

SQLite stores values of any type in any column, PostgreSQL does not. Without these checks a value of
another type, written to the database by other means, could not be distinguished from damaged data.
"""

from typing import Any, cast

from sqlalchemy import CheckConstraint, Column, Table, Uuid

from symphony.infrastructure.database.column_types import JsonObject, UtcDateTime

_STORAGE_CLASSES: dict[type, str] = {bytes: "blob", int: "integer", bool: "integer"}


class TypeChecked:
    """A mixin for models; it adds the check constraint to the table of each."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)  # SQLAlchemy creates the table here
        table = cast("Table", cls.__dict__["__table__"])
        rule = " AND ".join(map(_type_rule, table.columns))
        table.append_constraint(CheckConstraint(rule, name="types").ddl_if(dialect="sqlite"))


def _type_rule(column: Column[Any]) -> str:
    """Return the SQL condition that a column's values have its type."""
    name, kind = column.name, column.type
    if isinstance(kind, UtcDateTime):
        day, clock, rest = (f"substr({name}, {part})" for part in ("1, 10", "12, 8", "20"))
        rule = f"{day} = date({day}) AND {clock} = time({clock}) AND {rest} GLOB '.{'[0-9]' * 6}'"
    elif isinstance(kind, Uuid):
        rule = f"length({name}) = 32 AND {name} NOT GLOB '*[^0-9a-f]*'"
    elif isinstance(kind, JsonObject):
        rule = f"CASE WHEN json_valid({name}) THEN json_type({name}) = 'object' ELSE 0 END"
    else:
        rule = "1"
    storage_class = _STORAGE_CLASSES.get(kind.python_type, "text")
    rule = f"typeof({name}) = '{storage_class}' AND {rule}".removesuffix(" AND 1")
    return f"({name} IS NULL OR {rule})" if column.nullable else rule
