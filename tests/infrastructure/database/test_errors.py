"""Errors of the databases, as errors of the port."""

import asyncio
import re
import socket
import threading
import time
import traceback
from contextlib import AsyncExitStack, suppress
from dataclasses import fields
from pathlib import Path
from typing import Any, cast

import asyncpg
import pytest
from sqlalchemy import literal_column, select, text

from symphony.domain.reach import Reach
from symphony.domain.repos import Repo
from symphony.domain.unit_of_work import StoreUnavailable, TransactionConflict
from symphony.infrastructure.database import engine, migrations
from symphony.infrastructure.database.availability import readiness
from symphony.infrastructure.database.connection import Connection
from symphony.infrastructure.database.engine import DatabaseLimits, Engines, create_engines
from symphony.infrastructure.database.errors import UnexpectedDatabaseError, translated_errors
from symphony.infrastructure.database.mappings import REPOS
from symphony.infrastructure.database.postgresql.address import DatabaseUrlError
from symphony.infrastructure.database.postgresql.connecting import CannotConnect
from symphony.infrastructure.database.unit_of_work import SqlAlchemyStore
from tests.domain.examples import a_repo
from tests.infrastructure.database.kept import (
    Household,
    committed,
    found,
    household,
    keep,
    store_with,
)

only_postgresql = pytest.mark.parametrize("store_kind", ["postgresql"], indirect=True)


async def test_the_store_is_unavailable_while_all_connections_are_in_use(
    store: SqlAlchemyStore, engines: Engines, store_kind: str
) -> None:
    connections = engines.limits.postgresql_connections if store_kind == "postgresql" else 1
    hurried = store_with(engines, pool_wait=0.05)
    async with AsyncExitStack() as stack:
        for _ in range(connections):
            await stack.enter_async_context(store.unit_of_work())
        started = time.perf_counter()
        with pytest.raises(StoreUnavailable):
            await stack.enter_async_context(hurried.unit_of_work())
        assert time.perf_counter() - started < 0.05 + 2
    await household(store, "ada")


async def test_the_store_is_unavailable_while_the_server_cannot_be_reached() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))  # no server listens on it
        engines = create_engines(f"postgresql://ada@127.0.0.1:{free.getsockname()[1]}/symphony")
        store = SqlAlchemyStore(engines)
        for opened in (store.unit_of_work(), store.reading()):
            with pytest.raises(StoreUnavailable):
                await opened.__aenter__()
        assert await readiness.not_ready_reason(engines) == readiness.UNREACHABLE
        with pytest.raises(CannotConnect, match="Connection refused"):
            await migrations.upgrade(engines)
        await engines.dispose()


async def test_the_store_is_unavailable_when_a_file_of_its_url_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".postgresql").mkdir()
    authority = tmp_path / ".postgresql" / "root.crt"
    authority.touch()
    engines = create_engines("postgresql://ada@127.0.0.1:1/symphony?sslmode=verify-full")
    authority.unlink()
    with pytest.raises(StoreUnavailable, match="DatabaseUrlError root certificate file"):
        await SqlAlchemyStore(engines).reading().__aenter__()
    assert await readiness.not_ready_reason(engines) == readiness.UNREACHABLE
    with pytest.raises(DatabaseUrlError, match="root certificate file"):
        await migrations.upgrade(engines)  # a command says what to correct
    await engines.dispose()


async def test_the_store_is_unavailable_when_the_database_does_not_exist(tmp_path: Path) -> None:
    engines = create_engines(f"sqlite:///{tmp_path / 'missing' / 'file.sqlite3'}")
    with pytest.raises(StoreUnavailable):
        await SqlAlchemyStore(engines).unit_of_work().__aenter__()
    await engines.dispose()


@only_postgresql
async def test_connections_that_the_server_has_closed_are_replaced(
    store: SqlAlchemyStore, engines: Engines
) -> None:
    ada = await household(store, "ada")
    end_all = text(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    async with store.unit_of_work() as _, engines.read.connect() as other:
        await other.execute(end_all)
    outcomes: list[bool] = []
    for _ in range(5):
        try:
            outcomes.append(await found(store, ada.user, ada.user.id) == ada.user)
        except TransactionConflict:
            outcomes.append(False)
    # One caller may get a broken connection, and must retry; later ones do not.
    assert outcomes.count(False) <= 1
    assert outcomes[-1]


@only_postgresql
async def test_prepared_statements_that_are_gone_are_prepared_again_on_a_new_connection(
    store: SqlAlchemyStore, engines: Engines
) -> None:
    ada = await household(store, "ada")
    pooled = await engines.read.raw_connection()
    await cast("asyncpg.Connection[Any]", pooled.driver_connection).execute("DEALLOCATE ALL")
    pooled.close()
    with pytest.raises(TransactionConflict):
        await keep(store, a_repo(ada.workspace.id, "another"))
    await keep(store, a_repo(ada.workspace.id, "another"))


async def test_a_connection_that_was_just_opened_is_used_although_others_are_lost_meanwhile(
    database_url: str, ada: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    class AlwaysLost:
        is_lost = True

    monkeypatch.setattr(engine, "_Generation", AlwaysLost)
    engines = create_engines(database_url)
    try:
        if engines.is_in_memory:
            pytest.skip("a database in memory is lost with its connections")
        for _ in range(3):
            assert await found(SqlAlchemyStore(engines), ada.user, ada.user.id) == ada.user
    finally:
        await engines.dispose()


@pytest.mark.long
@only_postgresql
async def test_of_two_deadlocked_units_of_work_one_has_a_conflict_and_the_other_succeeds(
    store: SqlAlchemyStore, ada: Household, eve: Household
) -> None:
    both_hold_one = asyncio.Barrier(2)

    async def lock(first: Household, second: Household) -> bool:
        try:
            async with committed(store) as uow:
                await uow.user_profiles.get_for_update(Reach(first.user.id), first.user.id)
                await both_hold_one.wait()
                await uow.user_profiles.get_for_update(Reach(second.user.id), second.user.id)
        except TransactionConflict:
            return False
        return True

    assert sorted(await asyncio.gather(lock(ada, eve), lock(eve, ada))) == [False, True]


@only_postgresql
@pytest.mark.parametrize(
    "sqlstate",
    ["57014", "55P03", "25P03", "57P01", "53300", "53100", "08006", "08P01"],
)
async def test_the_store_is_unavailable_when_the_server_is_overloaded_or_stops(
    engines: Engines, sqlstate: str
) -> None:
    with pytest.raises(StoreUnavailable):
        await refuse(engines, sqlstate)


@only_postgresql
@pytest.mark.parametrize("sqlstate", ["40001", "40P01", "23503", "23505"])
async def test_an_error_that_a_retry_may_resolve_is_a_conflict(
    engines: Engines, sqlstate: str
) -> None:
    with pytest.raises(TransactionConflict):
        await refuse(engines, sqlstate)


async def refuse(engines: Engines, sqlstate: str) -> None:
    pooled = await engines.read.raw_connection()
    try:
        with translated_errors():
            driver = cast("asyncpg.Connection[Any]", pooled.driver_connection)
            await driver.execute(f"DO $$ BEGIN RAISE SQLSTATE '{sqlstate}'; END $$")
    finally:
        pooled.close()


async def test_an_unexpected_error_names_its_kind_and_the_statement(
    engines: Engines,
) -> None:
    connection = Connection(engines.read)
    await connection.open()
    try:
        with pytest.raises(UnexpectedDatabaseError) as failed:
            await connection.fetch(select(literal_column("nothing_like_it")), {})
    finally:
        await connection.close()
    kinds = r"UndefinedColumnError: 42703|OperationalError: no such column: nothing_like_it"
    assert re.fullmatch(f"({kinds}), in: SELECT nothing_like_it", str(failed.value))


async def test_an_unexpected_error_shows_nothing_of_the_row(
    store: SqlAlchemyStore, ada: Household
) -> None:
    valid = a_repo(ada.workspace.id, "private-name")
    without_path = [
        None if each.name == "path" else getattr(valid, each.name) for each in fields(valid)
    ]
    with pytest.raises(UnexpectedDatabaseError) as failed:
        await keep(store, Repo.restored(without_path))
    assert "repos" in str(failed.value)
    assert "path" in str(failed.value)
    shown = "".join(traceback.format_exception(failed.value))
    assert "private-name" not in shown
    assert str(ada.workspace.id) not in shown


async def test_an_unexpected_error_of_a_reading_names_the_statement(
    store: SqlAlchemyStore, engines: Engines, ada: Household
) -> None:
    async with engines.write.begin() as connection:
        await connection.execute(text("ALTER TABLE repos RENAME COLUMN path TO elsewhere"))
    await engines.read.dispose()  # on a used connection, the error asks for a retry
    with pytest.raises(UnexpectedDatabaseError, match=r"in: SELECT repos\.id"):
        await found(store, ada.repo, ada.user.id)


async def test_a_statement_without_one_of_its_parameters_fails(
    store: SqlAlchemyStore, ada: Household
) -> None:
    async with store.reading() as repositories:
        with pytest.raises(KeyError):
            await repositories.repos._one(REPOS.select_one, owner_id=ada.user.id)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - no public method can omit one


@pytest.mark.long
async def test_the_limit_of_the_wait_for_a_connection_includes_opening_one() -> None:
    """The server accepts connections and never answers."""
    accepted: list[asyncio.StreamWriter] = []
    server = await asyncio.start_server(
        lambda _reader, writer: accepted.append(writer), "127.0.0.1", 0
    )
    port = server.sockets[0].getsockname()[1]
    engines = create_engines(
        f"postgresql://nobody@127.0.0.1:{port}/nothing", DatabaseLimits(pool_wait=0.3)
    )
    store = SqlAlchemyStore(engines)
    try:
        for kind in (store.reading, store.unit_of_work):
            started = time.perf_counter()
            with pytest.raises(StoreUnavailable):
                async with kind():
                    pass
            assert time.perf_counter() - started < 0.3 + 2
    finally:
        await engines.dispose()
        server.close()
        for writer in accepted:
            writer.close()
            with suppress(ConnectionError):  # the other end has gone already
                await writer.wait_closed()
    assert len(accepted) == 2


async def test_errors_show_no_parameters(store: SqlAlchemyStore) -> None:
    with pytest.raises(TransactionConflict) as refused:
        await keep(store, a_repo(path="/very/private"))
    assert "very/private" not in str(refused.value.__cause__)


async def test_the_store_is_unavailable_while_the_name_server_does_not_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    is_over = threading.Event()

    def without_answer(*_: object, **__: object) -> None:
        is_over.wait()
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", without_answer)
    limits = DatabaseLimits(pool_wait=0.2)
    engines = create_engines("postgresql://ada@db.example.org/symphony", limits)
    try:
        started = time.perf_counter()
        with pytest.raises(StoreUnavailable):
            await SqlAlchemyStore(engines).unit_of_work().__aenter__()
        assert time.perf_counter() - started < 0.2 + 2
    finally:
        is_over.set()
        await engines.dispose()
