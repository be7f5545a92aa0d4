"""The session of PostgreSQL that migrates: one at a time, and none that waits long for a lock.

While `ALTER TABLE` waits for its lock, all requests for the table queue behind it. So it gives up
soon, and tries again later.
"""

import asyncio
import random
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

import asyncpg
import structlog
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from symphony.infrastructure.database.checks.schema import SchemaRefused
from symphony.infrastructure.database.engine import Engines

LOCK_TIMEOUT = "300ms"
"""The longest wait for a lock that requests queue behind."""
PATIENCE = 300.0
"""The seconds for which a migration tries to get a lock."""

# "symphony" in ASCII: any number that no other program uses in the same database.
_ADVISORY_LOCK = {"key": 0x73796D70686F6E79}
_TRY_LOCK = text("SELECT pg_try_advisory_lock(:key)")
_POLL_INTERVAL = 0.1  # seconds
_SETTINGS = (
    f"lock_timeout = '{LOCK_TIMEOUT}'",
    # A migration may take longer than a statement of a request.
    "statement_timeout = 0",
    "idle_in_transaction_session_timeout = 0",
)
_FIRST_PAUSE = 0.5  # seconds
_LONGEST_PAUSE = 5.0  # seconds
_LOCK_NOT_AVAILABLE = "55P03"
_DEADLOCK = "40P01"


@asynccontextmanager
async def exclusive_session(engines: Engines) -> AsyncGenerator[AsyncConnection]:
    """Open a connection that is in no transaction; no other one of these is open at the same time.

    Others wait for it by polling. A wait inside of the database would be a transaction, for whose
    end `CREATE INDEX CONCURRENTLY` waits in turn.

    Raises: SchemaRefused behind a pooler, which would hand settings and lock to other clients.
    """
    if not engines.has_sessions:
        raise SchemaRefused(
            "the schema cannot be changed through a pooler: run `symphony db upgrade` with the"
            " address of PostgreSQL itself in SYMPHONY_DATABASE_URL, and without"
            " SYMPHONY_DATABASE_POOLER"
        )
    async with engines.write.connect() as connection:
        try:
            await connection.execution_options(isolation_level="AUTOCOMMIT")
            for setting in _SETTINGS:
                await connection.execute(text(f"SET {setting}"))
            while not await connection.scalar(_TRY_LOCK, _ADVISORY_LOCK):  # noqa: ASYNC110 - see above
                await asyncio.sleep(_POLL_INTERVAL)
            await connection.commit()  # of SQLAlchemy; PostgreSQL has no transaction here
            await connection.execution_options(isolation_level="READ COMMITTED")
            yield connection
        finally:
            await connection.invalidate()  # with its settings and the lock


async def run_with_lock_retries(
    connection: AsyncConnection, change: Callable[[Connection], None], patience: float = PATIENCE
) -> None:
    """Run a change that commits its steps, and again after each lock that it did not get.

    Raises: SchemaRefused after `patience` seconds, and errors of drivers.
    """
    give_up_at = time.monotonic() + patience
    pause = _FIRST_PAUSE
    while True:
        await connection.commit()  # Alembic starts its transactions itself
        try:
            await connection.run_sync(change)
        except DBAPIError as error:
            if not _has_no_lock(error):
                raise
            await connection.rollback()
            if time.monotonic() > give_up_at:
                raise SchemaRefused(
                    "a table that has to be changed was in use for too long: end long transactions,"
                    " such as a backup, and run the command again"
                ) from error
        else:
            return
        if pause == _FIRST_PAUSE:
            structlog.get_logger().warning(
                "the migration waits for a table that a transaction uses",
                tries_for_seconds=round(patience),
            )
        await asyncio.sleep(random.uniform(0.5, 1) * pause)  # noqa: S311 - no secret
        pause = min(pause * 2, _LONGEST_PAUSE)


def _has_no_lock(error: DBAPIError) -> bool:
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, asyncpg.PostgresError):
        cause = cause.orig if isinstance(cause, DBAPIError) else cause.__cause__
    return cause is not None and cause.sqlstate in {_LOCK_NOT_AVAILABLE, _DEADLOCK}
