"""The connection of a unit of work: when it is reused, and when it is dropped."""

import asyncio
import random
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from typing import Any

import aiosqlite
import asyncpg
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import AsyncAdaptedQueuePool

from symphony.domain.errors import AlreadyExists
from symphony.domain.reach import Reach
from symphony.domain.unit_of_work import Store, StoreUnavailable, TransactionConflict
from symphony.infrastructure.database.engine import Engines
from symphony.infrastructure.database.errors import UnexpectedDatabaseError
from tests.domain.examples import a_workspace
from tests.infrastructure.database.kept import Household, committed, found, keep, store_with

pytestmark = pytest.mark.every_store  # each has connections of its own kind

TIME_LIMIT = 10  # seconds
only_sqlite = pytest.mark.parametrize("store_kind", ["sqlite-file", "sqlite-memory"], indirect=True)


async def next_connection(engine: AsyncEngine) -> Any:
    """Return the driver's connection that the next caller gets; these tests open only one."""
    pooled = await engine.raw_connection()
    try:
        return pooled.driver_connection
    finally:
        pooled.close()


def in_transaction(driver: Any) -> bool:
    if isinstance(driver, aiosqlite.Connection):
        return driver.in_transaction
    return driver.is_in_transaction()


async def count_a_repo(store: Store, ada: Household) -> None:
    async with committed(store) as uow:
        await uow.workspaces.count_contents(Reach(ada.user.id), ada.workspace.id, repo_count=1)


async def counted(store: Store, ada: Household) -> int:
    async with asyncio.timeout(TIME_LIMIT), store.unit_of_work() as uow:
        return (
            await uow.workspaces.count_contents(Reach(ada.user.id), ada.workspace.id)
        ).repo_count


def interrupt(
    monkeypatch: pytest.MonkeyPatch, statement: str, happens: Callable[[], Awaitable[None]]
) -> None:
    """Do something else before one of the statements BEGIN, COMMIT and ROLLBACK."""
    for driver in (asyncpg.Connection, aiosqlite.Connection):
        execute: Any = driver.execute

        async def interrupted(connection: Any, sql: str, execute: Any = execute) -> Any:
            if sql == statement:
                await happens()
            return await execute(connection, sql)

        monkeypatch.setattr(driver, "execute", interrupted)


async def test_a_connection_is_reused_and_never_inside_a_transaction(
    store: Store, engines: Engines, ada: Household
) -> None:
    before = await next_connection(engines.write)

    async def fail() -> None:
        async with committed(store) as uow:
            await uow.workspaces.add(a_workspace(ada.user.id, "Never"))
            raise ZeroDivisionError

    await count_a_repo(store, ada)
    assert (await next_connection(engines.write), in_transaction(before)) == (before, False)
    assert await counted(store, ada) == 1
    assert (await next_connection(engines.write), in_transaction(before)) == (before, False)
    with pytest.raises(ZeroDivisionError):
        await fail()
    assert (await next_connection(engines.write), in_transaction(before)) == (before, False)
    with pytest.raises(AlreadyExists):
        await keep(store, a_workspace(ada.user.id, ada.workspace.name))
    assert (await next_connection(engines.write), in_transaction(before)) == (before, False)


async def test_the_connection_of_an_interrupted_read_is_dropped(
    store: Store, engines: Engines, ada: Household
) -> None:
    assert await found(store, ada.repo, ada.user.id) == ada.repo
    before = await next_connection(engines.read)
    left = asyncio.create_task(found(store, ada.repo, ada.user.id))
    await asyncio.sleep(0)  # it waits for the answer
    left.cancel()
    with pytest.raises(asyncio.CancelledError):
        await left
    pooled = engines.read.pool
    assert isinstance(pooled, AsyncAdaptedQueuePool)
    assert pooled.checkedout() == 0
    assert await found(store, ada.repo, ada.user.id) == ada.repo
    assert await next_connection(engines.read) is not before


async def test_the_connection_of_an_interrupted_statement_is_dropped(
    store: Store, engines: Engines, ada: Household
) -> None:
    before = await next_connection(engines.write)
    left = asyncio.create_task(count_a_repo(store, ada))
    await asyncio.sleep(0)  # it waits for the answer to its first statement
    left.cancel()
    with pytest.raises(asyncio.CancelledError):
        await left
    assert await counted(store, ada) == 0
    assert await next_connection(engines.write) is not before


@pytest.mark.long
async def test_a_unit_of_work_cancelled_at_any_moment_leaves_no_lock_and_no_partial_change(
    store: Store, ada: Household
) -> None:
    moments = random.Random(7)  # noqa: S311 - only to be spread out
    done = 0
    for _ in range(25):
        left = asyncio.create_task(count_a_repo(store, ada))
        await asyncio.wait([left], timeout=moments.uniform(0, 0.005))
        left.cancel()
        (outcome,) = await asyncio.gather(left, return_exceptions=True)
        now = await counted(store, ada)
        # When it is cancelled during the COMMIT, the outcome is unknown.
        assert now == done + 1 if outcome is None else now in (done, done + 1)
        done = now


async def test_a_connection_whose_commit_has_failed_is_dropped(
    store: Store, engines: Engines, ada: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = await next_connection(engines.write)

    async def disk_full() -> None:
        if isinstance(before, aiosqlite.Connection):
            error = sqlite3.OperationalError("database or disk is full")
            error.sqlite_errorcode = sqlite3.SQLITE_FULL
            raise error
        raise asyncpg.DiskFullError

    with monkeypatch.context() as patched:
        interrupt(patched, "COMMIT", disk_full)
        with pytest.raises(StoreUnavailable):
            await count_a_repo(store, ada)
    assert await counted(store, ada) == 0
    assert await next_connection(engines.write) is not before


async def test_a_commit_whose_answer_is_lost_is_not_a_conflict_because_a_retry_could_do_it_twice(
    store: Store, engines: Engines, ada: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = await next_connection(engines.write)

    async def lost() -> None:
        raise ConnectionResetError

    with monkeypatch.context() as patched:
        interrupt(patched, "COMMIT", lost)
        with pytest.raises(StoreUnavailable):
            await count_a_repo(store, ada)
    assert await counted(store, ada) == 0
    assert await next_connection(engines.write) is not before


async def test_a_lost_connection_is_a_conflict_unless_it_was_opened_for_this_unit_of_work(
    store: Store, engines: Engines, ada: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def lost() -> None:
        raise ConnectionResetError

    with monkeypatch.context() as patched:
        interrupt(patched, engines.begin, lost)
        with pytest.raises(TransactionConflict):
            await count_a_repo(store, ada)
        with pytest.raises(StoreUnavailable):
            await count_a_repo(store, ada)
    assert await counted(store, ada) == 0


async def test_a_rollback_without_an_answer_has_a_time_limit(
    store: Store, engines: Engines, ada: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = await next_connection(engines.write)

    async def no_answer() -> None:
        await asyncio.Event().wait()

    with monkeypatch.context() as patched:
        interrupt(patched, "ROLLBACK", no_answer)
        assert await counted(store_with(engines, rollback_timeout=0.05), ada) == 0
    await count_a_repo(store, ada)
    assert await counted(store, ada) == 1
    assert await next_connection(engines.write) is not before


async def test_a_unit_of_work_over_its_time_limit_is_rolled_back_and_the_store_is_unavailable(
    store: Store, engines: Engines, ada: Household
) -> None:
    async def work() -> None:
        async with committed(store_with(engines, work_timeout=0.2)) as uow:
            await uow.workspaces.count_contents(Reach(ada.user.id), ada.workspace.id, repo_count=1)
            await asyncio.Event().wait()

    with pytest.raises(StoreUnavailable):
        await asyncio.wait_for(work(), TIME_LIMIT)
    assert await counted(store, ada) == 0


@only_sqlite
async def test_a_unit_of_work_on_sqlite_takes_the_write_lock_even_if_it_only_reads(
    store: Store, engines: Engines, ada: Household
) -> None:
    other = engines.anchor or sqlite3.connect(str(engines.file))
    other.execute("PRAGMA busy_timeout = 0")
    async with store.unit_of_work() as uow:
        await uow.repos.get(Reach(ada.user.id), ada.repo.id)
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
    if other is not engines.anchor:
        other.close()


async def test_after_a_failed_statement_nothing_is_committed_even_if_the_error_was_handled(
    store: Store, ada: Household
) -> None:
    async with store.unit_of_work() as uow:
        await uow.workspaces.add(a_workspace(ada.user.id, "Half"))
        with pytest.raises(AlreadyExists):
            await uow.workspaces.add(a_workspace(ada.user.id, "Half"))
        with pytest.raises(RuntimeError):
            await uow.commit()
    assert await counted(store, ada) == 0
    async with committed(store) as uow:
        await uow.workspaces.add(a_workspace(ada.user.id, "Half"))  # its name is still free


@pytest.mark.parametrize("store_kind", ["sqlite-file"], indirect=True)
async def test_invalid_utf_8_is_replaced_and_the_next_read_sees_the_current_state(
    store: Store, engines: Engines, ada: Household
) -> None:
    before = await next_connection(engines.read)
    assert engines.file
    with closing(sqlite3.connect(engines.file)) as database:
        for text, shown in (("CAST(x'61fe' AS TEXT)", "a\ufffd"), ("'mended'", "mended")):
            database.execute(f"UPDATE workspaces SET name = {text}")  # noqa: S608 - ours
            database.commit()
            assert (await found(store, ada.workspace, ada.user.id)).name == shown
            async with store.unit_of_work() as uow:
                found_by_writer = await uow.workspaces.get_for_update(
                    Reach(ada.user.id), ada.workspace.id
                )
            assert found_by_writer.name == shown
    assert await next_connection(engines.read) is before


@only_sqlite
async def test_a_connection_is_dropped_when_the_driver_fails_to_read_the_rows(
    store: Store, engines: Engines, ada: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = await next_connection(engines.read)

    async def not_given(*_: object) -> None:
        raise sqlite3.OperationalError("Could not decode 'what ada wrote'")

    with monkeypatch.context() as patched:
        patched.setattr(aiosqlite.Connection, "execute_fetchall", not_given)
        with pytest.raises(UnexpectedDatabaseError) as failed:
            await found(store, ada.workspace, ada.user.id)
    assert str(failed.value).startswith("OperationalError: no details, in: SELECT")
    assert await next_connection(engines.read) is not before
