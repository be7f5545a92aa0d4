"""Migrations: up and down, equal to the models, and safe when several processes run them."""

import asyncio
import secrets
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect

from symphony.infrastructure.database import migrations
from symphony.infrastructure.database.availability import readiness
from symphony.infrastructure.database.engine import DatabaseLimits, Engines, create_engines
from symphony.infrastructure.database.models import Model
from tests.infrastructure.database.migrators import halfway_migrator, migrator
from tests.support import postgres

TIME_LIMIT = 60  # seconds
between_processes = pytest.mark.parametrize(
    "store_kind", ["postgresql", "sqlite-file"], indirect=True
)

pytestmark = pytest.mark.slow_and_real


@pytest.fixture
async def empty_url(store_kind: str, tmp_path: Path) -> AsyncGenerator[str]:
    """The URL of a database that was never migrated."""
    if store_kind == "postgresql":
        name = f"test_{secrets.token_hex(8)}"
        yield await postgres.create_database(name, migrated=False)
        await postgres.drop_database(name)
    elif store_kind == "sqlite-file":
        yield f"sqlite:///{tmp_path / 'empty.sqlite3'}"
    else:
        yield "sqlite://"


@pytest.fixture
async def empty(empty_url: str) -> AsyncGenerator[Engines]:
    engines = create_engines(empty_url)
    yield engines
    await engines.dispose()


async def tables(engines: Engines) -> set[str]:
    async with engines.read.connect() as connection:
        names = await connection.run_sync(lambda sync: inspect(sync).get_table_names())
    return set(names) - {"alembic_version"}


def test_the_head_is_the_file_with_the_highest_number() -> None:
    history = ScriptDirectory(str(Path(__file__).parents[3] / "alembic"))
    assert history.get_heads() == [migrations.head_revision()]


@pytest.mark.long
def test_alembic_is_imported_only_to_migrate() -> None:
    code = "import sys, symphony.main, symphony.cli; print(sorted(sys.modules))"
    finished = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)  # noqa: S603 - our own code
    assert b"'symphony.infrastructure.database.migrations'" in finished.stdout
    assert b"'alembic" not in finished.stdout


async def test_the_schema_goes_up_and_down_and_up(empty: Engines) -> None:
    assert await migrations.current_revision(empty) is None
    assert "symphony db upgrade" in (await readiness.not_ready_reason(empty) or "")
    for _ in range(2):
        await migrations.upgrade(empty)
        assert await migrations.current_revision(empty) == migrations.head_revision()
        assert await readiness.not_ready_reason(empty) is None
        assert await tables(empty) == set(Model.metadata.tables)
        await migrations.downgrade(empty, "base")
        assert await migrations.current_revision(empty) is None
        assert await tables(empty) == set()


async def test_a_second_upgrade_changes_nothing(empty: Engines) -> None:
    await migrations.upgrade(empty)
    await migrations.upgrade(empty)
    assert await readiness.not_ready_reason(empty) is None


async def test_the_newest_revision_can_be_downgraded_by_itself(empty: Engines) -> None:
    await migrations.upgrade(empty)
    await migrations.downgrade(empty, "-1")
    assert await readiness.not_ready_reason(empty) is not None
    await migrations.upgrade(empty)
    assert await readiness.not_ready_reason(empty) is None


async def test_the_migrated_schema_equals_that_of_the_models(empty: Engines) -> None:
    def differences(connection: Connection) -> list[object]:
        options = {"compare_type": True, "compare_server_default": True}
        context = MigrationContext.configure(connection, opts=options)
        return list(compare_metadata(context, Model.metadata))

    def names(connection: Connection) -> set[str]:
        schema = inspect(connection)
        return {
            str(constraint["name"])
            for table in Model.metadata.tables
            for constraint in (
                *schema.get_check_constraints(table),
                *schema.get_foreign_keys(table),
                *schema.get_unique_constraints(table),
            )
        }

    await migrations.upgrade(empty)
    async with empty.read.connect() as connection:
        assert await connection.run_sync(differences) == []
        migrated = await connection.run_sync(names)
    # Check constraints are not compared above.
    await migrations.downgrade(empty, "base")
    async with empty.write.begin() as connection:
        await connection.run_sync(Model.metadata.create_all)
        assert await connection.run_sync(names) == migrated


@pytest.mark.long
@between_processes
async def test_eight_processes_may_migrate_an_empty_database_at_once(
    empty_url: str, empty: Engines
) -> None:
    processes = [migrator(empty_url) for _ in range(8)]
    for process in processes:
        await asyncio.to_thread(process.join, TIME_LIMIT)
    assert [process.exitcode for process in processes] == [0] * 8
    assert await readiness.not_ready_reason(empty) is None


@pytest.mark.long
@between_processes
async def test_a_migration_that_was_killed_halfway_is_finished_by_the_next(
    empty_url: str, empty: Engines
) -> None:
    killed, halfway = halfway_migrator(empty_url)
    assert await asyncio.to_thread(halfway.wait, TIME_LIMIT)
    waiting = migrator(empty_url)
    killed.kill()
    for process in (killed, waiting):
        await asyncio.to_thread(process.join, TIME_LIMIT)
    assert (killed.exitcode, waiting.exitcode) == (-signal.SIGKILL, 0)
    assert await readiness.not_ready_reason(empty) is None
    assert await tables(empty) == set(Model.metadata.tables)


@between_processes
async def test_the_wait_for_another_migration_may_be_longer_than_the_limits_of_requests(
    empty_url: str, empty: Engines
) -> None:
    limits = DatabaseLimits(statement_timeout=0.2, lock_timeout=0.2, work_timeout=0.2)
    second = create_engines(empty_url, limits)
    async with migrations.exclusive_connection(empty):
        upgrade = asyncio.create_task(migrations.upgrade(second))
        await asyncio.wait([upgrade], timeout=0.6)
        assert not upgrade.done()
    await asyncio.wait_for(upgrade, TIME_LIMIT)
    assert await readiness.not_ready_reason(second) is None
    await second.dispose()
