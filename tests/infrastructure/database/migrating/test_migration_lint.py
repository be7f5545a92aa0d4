"""No step of a new revision blocks requests; the lint that says so is proved by examples."""

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
from alembic.script import ScriptDirectory

from symphony.infrastructure.database import migrations
from symphony.infrastructure.database.checks import schema
from symphony.infrastructure.database.engine import Engines
from tests.support.releases.migration_lint import blocking_rules, recorded_steps
from tests.support.releases.next_release import (
    HEAD,
    Revision,
    after,
    become,
    become_this_again,
    copy_migrations,
)

FIRST = "014"
"""The first revision that is checked: the ones before were written without the helpers."""

pytestmark = [
    pytest.mark.slow_and_real,
    pytest.mark.parametrize("store_kind", ["postgresql"], indirect=True),
]


def scripts() -> list[Any]:
    """The revisions that are checked, in their order."""
    found = ScriptDirectory(str(schema.scripts())).walk_revisions()
    return sorted(
        (each for each in found if each.revision >= FIRST), key=lambda each: each.revision
    )


@pytest.fixture
async def patch(engines: Engines) -> AsyncGenerator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as patch:
        yield patch
        become_this_again(patch)


async def rules_broken_by(
    engines: Engines, name: str, *, before: str, is_compatible: bool
) -> tuple[set[str], set[str]]:
    """The rules that a revision violates on its way up, and on its way down."""
    with recorded_steps(engines) as up:
        await migrations.upgrade(engines, name)
    with recorded_steps(engines) as down:
        await migrations.downgrade(engines, before)
    return (
        blocking_rules(up, is_compatible=is_compatible),
        # A downgrade is for when no newer program is left.
        blocking_rules(down, is_compatible=False),
    )


async def test_no_revision_blocks_requests(engines: Engines) -> None:
    for script in scripts():
        before = script.down_revision
        await migrations.downgrade(engines, before)
        broken = await rules_broken_by(
            engines,
            script.revision,
            before=before,
            is_compatible=script.module.compatible_with <= before,
        )
        assert broken == (set(), set()), script.revision
        await migrations.upgrade(engines)


GOOD = {
    "a column with a check, and an index": """
    online.add_column("repos", "a INTEGER", check=("c", "a > 0"))
    online.create_index("ix", "repos", ["a"])""",
    "a foreign key": """online.add_column("repos", "f UUID")
    online.add_constraint("fk", "repos", "FOREIGN KEY (f) REFERENCES machines (id)")""",
    "a default": 'op.execute("ALTER TABLE repos ADD COLUMN a INTEGER DEFAULT 0 NOT NULL")',
    "rows in small parts": """online.change_rows(
        "UPDATE repos SET version = 2 WHERE id IN (SELECT id FROM repos WHERE version = 1 LIMIT 9)"
    )""",
    "a new table": """
    op.execute("CREATE TABLE t (id UUID PRIMARY KEY, r UUID REFERENCES repos (id))")
    op.execute("CREATE INDEX ix_t ON t (r)")
    op.execute("ALTER TABLE t ADD CONSTRAINT u UNIQUE (r)")""",
}
BAD = {
    "CREATE INDEX ix ON repos (name)": "require-concurrent-index-creation",
    "DROP INDEX ix_repos_workspace_id_created_at_id": "require-concurrent-index-deletion",
    "REINDEX TABLE repos": "require-concurrent-reindex",
    "ALTER TABLE repos ADD CONSTRAINT c CHECK (version > 0)": "constraint-missing-not-valid",
    "ALTER TABLE repos ADD CONSTRAINT c UNIQUE (id, name)": "disallowed-unique-constraint",
    "ALTER TABLE repos ADD COLUMN u INTEGER UNIQUE": "disallowed-unique-constraint",
    "ALTER TABLE repos ADD COLUMN m UUID REFERENCES machines": "adding-foreign-key-constraint",
    "ALTER TABLE repos ADD COLUMN c INTEGER CHECK (c > 0)": "column-with-check",
    "ALTER TABLE repos ADD COLUMN d UUID DEFAULT gen_random_uuid()": "adding-field-with-default",
    "ALTER TABLE repos ALTER COLUMN name TYPE TEXT": "changing-column-type",
    "ALTER TABLE repos ALTER COLUMN last_synced SET NOT NULL": "set-not-null",
    "UPDATE repos SET version = 2": "unlimited-change-of-rows",
    "DELETE FROM repos": "unlimited-change-of-rows",
    "UPDATE repos SET version = 2 WHERE id IN (SELECT id FROM repos LIMIT 10)": (
        "rows-locked-until-the-end"
    ),
    "LOCK TABLE repos": "blocking-command",
    "TRUNCATE api_token_workspaces": "blocking-command",
    "ALTER TABLE repos RENAME TO r": "renaming-table",
    "ALTER TABLE repos RENAME COLUMN name TO n": "renaming-column",
    "ALTER TABLE repos ADD COLUMN r INTEGER NOT NULL": "adding-required-field",
}


@pytest.mark.long
@pytest.mark.parametrize("name", GOOD)
async def test_the_lint_accepts(
    name: str, engines: Engines, patch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert await broken_by(GOOD[name], engines, patch, tmp_path) == set()


@pytest.mark.long
@pytest.mark.parametrize("statement", BAD)
async def test_the_lint_refuses(
    statement: str, engines: Engines, patch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    broken = await broken_by(f'op.execute("{statement}")', engines, patch, tmp_path)
    assert BAD[statement] in broken


async def test_the_lint_refuses_an_online_step_after_others(
    engines: Engines, patch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    steps = """op.execute("CREATE TABLE t (id INTEGER)")
    online.create_index("ix", "repos", ["version"])"""
    assert await broken_by(steps, engines, patch, tmp_path) == {"online-step-after-others"}


async def test_the_lint_finds_what_an_old_revision_does(engines: Engines) -> None:
    await migrations.downgrade(engines, "010")
    up, _ = await rules_broken_by(engines, "011", before="010", is_compatible=True)
    assert {"require-concurrent-index-creation", "column-with-check"} <= up


async def broken_by(
    upgrade: str, engines: Engines, patch: pytest.MonkeyPatch, folder: Path
) -> set[str]:
    """The rules that a revision with such steps violates."""
    copy_migrations(folder / "scripts", Revision(after(HEAD), HEAD, upgrade, "pass"))
    become(folder / "scripts", patch)
    broken, _ = await rules_broken_by(engines, after(HEAD), before=HEAD, is_compatible=True)
    return broken
