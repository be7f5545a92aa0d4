"""The connections through a pooler, one by one."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import asyncpg
import pytest

from scripts.support.pgbouncer import Pgbouncer
from symphony.infrastructure.database.engine import create_engines
from symphony.infrastructure.database.postgresql import pooler
from symphony.infrastructure.database.postgresql.connecting import open_connection
from symphony.infrastructure.database.postgresql.pooler import through_pooler
from symphony.infrastructure.database.postgresql.url import parse_postgresql_url
from symphony.infrastructure.database.unit_of_work import SqlAlchemyStore
from tests.server.pooler.few_connections import few_connections
from tests.support import postgres

pytestmark = pytest.mark.long

LIMITS = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout", "jit")


async def connect(pgbouncer: Pgbouncer, database: str) -> "asyncpg.Connection[Any]":
    address = through_pooler(parse_postgresql_url(pgbouncer.url(database)))
    return await open_connection(address, {}, 10)


@pytest.fixture
async def one_session() -> AsyncGenerator[Pgbouncer]:
    """A pgbouncer with one connection of the server, for which all clients queue."""
    async with few_connections(1) as pgbouncer:
        yield pgbouncer


async def test_rows_of_another_shape_are_recognized_and_then_read(
    pgbouncer: Pgbouncer, database: str
) -> None:
    administrator = await asyncpg.connect(postgres.address(database))
    await administrator.execute("CREATE TABLE t (n integer); INSERT INTO t VALUES (7)")
    connection = await connect(pgbouncer, database)
    try:
        for change in ("ALTER COLUMN n TYPE bigint", "ADD COLUMN m integer DEFAULT 8"):
            for _ in range(2):
                (row,) = await connection.fetch("SELECT * FROM t")
                assert row[0] == 7
            await administrator.execute(f"ALTER TABLE t {change}")
            with pytest.raises(asyncpg.OutdatedSchemaCacheError):
                await connection.fetch("SELECT * FROM t")
        assert [tuple(row) for row in await connection.fetch("SELECT * FROM t")] == [(7, 8)]
    finally:
        connection.terminate()
        await administrator.close()


async def test_a_value_that_the_driver_refuses_keeps_no_connection_of_the_server(
    one_session: Pgbouncer, database: str
) -> None:
    first, second = [await connect(one_session, database) for _ in range(2)]
    try:
        for refuse in (
            lambda: first.fetch("SELECT $1::integer", "seven"),
            lambda: first.executemany("SELECT $1::integer", [["seven"]]),
        ):
            with pytest.raises(asyncpg.DataError):
                await refuse()
            async with asyncio.timeout(5):
                assert [tuple(row) for row in await second.fetch("SELECT 1")] == [(1,)]
        await first.executemany("SELECT $1::integer", [])
        assert [tuple(row) for row in await first.fetch("SELECT $1::integer", 7)] == [(7,)]
    finally:
        first.terminate()
        second.terminate()


async def test_statements_of_two_clients_do_not_meet(one_session: Pgbouncer, database: str) -> None:
    clients = [await connect(one_session, database) for _ in range(4)]

    async def ask(client: "asyncpg.Connection[Any]", number: int) -> None:
        for each in range(100):
            wanted = number * 1000 + each % 5
            sql = f"SELECT $1::integer, {wanted}, pg_sleep(0.0001)"
            ((given, constant, _),) = await client.fetch(sql, wanted)
            assert (given, constant) == (wanted, wanted)

    try:
        await asyncio.gather(*(ask(client, number) for number, client in enumerate(clients)))
    finally:
        for client in clients:
            client.terminate()


async def test_the_number_of_kept_descriptions_is_limited(
    pgbouncer: Pgbouncer, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pooler, "KEPT_STATEMENTS", 3)
    connection = await connect(pgbouncer, database)
    try:
        for number in (1, 2, 3, 1, 4):
            assert [tuple(row) for row in await connection.fetch(f"SELECT {number}")] == [(number,)]
        kept = getattr(connection, "_kept")  # noqa: B009 - of our own class
        assert [*kept] == ["SELECT 3", "SELECT 1", "SELECT 4"]
    finally:
        connection.terminate()


async def test_limits_hold_in_a_transaction_and_are_left_to_no_other_client(
    one_session: Pgbouncer, database: str
) -> None:
    engines = create_engines(one_session.url(database), is_pooled=True)
    other = await connect(one_session, database)

    async def limits(connection: "asyncpg.Connection[Any]") -> list[str]:
        settings = "SELECT current_setting(name) FROM unnest($1::text[]) AS name"
        return [row[0] for row in await connection.fetch(settings, [*LIMITS])]

    try:
        async with engines.write.connect() as pooled:
            raw = (await pooled.get_raw_connection()).driver_connection
            assert raw is not None
            await raw.execute(engines.begin)
            assert await limits(raw) == ["10s", "8s", "10s", "off"]
            await raw.execute("COMMIT")
            assert await limits(other) == ["0", "0", "0", "on"]
        async with SqlAlchemyStore(engines).unit_of_work() as work:
            assert not await work.user_profiles.exist()
            await work.commit()
    finally:
        other.terminate()
        await engines.dispose()
