"""Statements and COMMITs without an answer, on a connection that a network has lost."""

import asyncio
import secrets
import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass, replace
from typing import Any

import asyncpg
import pytest

from scripts.support.tcp_proxy import TcpProxy, running_proxy
from symphony.domain.unit_of_work import OutcomeUnknown, StoreUnavailable, TransactionConflict
from symphony.infrastructure.database.engine import DatabaseLimits, create_engines
from symphony.infrastructure.database.unit_of_work import SqlAlchemyStore
from tests.domain.examples import a_profile
from tests.infrastructure.database.kept import committed, found, keep
from tests.support import postgres

LIMIT = 0.7  # seconds
SOON = LIMIT + 2.5  # seconds; much less than the time limit of a unit of work


@dataclass(frozen=True, slots=True)
class Distant:
    """A store on a database behind a network that loses connections."""

    store: SqlAlchemyStore
    limits: DatabaseLimits
    proxy: TcpProxy


@pytest.fixture(params=["one host", "two hosts"])
async def distant(request: pytest.FixtureRequest) -> AsyncGenerator[Distant]:
    """With two hosts, each statement has a time limit; with one, the unit of work has one."""
    name = f"test_{secrets.token_hex(8)}"
    await postgres.create_database(name)
    async with running_proxy(postgres.address(name)) as proxy:
        limits = DatabaseLimits(work_timeout=LIMIT)
        url = proxy.url
        if request.param == "two hosts":
            limits = DatabaseLimits(answer_timeout=LIMIT)
            url = url.replace(f":{proxy.port}/", f":{proxy.port},127.0.0.1:1/")
        engines = create_engines(url, limits)
        yield Distant(SqlAlchemyStore(engines), engines.limits, proxy)
        await engines.dispose()
    await postgres.drop_database(name)


@pytest.mark.long
async def test_a_statement_without_an_answer_ends_in_time(distant: Distant) -> None:
    ada = a_profile()
    await keep(distant.store, ada)
    distant.proxy.lose_connections()
    started = time.perf_counter()
    # With a limit for the statement, there is time left to repeat the work on a new connection.
    repeats = distant.limits.answer_timeout is not None
    with pytest.raises(TransactionConflict if repeats else StoreUnavailable):
        await found(distant.store, ada, ada.id)
    assert time.perf_counter() - started < SOON
    assert await found(distant.store, ada, ada.id) == ada


@pytest.mark.long
async def test_a_commit_without_an_answer_has_an_unknown_outcome_and_is_not_cancelled(
    distant: Distant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The driver would cancel it through a new connection: there must be none."""
    execute: Any = asyncpg.Connection.execute

    async def lose_commits(connection: Any, sql: str) -> Any:
        if sql == "COMMIT":
            distant.proxy.lose_answers()
        return await execute(connection, sql)

    monkeypatch.setattr(asyncpg.Connection, "execute", lose_commits)
    ada = a_profile()
    started = time.perf_counter()
    with pytest.raises(OutcomeUnknown, match="database: TimeoutError"):
        await keep(distant.store, ada)
    assert time.perf_counter() - started < SOON
    monkeypatch.undo()
    assert await found(distant.store, ada, ada.id) == ada  # the server has committed it
    assert distant.proxy.accepted == 2  # the connection of `keep`, and that of `found`


@pytest.mark.long
async def test_a_slow_answer_in_time_is_used(distant: Distant) -> None:
    async with committed(distant.store) as uow:
        await asyncio.sleep(LIMIT / 2)
        await uow.user_profiles.add(ada := a_profile())
    assert await found(distant.store, ada, ada.id) == ada


def test_several_hosts_have_shorter_limits_and_one_host_has_none_of_its_own() -> None:
    one, two = DatabaseLimits(), DatabaseLimits().for_several_hosts()
    assert create_engines("postgresql://ada@a/db").limits == one
    assert create_engines("postgresql://ada@a,b/db").limits == two
    assert one.answer_timeout is None
    assert two.answer_timeout is not None
    # The server ends a slow statement or a wait for a lock before the client gives up.
    assert two.lock_timeout < two.statement_timeout < two.answer_timeout < two.work_timeout
    shorter = replace(one, connect_timeout=0.1, lock_timeout=0.1, answer_timeout=0.2)
    assert shorter.for_several_hosts().connect_timeout == 0.1
