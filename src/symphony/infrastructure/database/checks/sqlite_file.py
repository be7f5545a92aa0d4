"""Checks of an embedded database before the service opens it for requests."""

import sqlite3

from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from symphony.infrastructure.database.checks.schema import SchemaRefused
from symphony.infrastructure.database.engine import Engines

CHECKED_AT_START = 64 << 20
"""The size up to which a start reads the whole file; this takes some 2 ms per MiB."""


async def require_writable(engines: Engines) -> None:
    """Start a transaction, and so create the files beside the database. Raises: DBAPIError."""
    try:
        async with engines.write.begin():
            pass
    except OperationalError as error:
        if getattr(error.orig, "sqlite_errorcode", None) != sqlite3.SQLITE_BUSY:
            raise  # another process that writes shows that it is possible


async def require_undamaged(engines: Engines, max_size: int | None = None) -> None:
    """Read the whole file, unless it is larger than `max_size`. Raises: SchemaRefused, DBAPIError.

    Rows that break a constraint are no damage: the service can read them.
    """
    file = engines.file
    if file is None or (max_size is not None and file.stat().st_size > max_size):
        return
    async with engines.read.connect() as connection:
        await connection.execute(text("PRAGMA ignore_check_constraints = ON"))
        found = await connection.scalar(text("PRAGMA quick_check(1)"))
        await connection.execute(text("PRAGMA ignore_check_constraints = OFF"))
    if found != "ok":
        raise SchemaRefused(f"{file} is damaged; restore it from a backup ({found})")
