"""Migrations: up and down, equal to the models, and safe when several processes run them."""

import asyncio
import secrets
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text
from structlog.testing import capture_logs

from symphony.domain.api_tokens import Scope
from symphony.domain.base import new_id, utc_now
from symphony.domain.vaults.entries import SealedEntry, SealedVersion
from symphony.domain.vaults.sessions import SessionRecord
from symphony.infrastructure.database import migrations
from symphony.infrastructure.database.availability import readiness
from symphony.infrastructure.database.checks.schema import COMPATIBILITY_TABLE
from symphony.infrastructure.database.engine import DatabaseLimits, Engines, create_engines
from symphony.infrastructure.database.migrating.compatibility import is_of_symphony
from symphony.infrastructure.database.models import Model
from symphony.infrastructure.database.unit_of_work import SqlAlchemyStore
from tests.domain.examples import a_machine, a_token, a_vault
from tests.infrastructure.database.kept import committed, household, keep
from tests.infrastructure.database.migrators import halfway_migrator, migrator
from tests.support import postgres

TIME_LIMIT = 60  # seconds
TOKENS = "SELECT token_hash, scopes FROM api_tokens"
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
    return set(names) - {"alembic_version", COMPATIBILITY_TABLE}


def test_the_head_is_the_file_with_the_highest_number() -> None:
    history = ScriptDirectory(str(Path(__file__).parents[3] / "alembic"))
    assert history.get_heads() == [migrations.head_revision()]


def test_each_new_revision_names_the_oldest_one_whose_programs_it_serves() -> None:
    history = ScriptDirectory(str(Path(__file__).parents[3] / "alembic"))
    oldest = "013"  # programs of those before do not read the record
    for script in reversed([*history.walk_revisions()]):
        if script.revision > "013":
            named = script.module.compatible_with
            # A program that an earlier revision has left behind cannot be served by a later one.
            assert oldest <= named <= script.revision
            oldest = named


@pytest.mark.long
def test_alembic_is_imported_only_to_migrate() -> None:
    code = "import sys, symphony.main, symphony.cli; print(sorted(sys.modules))"
    finished = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)  # noqa: S603 - our own code
    assert b"'symphony.infrastructure.database.migrations'" in finished.stdout
    assert b"'alembic" not in finished.stdout


@pytest.mark.long
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


@pytest.mark.long
async def test_a_second_upgrade_changes_nothing(empty: Engines) -> None:
    await migrations.upgrade(empty)
    await migrations.upgrade(empty)
    assert await readiness.not_ready_reason(empty) is None


@pytest.mark.long
async def test_the_newest_revision_can_be_downgraded_by_itself(empty: Engines) -> None:
    await migrations.upgrade(empty)
    await migrations.downgrade(empty, f"{int(migrations.head_revision()) - 1:03d}")
    assert await readiness.not_ready_reason(empty) is not None
    await migrations.upgrade(empty)
    assert await readiness.not_ready_reason(empty) is None


async def test_the_migrated_schema_equals_that_of_the_models(empty: Engines) -> None:
    def differences(connection: Connection) -> list[object]:
        options = {
            "compare_type": True,
            "compare_server_default": True,
            "include_object": is_of_symphony,
        }
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
async def test_tokens_sessions_and_sizes_of_vaults_survive_the_way_down_and_up(
    empty: Engines,
) -> None:
    async def rows(statement: str) -> list[Any]:
        async with empty.read.connect() as connection:
            return sorted(map(tuple, await connection.execute(text(statement))))

    await migrations.upgrade(empty)
    store = SqlAlchemyStore(empty)
    ada = await household(store, "ada")
    parent = a_token(ada.user.id, token_hash=b"1")
    child = a_token(ada.user.id, token_hash=b"2", creator_id=parent.id)
    empty_vault = a_vault(ada.workspace.id, "empty")
    await keep(store, parent, child, empty_vault)
    end = utc_now() + timedelta(hours=1)
    async with committed(store) as uow:
        for name, token in ((b"1", parent.id), (b"2", child.id), (b"3", None)):
            session = SessionRecord(name, ada.vault.id, token, end, b"wrapped")
            await uow.vault_sessions.add(session)
        for number, versions in enumerate((2, 1)):
            entry = SealedEntry(new_id(), bytes([number]), versions, 1, b"k" * 40)
            await uow.vault_entries.add(ada.vault.id, entry)
            for version in range(1, versions + 1):
                sealed = SealedVersion(version, b"f" * 100, b"c" * 1000)
                await uow.vault_entries.add_version(entry.id, sealed)
    kept = (
        "SELECT id, name, token_hash, created_at FROM api_tokens",
        "SELECT session_hash, api_token_id, wrapped, expires_at FROM vault_sessions",
    )
    before = [await rows(statement) for statement in kept]
    assert [len(each) for each in before] == [2, 3]
    for move in (lambda: migrations.downgrade(empty, "004"), lambda: migrations.upgrade(empty)):
        await move()
        assert [await rows(statement) for statement in kept] == before
    ((vault_id, size),) = await rows("SELECT vault_id, entry_bytes FROM storage_counters")
    assert UUID(str(vault_id)) == ada.vault.id
    assert size == 2 * 40 + 3 * 1100
    assert await rows("SELECT DISTINCT creator_id FROM api_tokens") == [(None,)]


@pytest.mark.long
async def test_an_upgrade_says_once_that_existing_tokens_lack_the_scope_for_secrets(
    empty: Engines,
) -> None:
    with capture_logs() as logs:
        await migrations.upgrade(empty)
        store = SqlAlchemyStore(empty)
        ada = await household(store, "ada")
        await migrations.downgrade(empty, "009")
        await migrations.upgrade(empty)
    assert logs == []
    await keep(store, a_token(ada.user.id), a_token(ada.user.id, token_hash=b"2"))
    await migrations.downgrade(empty, "009")
    with capture_logs() as logs:
        await migrations.upgrade(empty)
        await migrations.upgrade(empty)
    assert [(each["log_level"], each["api_tokens"]) for each in logs] == [("warning", 2)]
    assert "`secrets`" in logs[0]["event"]


@pytest.mark.long
async def test_a_downgrade_removes_what_the_previous_version_would_misjudge(
    empty: Engines,
) -> None:
    await migrations.upgrade(empty)
    store = SqlAlchemyStore(empty)
    ada = await household(store, "ada")
    kept = a_token(ada.user.id, token_hash=b"1", scopes=["read", "write", "secrets"])
    machine = a_machine(ada.user.id)
    report = a_token(ada.user.id, token_hash=b"2", scopes=["report"], machine_id=machine.id)
    confined = a_token(ada.user.id, token_hash=b"3", workspace_ids=[ada.workspace.id])
    await keep(store, machine, kept, report, confined)
    await migrations.downgrade(empty, "009")
    async with empty.read.connect() as connection:
        found = [tuple(row) for row in await connection.execute(text(TOKENS))]
    assert found == [(b"1", "read write")]


@pytest.mark.long
async def test_the_tokens_of_machines_come_and_go_without_a_change_of_other_tokens(
    empty: Engines,
) -> None:
    async def rows(statement: str) -> list[Any]:
        async with empty.read.connect() as connection:
            return sorted(map(tuple, await connection.execute(text(statement))))

    await migrations.upgrade(empty)
    store = SqlAlchemyStore(empty)
    ada = await household(store, "ada")
    machine = a_machine(ada.user.id)
    parent = a_token(ada.user.id, token_hash=b"1")
    child = a_token(
        ada.user.id, token_hash=b"2", creator_id=parent.id, workspace_ids=(ada.workspace.id,)
    )
    reporter = a_token(ada.user.id, token_hash=b"3", scopes=(Scope.REPORT,), machine_id=machine.id)
    # A child before its parent: the order of the rows is that of their ids, or none.
    early = a_token(ada.user.id, id=UUID(int=1), token_hash=b"4", creator_id=parent.id)
    await keep(store, machine, parent, child, reporter, early)
    end = utc_now() + timedelta(hours=1)
    async with committed(store) as uow:
        for name, token in ((b"1", parent.id), (b"2", child.id), (b"3", None)):
            session = SessionRecord(name, ada.vault.id, token, end, b"wrapped")
            await uow.vault_sessions.add(session)
    kept = (
        "SELECT id, version, name, token_hash, created_at, creator_id, is_confined FROM api_tokens"
        " WHERE scopes <> 'report'",
        "SELECT session_hash, api_token_id, wrapped, expires_at FROM vault_sessions",
        "SELECT api_token_id, workspace_id FROM api_token_workspaces",
    )
    before = [await rows(statement) for statement in kept]
    assert [len(each) for each in before] == [3, 3, 1]
    for move in (lambda: migrations.downgrade(empty, "010"), lambda: migrations.upgrade(empty)):
        await move()
        assert [await rows(statement) for statement in kept] == before
        assert await rows("SELECT id FROM api_tokens WHERE scopes = 'report'") == []
    assert await rows("SELECT name FROM machines") == []
    assert await rows("SELECT machine_count, token_generation FROM user_profiles") == [(0, 1)]


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


@pytest.mark.long
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
