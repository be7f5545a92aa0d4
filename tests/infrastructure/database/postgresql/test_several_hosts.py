"""Connections to one of several hosts, some of which are away, silent or of the wrong kind."""

import asyncio
import socket
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from scripts.support.tcp_proxy import TcpProxy, running_proxy
from symphony.infrastructure.database.postgresql import several_hosts
from symphony.infrastructure.database.postgresql.address import PostgresqlAddress
from symphony.infrastructure.database.postgresql.connecting import CannotConnect
from symphony.infrastructure.database.postgresql.several_hosts import open_first_connection
from symphony.infrastructure.database.postgresql.url import parse_postgresql_url
from symphony.infrastructure.database.public_name import public_name
from tests.support import postgres

SOON = 2.0  # seconds; much less than the time limit below, also on a busy machine
TIME_LIMIT = 20.0  # seconds


class SilentHost:
    """A host that accepts connections and never answers, as a frozen server does."""

    def __init__(self) -> None:
        self.accepted = 0
        self.closed = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        try:
            while await reader.read(1024):
                pass
        except ConnectionError:
            pass
        self.closed += 1
        writer.close()


@asynccontextmanager
async def a_silent_host() -> AsyncGenerator[tuple[SilentHost, str]]:
    host = SilentHost()
    server = await asyncio.start_server(host.serve, "127.0.0.1", 0)
    async with server:
        yield host, f"127.0.0.1:{server.sockets[0].getsockname()[1]}"


@asynccontextmanager
async def a_database() -> AsyncGenerator[tuple[TcpProxy, str]]:
    async with running_proxy(postgres.address("postgres")) as proxy:
        yield proxy, f"127.0.0.1:{proxy.port}"


def an_unused_place() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{free.getsockname()[1]}"


def url(*places: str, attributes: str = "read-write") -> PostgresqlAddress:
    return parse_postgresql_url(
        f"postgresql://postgres@{','.join(places)}/postgres?sslmode=disable"
        f"&target_session_attrs={attributes}",
        {},
    )


async def connect(address: PostgresqlAddress, time_limit: float = TIME_LIMIT) -> float:
    """Open a connection and use it; the seconds that it took to open it."""
    started = time.perf_counter()
    connection = await open_first_connection(address, {}, time_limit)
    took = time.perf_counter() - started
    assert await connection.fetchval("SELECT 1") == 1
    connection.terminate()
    return took


async def test_the_first_host_that_fits_is_used_and_the_next_one_is_left_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(several_hosts, "_HEAD_START", TIME_LIMIT)  # on a busy machine, too
    async with a_database() as (first, first_place), a_database() as (second, second_place):
        for attributes in ("any", "primary", "read-write"):
            await connect(url(first_place, second_place, attributes=attributes))
        assert (first.accepted, second.accepted) == (3, 0)
        await connect(url(first_place, second_place, attributes="prefer-standby"))
        assert (first.accepted, second.accepted) == (5, 1)  # there is no standby
    async with a_database() as (_, place):
        assert await connect(url(an_unused_place(), place)) < SOON


@pytest.mark.long
async def test_a_host_that_never_answers_does_not_delay_the_next_one() -> None:
    async with a_silent_host() as (silent, silent_place), a_database() as (_, place):
        assert await connect(url(silent_place, silent_place, place)) < SOON
        async with asyncio.timeout(SOON):
            while silent.closed < 2:  # noqa: ASYNC110 - the other end has no event
                await asyncio.sleep(0.01)
        assert silent.accepted == 2  # and both connections were aborted


@pytest.mark.long
async def test_the_reason_of_each_host_is_told_when_none_fits() -> None:
    unused = an_unused_place()
    async with a_silent_host() as (_, silent), a_database() as (_, place):
        with pytest.raises(CannotConnect) as refused:
            await connect(url(unused, silent, place, attributes="standby"), 1)
    assert str(refused.value) == (
        f"PostgreSQL cannot be reached at {unused}: Connection refused;"
        f" PostgreSQL cannot be reached at {silent}: no answer in time;"
        f" PostgreSQL cannot be reached at {place}:"
        " it is not what target_session_attrs=standby requires"
    )


@pytest.mark.long
async def test_hosts_that_do_not_answer_share_one_time_limit() -> None:
    async with a_silent_host() as (_, one), a_silent_host() as (_, two):
        started = time.perf_counter()
        with pytest.raises(CannotConnect, match=r"no answer in time; .*no answer in time"):
            await connect(url(one, two), 1.5)
        assert time.perf_counter() - started < 1.5 + 1.4


@pytest.mark.long
async def test_a_caller_that_gives_up_leaves_no_connection_behind() -> None:
    async with a_silent_host() as (one, first), a_silent_host() as (two, second):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.6):
                await connect(url(first, second))
        async with asyncio.timeout(SOON):
            while one.closed + two.closed < 2:  # noqa: ASYNC110 - the other end has no event
                await asyncio.sleep(0.01)


def test_each_host_has_its_own_password_in_the_password_file(tmp_path: Path) -> None:
    file = tmp_path / "pgpass"
    file.write_text("a:*:*:*:of-a\nb:6000:*:*:of-b\n")
    file.chmod(0o600)
    address = parse_postgresql_url(f"postgresql://ada@a,b:6000,c/db?passfile={file}", {})
    hosts = address.of_each_host("any")
    assert [each.password() for each in hosts] == ["of-a", "of-b", None]
    assert [each.hosts + each.ports for each in hosts] == [("a", 5432), ("b", 6000), ("c", 5432)]


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("postgresql://ada:x@a:1,b/db?target_session_attrs=any", "postgresql://a:1,b:5432/db"),
        ("postgresql://ada:x@a,b/db", "postgresql://a,b/db"),
        ("postgresql://ada:x@/db?host=a,b&port=1,2", "postgresql://a,b/db"),
        ("postgresql://ada:x@a:1/db", "postgresql://a:1/db"),
        ("postgresql://ada:x@a:1,b:nonsense/db", "postgresql"),
    ],
)
def test_the_public_name_of_a_database_has_all_its_hosts(given: str, name: str) -> None:
    assert public_name(given) == name
