"""Migrations of the schema, one history for both databases, and the checks that it is at the head.

The checks do not use Alembic, so only a process that migrates imports it.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Literal

import structlog
from filelock import AsyncFileLock
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncConnection

from symphony.infrastructure.database.checks import schema
from symphony.infrastructure.database.checks.schema import SchemaRefused, head_revision
from symphony.infrastructure.database.engine import Engines

# "symphony" in ASCII: any number that no other program uses in the same database.
_ADVISORY_LOCK = 0x73796D70686F6E79
_LOCK_WAIT = 60  # seconds
_SECRETS = "010"
"""The revision from which on API tokens need a scope for the secrets in vaults."""
_COUNT_TOKENS = text("SELECT count(*) FROM api_tokens")


async def upgrade(engines: Engines, revision: str = "head") -> None:
    """Migrate the schema up to a revision, in one transaction, and log what users will notice.

    Several processes may run this at the same time. Raises: SchemaRefused, and errors of drivers.
    """
    if revision == "head" and await current_revision(engines) == head_revision():
        await require_head(engines)
        return
    async with exclusive_connection(engines) as connection:
        await connection.run_sync(schema.require_right_to_create)
        before = await connection.run_sync(schema.current_revision)
        await connection.run_sync(run_command, "upgrade", revision)
        after = await connection.run_sync(schema.current_revision)
        has_lost_secrets = (before or _SECRETS) < _SECRETS <= (after or "")
        tokens = await connection.scalar(_COUNT_TOKENS) if has_lost_secrets else 0
    if tokens:
        structlog.get_logger().warning(
            "the existing API tokens lack the new scope `secrets`: they cannot unlock vaults or"
            " access entries; create other ones for programs that do",
            api_tokens=tokens,
        )


async def downgrade(engines: Engines, revision: str) -> None:
    """Migrate the schema down to an older revision; `base` is the empty database."""
    async with exclusive_connection(engines) as connection:
        await connection.run_sync(run_command, "downgrade", revision)


async def current_revision(engines: Engines) -> str | None:
    """Return the revision of the schema; None if the database was never migrated.

    Raises: SchemaRefused, and errors of drivers.
    """
    async with engines.read.connect() as connection:
        return await connection.run_sync(schema.current_revision)


async def require_head(engines: Engines) -> None:
    """Require a schema that this program can serve.

    Raises: SchemaRefused, and errors of drivers.
    """
    async with engines.read.connect() as connection:
        await connection.run_sync(schema.require_schema_of_symphony)
        reason = schema.reason_against(await connection.run_sync(schema.current_revision))
    if reason is not None:
        raise SchemaRefused(reason)


@asynccontextmanager
async def exclusive_connection(engines: Engines) -> AsyncGenerator[AsyncConnection]:
    """Open a connection in a transaction; no other migration runs at the same time.

    Raises: SchemaRefused for a database of another program, which stays as it is.
    """
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
            await connection.run_sync(schema.require_schema_of_symphony)
            yield connection
    else:
        # The lock covers opening the connection: two processes that switch to WAL at the same
        # time can fail.
        lock = engines.file.with_name(f"{engines.file.name}.migration-lock")
        async with AsyncFileLock(lock, timeout=_LOCK_WAIT, mode=0o600):
            async with engines.read.connect() as connection:  # the write engine changes the file
                await connection.run_sync(schema.require_schema_of_symphony)
            async with engines.write.begin() as connection:
                yield connection


def run_command(
    connection: Connection, direction: Literal["upgrade", "downgrade"], revision: str
) -> None:
    """Run a command of Alembic in the transaction of a connection."""
    from alembic import command  # noqa: PLC0415 - imported only by a process that migrates
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    # Alembic reads its options as a template, in which % has a meaning.
    config.set_main_option("script_location", str(schema.scripts()).replace("%", "%%"))
    config.attributes["connection"] = connection
    getattr(command, direction)(config, revision)
