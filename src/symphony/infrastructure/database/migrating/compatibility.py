"""The record of which programs a schema serves, beside Alembic's table of the revision.

It is no part of the schema: programs of any revision can be served with and without it, and the
first migration that changes a revision creates it.
"""

from collections.abc import Collection, Mapping
from typing import Any

from alembic import context
from alembic.runtime.migration import MigrationContext, MigrationInfo
from sqlalchemy import Column, MetaData, String, Table

from symphony.infrastructure.database.checks.schema import COMPATIBILITY_TABLE

_compatibility = Table(
    COMPATIBILITY_TABLE,
    MetaData(),
    Column("revision", String(32), primary_key=True),
    Column("compatible_with", String(32), nullable=False),
)


def record_compatibility(
    ctx: MigrationContext, step: MigrationInfo, heads: Collection[str], run_args: Mapping[str, Any]
) -> None:
    """Record which programs the revision serves that a step of Alembic has reached.

    Alembic calls it in the transaction of the step. A revision that names none serves its own.
    """
    del step, run_args
    connection = ctx.connection
    if connection is None:
        raise RuntimeError("migrations need a connection; a script of SQL cannot record anything")
    _compatibility.create(connection, checkfirst=True)
    connection.execute(_compatibility.delete())
    for revision in heads:
        script = context.script.get_revision(revision)
        oldest = getattr(script.module, "compatible_with", revision)
        connection.execute(
            _compatibility.insert(), {"revision": revision, "compatible_with": oldest}
        )


def is_of_symphony(_object: object, name: str | None, kind: str, *_: object) -> bool:
    """Return whether something in the database is a part of the schema, for `include_object`."""
    return (kind, name) != ("table", COMPATIBILITY_TABLE)
