"""The schema's one history, for both databases: to bring one to its head, or tell where it is.

Where it is can be told without Alembic, so only a process that really migrates imports it.
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
from symphony.infrastructure.database.errors import port_errors

# Any number will do as long as no other program on this database uses it: "symphony" in hex.
_ADVISORY_LOCK = 0x73796D70686F6E79
_LOCK_WAIT = 60  # seconds
_ANSWER_WAIT = 2  # seconds; who asks whether the service can serve wants to know soon
UNREACHABLE = "the database cannot be reached"

_VERSION = table("alembic_version", column("version_num"))


async def upgrade(engines: Engines, revision: str = "head") -> None:
    """Brings the schema to a revision, all of it or nothing. Safe when several start at once.

    Raises: StoreUnavailable.
    """
    with port_errors():
        if revision == "head" and await current_revision(engines) == head_revision():
            return
        async with _only_one(engines) as connection:
            await connection.run_sync(_run_command, "upgrade", revision)


async def downgrade(engines: Engines, revision: str) -> None:
    """Takes the schema back to an older revision, `base` being nothing at all."""
    async with _only_one(engines) as connection:
        await connection.run_sync(_run_command, "downgrade", revision)


async def current_revision(engines: Engines) -> str | None:
    """The revision the database is at; None when it was never migrated."""
    async with engines.read.connect() as connection:
        return await connection.run_sync(_current_revision)


async def not_ready_reason(engines: Engines) -> str | None:
    """Why the database cannot serve, in words that say what to do; None when it can."""
    try:
        async with asyncio.timeout(_ANSWER_WAIT):
            current = await current_revision(engines)
    except (OSError, SQLAlchemyError, sqlite3.Error):
        return UNREACHABLE
    if current != head_revision():
        return (
            f"the database's schema is at {current or 'nothing'} and must be at {head_revision()}:"
            " run `symphony db upgrade`"
        )
    return None


@lru_cache
def head_revision() -> str:
    """The newest revision there is: they are numbered, and their files begin with the number."""
    return max(file.name.partition("_")[0] for file in (_scripts() / "versions").glob("[0-9]*.py"))


@asynccontextmanager
async def _only_one(engines: Engines) -> AsyncGenerator[AsyncConnection]:
    if engines.file is None:
        async with engines.write.begin() as connection:
            if connection.dialect.name == "postgresql":
                # The wait may be longer than a request's statements are allowed to take.
                await connection.execute(text("SET LOCAL lock_timeout = 0"))
                await connection.execute(text("SET LOCAL statement_timeout = 0"))
                await connection.execute(
                    text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK}
                )
            yield connection
    else:
        # Around the connection as well: two starters that switch to WAL at once can fail.
        lock = engines.file.with_name(f"{engines.file.name}.migration-lock")
        async with AsyncFileLock(lock, timeout=_LOCK_WAIT), engines.write.begin() as connection:
            yield connection


def _run_command(
    connection: Connection, direction: Literal["upgrade", "downgrade"], revision: str
) -> None:
    from alembic import command  # noqa: PLC0415 - not before it is needed
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
    """Inside the package when installed from a wheel, at the top of the tree in a checkout."""
    package = Path(__file__).parents[2]
    installed = package / "alembic"
    return installed if installed.is_dir() else package.parents[1] / "alembic"
