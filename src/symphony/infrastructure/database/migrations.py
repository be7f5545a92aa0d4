"""Migrations of the schema, one history for both databases, and the check that it is at the head.

The check does not use Alembic, so only a process that migrates imports it.
"""

import asyncio
import sqlite3
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import lru_cache
from pathlib import Path
from typing import Literal

from filelock import AsyncFileLock
from sqlalchemy import Connection, column, inspect, select, table, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from symphony.infrastructure.database.engine import Engines
from symphony.infrastructure.database.errors import translated_errors

# "symphony" in ASCII: any number that no other program uses in the same database.
_ADVISORY_LOCK = 0x73796D70686F6E79
_LOCK_WAIT = 60  # seconds
_CHECK_TIMEOUT = 2  # seconds; probes of readiness have short time limits themselves
UNREACHABLE = "the database cannot be reached"

_VERSION = table("alembic_version", column("version_num"))


async def upgrade(engines: Engines, revision: str = "head") -> None:
    """Migrate the schema up to a revision, in one transaction.

    Several processes may run this at the same time. Raises: StoreUnavailable.
    """
    with translated_errors():
        if revision == "head" and await current_revision(engines) == head_revision():
            return
        async with exclusive_connection(engines) as connection:
            await connection.run_sync(run_command, "upgrade", revision)


async def downgrade(engines: Engines, revision: str) -> None:
    """Migrate the schema down to an older revision; `base` is the empty database."""
    async with exclusive_connection(engines) as connection:
        await connection.run_sync(run_command, "downgrade", revision)


async def current_revision(engines: Engines) -> str | None:
    """Return the revision of the schema; None if the database was never migrated."""
    async with engines.read.connect() as connection:
        return await connection.run_sync(_current_revision)


async def not_ready_reason(engines: Engines) -> str | None:
    """Return why the database is not ready and what to do; None if it is ready."""
    try:
        async with asyncio.timeout(_CHECK_TIMEOUT):
            current = await current_revision(engines)
    except (OSError, SQLAlchemyError, sqlite3.Error):
        return UNREACHABLE
    if current == head_revision():
        return None
    state = f"schema is at revision {current}" if current else "schema has not been created"
    return (
        f"the database's {state}, but revision {head_revision()} is needed:"
        " run `symphony db upgrade`"
    )


@lru_cache
def head_revision() -> str:
    """Return the newest revision: the highest number at the start of a file name."""
    return max(file.name.partition("_")[0] for file in (_scripts() / "versions").glob("[0-9]*.py"))


@asynccontextmanager
async def exclusive_connection(engines: Engines) -> AsyncGenerator[AsyncConnection]:
    """Open a connection in a transaction; no other migration runs at the same time."""
    if engines.file is None:
        async with engines.write.begin() as connection:
            if connection.dialect.name == "postgresql":
                # A migration, and the wait for another one, may take longer than a request's
                # statement.
                await connection.execute(text("SET LOCAL lock_timeout = 0"))
                await connection.execute(text("SET LOCAL statement_timeout = 0"))
                await connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
                await connection.execute(
                    text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK}
                )
            yield connection
    else:
        # The lock covers opening the connection: two processes that switch to WAL at the same
        # time can fail.
        lock = engines.file.with_name(f"{engines.file.name}.migration-lock")
        async with AsyncFileLock(lock, timeout=_LOCK_WAIT), engines.write.begin() as connection:
            yield connection


def run_command(
    connection: Connection, direction: Literal["upgrade", "downgrade"], revision: str
) -> None:
    """Run a command of Alembic in the transaction of a connection."""
    from alembic import command  # noqa: PLC0415 - imported only by a process that migrates
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(_scripts()))
    config.attributes["connection"] = connection
    getattr(command, direction)(config, revision)


def _current_revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table(_VERSION.name):
        return None
    return connection.scalar(select(_VERSION.c.version_num))


def _scripts() -> Path:
    """Return the directory of the migrations: in an installed package, or in a checkout."""
    package = Path(__file__).parents[2]
    installed = package / "alembic"
    return installed if installed.is_dir() else package.parents[1] / "alembic"
