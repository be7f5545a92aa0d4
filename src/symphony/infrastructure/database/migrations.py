"""Migrations of the schema, one history for both databases, and the checks of its revision.

The checks do not use Alembic, so only a process that migrates imports it.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial
from typing import Literal

import structlog
from filelock import AsyncFileLock
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncConnection

from symphony.infrastructure.database.checks import schema
from symphony.infrastructure.database.checks.schema import (
    SchemaRefused,
    SchemaState,
    head_revision,
)
from symphony.infrastructure.database.engine import Engines
from symphony.infrastructure.database.migrating.exclusive_session import (
    exclusive_session,
    run_with_lock_retries,
)

_LOCK_WAIT = 60  # seconds
_SECRETS = "010"
"""The revision from which on API tokens need a scope for the secrets in vaults."""
_COUNT_TOKENS = text("SELECT count(*) FROM api_tokens")

Direction = Literal["upgrade", "downgrade"]


async def upgrade(engines: Engines, revision: str = "head") -> None:
    """Migrate the schema up to a revision, and log what users will notice.

    A newer schema that this program can serve stays as it is. On SQLite, all of it is one
    transaction; on PostgreSQL each revision, and what `migrating/online.py` does outside of them.
    Several processes may run this at the same time. Raises: SchemaRefused, and errors of drivers.
    """
    if revision == "head" and schema.reason_against(await current_state(engines)) is None:
        await require_compatible(engines)
        return
    async with exclusive_connection(engines) as connection:
        before = await connection.run_sync(schema.current_state)
        if before.is_newer:  # another process has migrated it in the meantime
            return
        await connection.run_sync(schema.require_right_to_create)
        await _migrate(connection, "upgrade", revision)
        after = await connection.run_sync(schema.current_revision)
        has_lost_secrets = (before.revision or _SECRETS) < _SECRETS <= (after or "")
        tokens = await connection.scalar(_COUNT_TOKENS) if has_lost_secrets else 0
    if tokens:
        structlog.get_logger().warning(
            "the existing API tokens lack the new scope `secrets`: they cannot unlock vaults or"
            " access entries; create other ones for programs that do",
            api_tokens=tokens,
        )


async def downgrade(engines: Engines, revision: str) -> None:
    """Migrate the schema down to an older revision, by its name; `base` is the empty database.

    Raises: SchemaRefused, also for a schema that is newer than this program.
    """
    async with exclusive_connection(engines) as connection:
        state = await connection.run_sync(schema.current_state)
        if state.is_newer:
            raise SchemaRefused(
                f"the database's schema is at revision {state.revision}, which is newer than this"
                f" program, whose newest is {head_revision()}: downgrade it with the newer version"
            )
        await _migrate(connection, "downgrade", revision)


async def current_revision(engines: Engines) -> str | None:
    """Return the revision of the schema; None if the database was never migrated.

    Raises: SchemaRefused, and errors of drivers.
    """
    return (await current_state(engines)).revision


async def current_state(engines: Engines) -> SchemaState:
    """Return the revision of the schema, and which programs it serves.

    Raises: SchemaRefused, and errors of drivers.
    """
    async with engines.read.connect() as connection:
        return await connection.run_sync(schema.current_state)


async def require_compatible(engines: Engines) -> SchemaState:
    """Require a schema that this program can serve, and return its state.

    Raises: SchemaRefused, and errors of drivers.
    """
    async with engines.read.connect() as connection:
        await connection.run_sync(schema.require_schema_of_symphony)
        state = await connection.run_sync(schema.current_state)
    if reason := schema.reason_against(state):
        raise SchemaRefused(reason)
    return state


@asynccontextmanager
async def exclusive_connection(engines: Engines) -> AsyncGenerator[AsyncConnection]:
    """Open a connection to migrate; no other migration runs at the same time.

    It is in a transaction on SQLite, and in none on PostgreSQL.

    Raises: SchemaRefused for a database of another program, which stays as it is.
    """
    if engines.write.dialect.name == "postgresql":
        async with exclusive_session(engines) as connection:
            await connection.run_sync(schema.require_schema_of_symphony)
            await connection.commit()
            yield connection
    elif engines.file is None:
        async with engines.write.begin() as connection:
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


async def _migrate(connection: AsyncConnection, direction: Direction, revision: str) -> None:
    change = partial(run_command, direction=direction, revision=revision)
    if connection.dialect.name == "postgresql":
        await run_with_lock_retries(connection, change)
    else:
        await connection.run_sync(change)


def run_command(connection: Connection, direction: Direction, revision: str) -> None:
    """Run a command of Alembic on a connection.

    On SQLite it belongs to the connection's transaction; on PostgreSQL each revision is one of its
    own, and the connection must be in none.
    """
    from alembic import command  # noqa: PLC0415 - imported only by a process that migrates
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    # Alembic reads its options as a template, in which % has a meaning.
    config.set_main_option("script_location", str(schema.scripts()).replace("%", "%%"))
    config.attributes["connection"] = connection
    getattr(command, direction)(config, revision)
