"""A newer schema serves this program if it says so; all checks of a schema agree on it."""

from collections.abc import Callable, Generator
from pathlib import Path

import pytest
from sqlalchemy import inspect, text

from symphony import bootstrap
from symphony.config.settings import Settings
from symphony.infrastructure.database import migrations
from symphony.infrastructure.database.availability import readiness
from symphony.infrastructure.database.checks.explanations import DatabaseUnusable
from symphony.infrastructure.database.checks.schema import SchemaRefused
from symphony.infrastructure.database.engine import Engines, create_engines
from tests.conftest import SECRET
from tests.support.releases.next_release import (
    CONTRACTION,
    EXPANSION,
    HEAD,
    after,
    become,
    become_this_again,
    copy_migrations,
)

ROW = text("SELECT revision, compatible_with FROM schema_compatibility")
NEWER = "which is newer than this program"

Release = Callable[[], None]

pytestmark = [
    pytest.mark.slow_and_real,
    # A database in memory belongs to one process.
    pytest.mark.parametrize("store_kind", ["postgresql", "sqlite-file"], indirect=True),
]


@pytest.fixture
def next_release(tmp_path: Path) -> Generator[Release]:
    """Makes this process a program of the next release."""
    copy_migrations(tmp_path / "next", EXPANSION, CONTRACTION)
    with pytest.MonkeyPatch.context() as patch:
        yield lambda: become(tmp_path / "next", patch)
        become_this_again(patch)


@pytest.fixture
def this_release(next_release: Release) -> Generator[Release]:
    """Makes this process a program of this release again."""
    del next_release
    with pytest.MonkeyPatch.context() as patch:
        scripts = migrations.schema.scripts()
        yield lambda: become(scripts, patch)
        become_this_again(patch)


async def recorded(engines: Engines) -> list[tuple[str, str]]:
    async with engines.read.connect() as connection:
        return [(row[0], row[1]) for row in await connection.execute(ROW)]


async def refusal(engines: Engines) -> str:
    """The line with which a program refuses a database, the same wherever it looks at it."""
    reason = await readiness.not_ready_reason(engines)
    assert reason is not None
    for check in (migrations.require_compatible, migrations.upgrade):
        with pytest.raises(SchemaRefused) as refused:
            await check(engines)
        assert str(refused.value) == reason
    assert "\n" not in reason
    return reason


async def start(database_url: str, folder: Path, *, auto_migrate: bool) -> None:
    settings = Settings.model_validate(
        {
            "database_url": database_url,
            "secret_key": SECRET,
            "data_dir": folder,
            "auto_migrate": auto_migrate,
        }
    )
    await bootstrap.prepare(settings)


@pytest.mark.long
async def test_each_step_records_which_programs_the_schema_serves(
    engines: Engines, next_release: Release
) -> None:
    next_release()
    await migrations.upgrade(engines, EXPANSION.name)
    assert await recorded(engines) == [(EXPANSION.name, HEAD)]
    await migrations.upgrade(engines)
    assert await recorded(engines) == [(CONTRACTION.name, EXPANSION.name)]
    await migrations.downgrade(engines, EXPANSION.name)
    assert await recorded(engines) == [(EXPANSION.name, HEAD)]
    await migrations.downgrade(engines, "base")
    assert await recorded(engines) == []


async def test_a_program_serves_a_newer_schema_that_is_compatible_with_it(
    engines: Engines,
    database_url: str,
    next_release: Release,
    this_release: Release,
    tmp_path: Path,
) -> None:
    next_release()
    await migrations.upgrade(engines, EXPANSION.name)
    this_release()
    assert await readiness.not_ready_reason(engines) is None
    state = await migrations.require_compatible(engines)
    assert state.describe() == (
        f"The schema is at {EXPANSION.name}, which is newer than this program ({HEAD}) and"
        " compatible with it."
    )
    await migrations.upgrade(engines)
    assert await migrations.current_revision(engines) == EXPANSION.name
    for auto_migrate in (False, True):
        await start(database_url, tmp_path, auto_migrate=auto_migrate)
    with pytest.raises(SchemaRefused, match="downgrade it with the newer version"):
        await migrations.downgrade(engines, "base")


async def test_a_program_refuses_a_newer_schema_that_is_not_compatible_with_it(
    engines: Engines,
    database_url: str,
    next_release: Release,
    this_release: Release,
    tmp_path: Path,
) -> None:
    next_release()
    await migrations.upgrade(engines)
    this_release()
    assert await refusal(engines) == (
        f"the database's schema is at revision {CONTRACTION.name}, which is newer than this"
        f" program, whose newest is {HEAD}, and serves programs from revision {EXPANSION.name} on"
        " only: install a newer version of Symphony"
    )
    for auto_migrate in (False, True):
        with pytest.raises(DatabaseUnusable, match=NEWER):
            await start(database_url, tmp_path, auto_migrate=auto_migrate)
    next_release()
    await migrations.downgrade(engines, EXPANSION.name)
    this_release()
    assert await readiness.not_ready_reason(engines) is None


async def test_after_a_downgrade_the_newer_program_is_not_ready(
    engines: Engines, next_release: Release
) -> None:
    next_release()
    await migrations.upgrade(engines, EXPANSION.name)
    await migrations.downgrade(engines, HEAD)
    reason = await readiness.not_ready_reason(engines) or ""
    assert f"is at revision {HEAD}, but revision {CONTRACTION.name} is needed" in reason


@pytest.mark.parametrize(
    "spoil",
    [
        "DROP TABLE schema_compatibility",
        "DELETE FROM schema_compatibility",
        "UPDATE schema_compatibility SET revision = '013'",
    ],
)
async def test_a_newer_schema_without_a_record_of_its_own_is_refused(
    spoil: str, engines: Engines, next_release: Release, this_release: Release
) -> None:
    next_release()
    await migrations.upgrade(engines, EXPANSION.name)
    this_release()
    async with engines.write.begin() as connection:
        await connection.execute(text(spoil))
    assert await refusal(engines) == (
        f"the database's schema is at revision {EXPANSION.name}, which is newer than this"
        f" program, whose newest is {HEAD}: install a newer version of Symphony"
    )


async def test_an_upgrade_that_waited_for_that_of_a_newer_program_changes_nothing(
    engines: Engines,
    database_url: str,
    next_release: Release,
    this_release: Release,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await migrations.downgrade(engines, after(HEAD, -1))
    second = create_engines(database_url)
    original = migrations.current_state

    async def overtaken(_: Engines) -> object:
        """Read the state; then the newer program migrates."""
        state = await original(engines)
        next_release()
        await migrations.upgrade(second, EXPANSION.name)
        this_release()
        return state

    with monkeypatch.context() as patch:
        patch.setattr(migrations, "current_state", overtaken)
        # The newer program's upgrade to a named revision reads no state before its lock.
        await migrations.upgrade(engines)
    assert await migrations.current_revision(engines) == EXPANSION.name
    async with engines.read.connect() as connection:
        names = await connection.run_sync(lambda sync: inspect(sync).get_table_names())
    assert "things" in names
    await second.dispose()
