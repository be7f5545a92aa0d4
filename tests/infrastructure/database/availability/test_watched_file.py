"""An SQLite file that is moved, replaced or cannot be written while the store is in use."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import aiosqlite
import pytest

from symphony.domain.unit_of_work import Store, StoreUnavailable, TransactionConflict
from symphony.domain.workspaces import Workspace
from symphony.infrastructure.database.availability import readiness
from symphony.infrastructure.database.engine import Engines
from tests.domain.examples import a_workspace
from tests.infrastructure.database.kept import Household, found, keep, listed

pytestmark = pytest.mark.parametrize("store_kind", ["sqlite-file"], indirect=True)


@pytest.fixture
def file(engines: Engines) -> Path:
    assert engines.file
    return engines.file


def other(file: Path, ending: str) -> Path:
    return file.with_name(file.name + ending)


def move(file: Path, to: Path) -> None:
    file.replace(to)


def fill(file: Path, content: bytes) -> None:
    file.write_bytes(content)


def is_there(file: Path) -> bool:
    return file.exists()


async def require_unavailable(store: Store, ada: Household) -> None:
    with pytest.raises(StoreUnavailable):
        await found(store, ada.workspace, ada.user.id)
    with pytest.raises(StoreUnavailable):
        await keep(store, a_workspace(ada.user.id, "Refused"))


async def names(store: Store, ada: Household) -> set[str]:
    return {each.name for each in await listed(store, Workspace, ada.user.id, ada.user.id)}


async def test_a_file_that_was_moved_away_is_neither_written_nor_created(
    store: Store, engines: Engines, ada: Household, file: Path
) -> None:
    await found(store, ada.workspace, ada.user.id)  # both pools are open
    move(file, aside := other(file, ".aside"))
    await require_unavailable(store, ada)
    assert await readiness.not_ready_reason(engines) == readiness.UNREACHABLE
    assert not is_there(file)
    move(aside, file)
    await keep(store, a_workspace(ada.user.id, "After"))
    assert await names(store, ada) == {ada.workspace.name, "After"}
    assert await readiness.not_ready_reason(engines) is None


async def test_a_commit_to_a_file_that_was_moved_is_not_acknowledged(
    store: Store, ada: Household, file: Path
) -> None:
    async with store.unit_of_work() as uow:
        await uow.workspaces.add(a_workspace(ada.user.id, "Doubtful"))
        move(file, other(file, ".aside"))
        with pytest.raises(StoreUnavailable):
            await uow.commit()


async def test_a_restored_file_is_opened_when_the_log_of_the_old_one_is_gone(
    store: Store, engines: Engines, ada: Household, file: Path
) -> None:
    backup = other(file, ".backup")
    with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(backup)) as target:
        source.backup(target)
    await keep(store, a_workspace(ada.user.id, "Only in the old file"))
    move(backup, file)
    # SQLite would apply the log of the old file to the new one.
    await require_unavailable(store, ada)
    reason = await readiness.not_ready_reason(engines)
    assert reason
    assert reason.startswith("the database file was replaced")
    for ending in ("-wal", "-shm"):
        other(file, ending).unlink()
    assert await names(store, ada) == {ada.workspace.name}
    await keep(store, a_workspace(ada.user.id, "After"))
    assert await names(store, ada) == {ada.workspace.name, "After"}
    assert await readiness.not_ready_reason(engines) is None


async def test_a_file_that_became_something_else_is_unavailable_until_it_is_back(
    store: Store, ada: Household, file: Path
) -> None:
    parts = [file, other(file, "-wal"), other(file, "-shm")]
    for each in parts:
        move(each, other(each, ".aside"))
    fill(file, b"not a database" * 1000)
    await require_unavailable(store, ada)
    for each in parts:
        move(other(each, ".aside"), each)
    await keep(store, a_workspace(ada.user.id, "After"))
    assert await names(store, ada) == {ada.workspace.name, "After"}


@pytest.mark.parametrize(
    ("pragma", "code"),
    [
        ("query_only=ON", "SQLITE_READONLY"),  # as when it was opened while it was read-only
        ("max_page_count=1", "SQLITE_FULL"),
    ],
)
async def test_a_connection_that_cannot_write_is_replaced(
    store: Store, engines: Engines, ada: Household, pragma: str, code: str
) -> None:
    pooled = await engines.write.raw_connection()
    driver: Any = pooled.driver_connection
    assert isinstance(driver, aiosqlite.Connection)
    await driver.execute(f"PRAGMA {pragma}")
    pooled.close()
    large = a_workspace(ada.user.id, "Large", settings={"text": "x" * 60_000})
    with pytest.raises(TransactionConflict) as refused:
        await keep(store, large)
    cause = refused.value.__cause__
    assert isinstance(cause, sqlite3.OperationalError)
    assert cause.sqlite_errorname == code
    await keep(store, large)
    assert await names(store, ada) == {ada.workspace.name, "Large"}


async def test_readiness_reports_a_file_that_cannot_be_written(
    engines: Engines, ada: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ada

    def is_allowed(_path: Path, mode: int) -> bool:
        return mode != os.W_OK

    def full_disk(_path: Path) -> os.statvfs_result:
        return os.statvfs_result([4096, 4096, 100, 0, 0, 100, 50, 50, 0, 255])

    with monkeypatch.context() as patched:
        patched.setattr(os, "access", is_allowed)
        assert await readiness.not_ready_reason(engines) == "the database is read-only"
    with monkeypatch.context() as patched:
        patched.setattr(os, "statvfs", full_disk)
        assert await readiness.not_ready_reason(engines) == "the disk of the database is full"
    assert await readiness.not_ready_reason(engines) is None
