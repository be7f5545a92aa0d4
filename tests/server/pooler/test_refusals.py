"""What does not work through a pooler says so in one line."""

import asyncio
import secrets
from asyncio.subprocess import PIPE
from collections.abc import AsyncGenerator
from pathlib import Path

import asyncpg
import pytest

from scripts.support.pgbouncer import Pgbouncer, without_named_statements
from tests.conftest import SECRET
from tests.server.pooler.few_connections import few_connections
from tests.support import postgres
from tests.support.api import sign_up
from tests.support.server import SYMPHONY, environment, running_server

pytestmark = pytest.mark.long

POOLER = {"SECRET_KEY": SECRET, "DATABASE_POOLER": "transaction"}


@pytest.fixture
async def empty_database() -> AsyncGenerator[str]:
    name = f"test_{secrets.token_hex(8)}"
    await postgres.create_database(name, migrated=False)
    yield name
    await postgres.drop_database(name)


async def symphony(folder: Path, *arguments: str, **settings: str) -> tuple[int | None, str]:
    """Run a command; its exit status, and what it printed."""
    process = await asyncio.create_subprocess_exec(
        SYMPHONY, *arguments, env=environment(folder, **settings), stdout=PIPE, stderr=PIPE
    )
    async with asyncio.timeout(60):
        output, errors = await process.communicate()
    return process.returncode, (output + errors).decode().strip()


async def test_without_the_setting_one_line_names_it(
    pgbouncer: Pgbouncer, database: str, tmp_path: Path
) -> None:
    url = pgbouncer.url(database)
    for command in (("db", "check"), ("serve", "--port", "0")):
        status, line = await symphony(tmp_path, *command, DATABASE_URL=url, SECRET_KEY=SECRET)
        assert status == 1
        assert line.endswith("; a connection pooler needs SYMPHONY_DATABASE_POOLER=transaction")
        assert "unsupported startup parameter" in line
        assert "\n" not in line


async def test_a_schema_is_not_changed_through_a_pooler(
    pgbouncer: Pgbouncer, empty_database: str, tmp_path: Path
) -> None:
    url = pgbouncer.url(empty_database)
    for command in (("db", "upgrade"), ("serve", "--port", "0")):
        status, line = await symphony(
            tmp_path, *command, DATABASE_URL=url, AUTO_MIGRATE="true", **POOLER
        )
        assert status == 1
        assert "the schema cannot be changed through a pooler: run `symphony db upgrade`" in line
        assert "\n" not in line
    connection = await asyncpg.connect(postgres.address(empty_database))
    tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
    assert await connection.fetchval(tables) == 0
    await connection.close()

    direct = postgres.address(empty_database)
    status, line = await symphony(tmp_path, "db", "upgrade", DATABASE_URL=direct)
    assert status == 0, line
    for command in ("upgrade", "check"):  # now there is nothing to change
        status, line = await symphony(tmp_path, "db", command, DATABASE_URL=url, **POOLER)
        assert (status, line.startswith("The schema is at ")) == (0, True), line


async def test_prepared_statements_of_other_clients_are_explained(
    database: str, tmp_path: Path
) -> None:
    """The operator has a pooler ignore the settings of sessions, instead of naming the pooler."""
    ignored = "jit, statement_timeout, lock_timeout, idle_in_transaction_session_timeout"
    careless = {"ignore_startup_parameters": ignored, **without_named_statements()}
    async with few_connections(1, **careless) as pgbouncer:
        settings = {"DATABASE_URL": pgbouncer.url(database), "SECRET_KEY": SECRET}
        async with (
            running_server(tmp_path / "data", **settings) as other,
            other.client() as client,
        ):
            await sign_up(client, "ada")
            status, line = await symphony(tmp_path / "data", "db", "check", **settings)
    assert status == 1
    assert "already exists (42P05); a connection pooler needs" in line
