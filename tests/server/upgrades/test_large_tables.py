"""A migration changes a table of a million rows while others write to it."""

import asyncio
import random
import time
from collections.abc import AsyncGenerator
from pathlib import Path

import asyncpg
import pytest

from symphony.infrastructure.database import migrations
from symphony.infrastructure.database.engine import create_engines
from tests.support import postgres
from tests.support.releases.next_release import (
    HEAD,
    Revision,
    after,
    become,
    become_this_again,
    copy_migrations,
)

ROWS = 1_000_000
WRITERS = 4
LONGEST_PAUSE = 3.0
"""Seconds. It is 0.4 on a machine of its own (docs/decisions/upgrades.md); others use this one."""
UPGRADE = """online.add_column("repos", "size INTEGER", check=("ck_size", "size >= 0"))
    online.create_index("ix_repos_path", "repos", ["path"])
    online.add_constraint("ck_long", "repos", "CHECK (length(path || name) < 9999)")"""
DOWNGRADE = """online.drop_index("ix_repos_path", "repos")
    op.drop_constraint("ck_long", "repos")
    op.drop_column("repos", "size")"""
PARENTS = """
    INSERT INTO user_profiles (id, version, created_at, updated_at, username, username_key, email,
        email_key, password_hash, preferences)
    VALUES (gen_random_uuid(), 1, now(), now(), 'ada', 'ada', 'a@example.org', 'a@example.org', 'x',
        '{}');
    INSERT INTO workspaces (id, version, created_at, updated_at, user_profile_id, name, name_key,
        workspace_type, settings)
    SELECT gen_random_uuid(), 1, now(), now(), id, 'w', 'w', 'general', '{}' FROM user_profiles
"""
REPOS = """
    INSERT INTO repos (id, version, created_at, updated_at, workspace_id, name, name_key, path,
        metadata)
    SELECT lpad(number::text, 32, '0')::uuid, 1, now(), now(), id, 'repo ' || number,
        'repo ' || number, '~/dev/' || md5(number::text), '{}'
    FROM workspaces, generate_series($1::integer, $2::integer) AS number
"""
UPDATE = """
    UPDATE repos SET version = version + 1, path = path || 'x'
    WHERE id = lpad($1::integer::text, 32, '0')::uuid
"""

pytestmark = [pytest.mark.long, pytest.mark.slow_and_real]


@pytest.fixture
async def database() -> AsyncGenerator[str]:
    """The name of a database with a million repos."""
    name = "test_large_tables"
    await postgres.create_database(name)
    connection = await asyncpg.connect(postgres.address(name))
    try:
        await connection.execute(PARENTS)
        await connection.execute(REPOS, 1, ROWS)
        await connection.execute("VACUUM ANALYZE repos")
        await connection.close()
        yield name
    finally:
        connection.terminate()
        await postgres.drop_database(name)


class Writers:
    """Connections that write one row after another, and their longest waits."""

    def __init__(self) -> None:
        self.writes = 0
        self.longest = 0.0
        self.is_over = False

    async def write(self, database: str, number: int) -> None:
        """Update rows, and insert one for every ten updates, until `is_over`."""
        connection = await asyncpg.connect(postgres.address(database))
        inserted = ROWS * (number + 1)
        try:
            while not self.is_over:
                inserted += 1
                start = time.monotonic()
                if inserted % 10:
                    await connection.execute(UPDATE, random.randint(1, ROWS))  # noqa: S311
                else:
                    await connection.execute(REPOS, inserted, inserted)
                self.longest = max(self.longest, time.monotonic() - start)
                self.writes += 1
        finally:
            await connection.close()


async def test_writers_go_on_while_a_million_rows_get_an_index_and_constraints(
    database: str, tmp_path: Path
) -> None:
    copy_migrations(tmp_path / "scripts", Revision(after(HEAD), HEAD, UPGRADE, DOWNGRADE))
    engines = create_engines(postgres.address(database))
    writers = Writers()
    tasks = [asyncio.create_task(writers.write(database, number)) for number in range(WRITERS)]
    took: list[float] = []
    with pytest.MonkeyPatch.context() as patch:
        become(tmp_path / "scripts", patch)
        try:
            for migrate in (
                migrations.upgrade(engines),
                migrations.downgrade(engines, HEAD),
            ):
                start = time.monotonic()
                await migrate
                took.append(time.monotonic() - start)
        finally:
            become_this_again(patch)
            writers.is_over = True
            await asyncio.gather(*tasks)
            await engines.dispose()
    print(  # noqa: T201
        f"{writers.writes} writes during {took[0]:.1f} s up and {took[1]:.1f} s down; the longest"
        f" took {writers.longest:.2f} s"
    )
    assert took[0] > writers.longest  # else the writers waited for the migration
    assert writers.longest < LONGEST_PAUSE
