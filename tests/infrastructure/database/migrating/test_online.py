"""Changes of large tables: repeated after interruptions, and patient without blocking others."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from structlog.testing import capture_logs

from symphony.infrastructure.database import migrations
from symphony.infrastructure.database.checks.schema import SchemaRefused
from symphony.infrastructure.database.engine import Engines
from symphony.infrastructure.database.migrating import exclusive_session
from tests.support.releases.next_release import (
    HEAD,
    Revision,
    after,
    become,
    become_this_again,
    copy_migrations,
)

ON_POSTGRESQL = pytest.mark.parametrize("store_kind", ["postgresql"], indirect=True)
CHECK = 'online.add_constraint("ck_short", "workspaces", "CHECK (length(name) < 9)")'
INDEX = 'online.create_index("ix_new", "workspaces", ["name"], unique=True)'
REFUSED = ("UPDATE workspaces SET size = -1", "UPDATE workspaces SET name = 'same'")
SIZES = """online.change_rows(
        "UPDATE workspaces SET size = 7 WHERE id IN"
        " (SELECT id FROM workspaces WHERE size IS NULL LIMIT 2)"
    )"""
INDEXES = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('ix_new')"
CONSTRAINTS = "SELECT convalidated FROM pg_constraint WHERE conname = 'ck_short'"
PROFILE = (
    "INSERT INTO user_profiles (id, version, created_at, updated_at, username, username_key, email,"
    " email_key, password_hash, preferences) VALUES"
    " ('00000000-0000-0000-0000-000000000001', 1, CURRENT_TIMESTAMP, CURRENT_TIMESTAMP, 'ada',"
    " 'ada', 'ada@example.org', 'ada@example.org', 'x', '{}')"
)
WORKSPACE = (
    "INSERT INTO workspaces (id, version, created_at, updated_at, user_profile_id, name, name_key,"
    " workspace_type, settings) SELECT '00000000-0000-0000-0000-00000000000{0}', 1,"
    " CURRENT_TIMESTAMP, CURRENT_TIMESTAMP, id, '{1}', 'key{0}', 'general', '{{}}'"
    " FROM user_profiles"
)

pytestmark = pytest.mark.slow_and_real


class Program:
    """A program with one further revision, on a database."""

    def __init__(self, engines: Engines, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.engines = engines
        self._folder = folder
        self._patch = patch

    def add(self, upgrade: str, downgrade: str = "pass") -> None:
        copy_migrations(self._folder, Revision(after(HEAD), HEAD, upgrade, downgrade))
        become(self._folder, self._patch)

    async def upgrade(self) -> None:
        await migrations.upgrade(self.engines)

    async def execute(self, *statements: str) -> Sequence[Any]:
        """Run statements in one transaction; return the values of the last one."""
        async with self.engines.write.begin() as connection:
            for statement in statements[:-1]:
                await connection.execute(text(statement))
            result = await connection.execute(text(statements[-1]))
            return [row[0] for row in result] if result.returns_rows else []


@pytest.fixture
async def program(engines: Engines, tmp_path: Path) -> AsyncGenerator[Program]:
    with pytest.MonkeyPatch.context() as patch:
        yield Program(engines, tmp_path / "scripts", patch)
        become_this_again(patch)


@pytest.mark.long
@pytest.mark.every_store
async def test_columns_indexes_and_changes_of_rows_come_and_go(program: Program) -> None:
    program.add(
        f"""online.add_column("workspaces", "size INTEGER", check=("ck_size", "size >= 0"))
    {INDEX}
    {SIZES}""",
        """online.drop_index("ix_new", "workspaces")
    op.drop_column("workspaces", "size")""",
    )
    await program.execute(PROFILE, *(WORKSPACE.format(each, f"name {each}") for each in range(5)))
    for _ in range(2):
        await program.upgrade()
        assert await program.execute("SELECT size FROM workspaces") == [7] * 5
        for statement in REFUSED:
            with pytest.raises(DBAPIError):
                await program.execute(statement)
        await migrations.downgrade(program.engines, HEAD)
        await program.execute("UPDATE workspaces SET version = 2")
        with pytest.raises(DBAPIError):
            await program.execute("SELECT size FROM workspaces")


@ON_POSTGRESQL
async def test_an_index_that_could_not_be_finished_is_built_again(program: Program) -> None:
    program.add(INDEX)
    await program.execute(PROFILE, *(WORKSPACE.format(each, "same") for each in range(2)))
    for _ in range(2):
        with pytest.raises(DBAPIError, match="could not create unique index"):
            await program.upgrade()
        assert await program.execute(INDEXES) == [False]
        assert await migrations.current_revision(program.engines) == HEAD
    await program.execute("DELETE FROM workspaces")
    await program.upgrade()
    assert await program.execute(INDEXES) == [True]


@ON_POSTGRESQL
async def test_a_constraint_that_rows_violate_holds_for_new_ones_until_it_can_be_validated(
    program: Program,
) -> None:
    program.add(CHECK)
    await program.execute(PROFILE, WORKSPACE.format(1, "much too long"))
    for _ in range(2):
        with pytest.raises(DBAPIError, match="ck_short"):
            await program.upgrade()
        assert await program.execute(CONSTRAINTS) == [False]
    with pytest.raises(DBAPIError, match="ck_short"):
        await program.execute(WORKSPACE.format(2, "much too long"))
    await program.execute("UPDATE workspaces SET name = 'short'")
    await program.upgrade()
    assert await program.execute(CONSTRAINTS) == [True]


@pytest.mark.long
@ON_POSTGRESQL
@pytest.mark.parametrize("step", [CHECK, INDEX])
async def test_requests_pass_while_a_migration_waits_for_a_long_transaction(
    step: str, program: Program
) -> None:
    program.add(f"""{step}
    op.execute("ALTER TABLE workspaces ADD COLUMN size INTEGER")""")
    await program.execute(PROFILE, WORKSPACE.format(1, "a"))
    async with program.engines.write.connect() as reader:
        await reader.execute(text("SELECT * FROM workspaces"))  # a lock until the end
        with capture_logs() as logs:
            upgrade = asyncio.create_task(program.upgrade())
            for _ in range(20):
                async with asyncio.timeout(3):  # an endless wait without the time limit of locks
                    await program.execute("UPDATE workspaces SET version = version + 1")
                await asyncio.sleep(0.1)
        assert not upgrade.done()
        await reader.rollback()
    await asyncio.wait_for(upgrade, 30)
    assert await migrations.current_revision(program.engines) == after(HEAD)
    if step == CHECK:
        assert ["waits for a table" in each["event"] for each in logs] == [True]


@pytest.mark.long
@ON_POSTGRESQL
async def test_a_migration_that_gets_no_lock_gives_up_with_a_line_that_says_what_to_do(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    patient = partial(exclusive_session.run_with_lock_retries, patience=0.1)
    monkeypatch.setattr(migrations, "run_with_lock_retries", patient)
    program.add(CHECK)
    async with program.engines.write.connect() as reader:
        await reader.execute(text("SELECT * FROM workspaces"))
        with pytest.raises(SchemaRefused, match="end long transactions"):
            await program.upgrade()
        await reader.rollback()
    assert await migrations.current_revision(program.engines) == HEAD
    await program.upgrade()
    assert await program.execute(CONSTRAINTS) == [True]
