"""Whether requests can be served: the database answers, accepts writes and has the schema."""

import asyncio
import os
import sqlite3
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from sqlalchemy import func, literal, select
from sqlalchemy.exc import SQLAlchemyError

from symphony.domain.unit_of_work import StoreUnavailable, TransactionConflict
from symphony.infrastructure.database import migrations
from symphony.infrastructure.database.availability.watched_file import FileReplaced
from symphony.infrastructure.database.checks import schema
from symphony.infrastructure.database.checks.schema import SchemaRefused
from symphony.infrastructure.database.connection import Connection
from symphony.infrastructure.database.engine import Engines

UNREACHABLE = "the database cannot be reached"
READ_ONLY = "the database is read-only"
NO_SPACE = "the disk of the database is full"

_ANSWER_WITHIN = 2  # seconds; probes of readiness have short time limits themselves
_UNAVAILABLE = (StoreUnavailable, TransactionConflict, SQLAlchemyError, sqlite3.Error, OSError)
_ANYTHING = select(literal(1))
# A server that is a standby says so here as well.
_WRITES_ARE_REFUSED = select(func.current_setting("transaction_read_only") == "on")


async def not_ready_reason(engines: Engines) -> str | None:
    """Return why the database is not ready and what to do; None if it is ready."""
    try:
        async with asyncio.timeout(_ANSWER_WITHIN):
            return await _write_refusal(engines) or schema.reason_against(
                await migrations.current_state(engines)
            )
    except SchemaRefused as refused:
        return str(refused)
    except _UNAVAILABLE as error:
        cause = error.__cause__
        return str(cause) if isinstance(cause, FileReplaced) else UNREACHABLE


async def _write_refusal(engines: Engines) -> str | None:
    if engines.write.dialect.name == "postgresql":
        return await _server_refusal(engines)
    async with _connection(engines) as connection:
        await connection.fetch(_ANYTHING, {})
    return engines.file and _file_refusal(engines.file)


async def _server_refusal(engines: Engines) -> str | None:
    """Ask PostgreSQL; a session from before a failover may know only what was true then."""
    for _ in range(2):
        async with _connection(engines) as connection:
            (row,) = await connection.fetch(_WRITES_ARE_REFUSED, {})
            if not row[0]:
                return None
            connection.distrust()
    return READ_ONLY


def _file_refusal(file: Path) -> str | None:
    """Check that an SQLite file can be written, and that its disk has room."""
    if not os.access(file, os.W_OK) or not os.access(file.parent, os.W_OK):
        return READ_ONLY
    return None if os.statvfs(file.parent).f_bavail else NO_SPACE


@asynccontextmanager
async def _connection(engines: Engines) -> AsyncGenerator[Connection]:
    connection = Connection(engines.read)
    await connection.open()
    try:
        yield connection
    finally:
        await connection.close()
