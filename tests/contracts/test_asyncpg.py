"""The internals of asyncpg that `availability/keepalive.py` and `postgresql/pooler.py` build on.

A failure means that a new version of asyncpg keeps its transport elsewhere, or sends unnamed
statements in another way; see `docs/decisions/dependencies.md`.
"""

import socket
import sys
from collections.abc import Callable
from typing import Any

import asyncpg
import pytest
import uvloop

from scripts.support.tcp_proxy import running_proxy
from symphony.infrastructure.database.availability.keepalive import keep_alive
from symphony.infrastructure.database.postgresql.address import Keepalives
from tests.support import postgres

ADAPTER = "adapt symphony/infrastructure/database/availability/keepalive.py"
only_linux = pytest.mark.skipif(sys.platform != "linux", reason="the options have other names")


def socket_of(connection: Any) -> Any:
    transport = getattr(connection, "_transport", None)
    assert transport is not None, f"asyncpg has no `_transport`: {ADAPTER}"
    return transport.get_extra_info("socket")


async def options_of(keepalives: Keepalives) -> list[int]:
    """Connect, set the options, and return what the kernel has."""
    names = ("TCP_KEEPIDLE", "TCP_KEEPINTVL", "TCP_KEEPCNT", "TCP_USER_TIMEOUT")
    async with running_proxy(postgres.address("postgres")) as proxy:
        connection = await asyncpg.connect(proxy.url)
        keep_alive(connection, keepalives)
        found = socket_of(connection)
        options = [found.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)]
        options += [found.getsockopt(socket.IPPROTO_TCP, getattr(socket, name)) for name in names]
        await connection.close()
    return options


@only_linux
async def test_a_connection_over_tcp_gets_keepalives() -> None:
    assert await options_of(Keepalives()) == [1, 10, 3, 3, 5000]


@only_linux
async def test_what_the_url_says_takes_precedence() -> None:
    given = Keepalives(idle=60, interval=7, count=5, user_timeout=900)
    assert await options_of(given) == [1, 60, 7, 5, 900]
    assert (await options_of(Keepalives(enabled=False)))[0] == 0


@only_linux
def test_the_socket_is_found_in_the_event_loop_of_the_service() -> None:
    run: Callable[[Any], list[int]] = uvloop.run
    assert run(options_of(Keepalives())) == [1, 10, 3, 3, 5000]


async def test_a_connection_over_a_unix_socket_has_no_such_options() -> None:
    connection = await asyncpg.connect(postgres.address("postgres"))
    assert socket_of(connection).family == socket.AF_UNIX
    keep_alive(connection, Keepalives())
    await connection.close()


async def test_a_kept_statement_without_a_name_is_sent_as_a_whole_each_time() -> None:
    connection = await asyncpg.connect(postgres.address("postgres"), statement_cache_size=0)
    kept = await connection.prepare("SELECT $1::integer + 1", name="")
    assert kept.get_name() == ""
    for number in range(2):
        # It replaces the only statement without a name that a session has.
        assert await connection.fetchval("SELECT 'another'") == "another"
        assert await kept.fetchval(number) == number + 1, "adapt postgresql/pooler.py"
    await connection.close()
