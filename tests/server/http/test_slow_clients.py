"""Connections of slow clients are closed, and other clients do not wait for them."""

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from symphony.serving.http_protocol import LimitedHttpProtocol
from tests.support.api import User, sign_up
from tests.support.server import Server, running_server
from tests.support.waits import Ask, waits_beyond_idle

pytestmark = pytest.mark.long

TIMEOUTS = LimitedHttpProtocol.timeouts
OF_EACH_KIND = 100
SLACK = 5.0  # seconds
PIPELINED = 4  # responses of 1.2 MB: more than both systems buffer for such a reader
RECEIVE_BUFFER = 4096  # bytes
HONEST_WAIT = 0.2  # seconds


async def test_300_slow_clients_are_disconnected_and_a_fast_one_does_not_notice(
    tmp_path: Path,
) -> None:
    async with (
        running_server(tmp_path / "data") as server,
        running_server(tmp_path / "idle") as idle,
        server.client() as client,
        idle.client() as idle_client,
    ):
        ada = await sign_up(client, "ada")
        idle_ada = await sign_up(idle_client, "ada")
        for number in range(20):
            await ada.workspace(f"w{number}", settings={"large": "x" * 60_000})
        slow = [
            *(_cut_after(server, _trickle, b"GET /docs HTTP/1.1\r\nX: ") for _ in _each()),
            *(_cut_after(server, _trickle, _head_of_a_post()) for _ in _each()),
            *(_cut_after(server, _never_read, _list(ada) * PIPELINED) for _ in _each()),
        ]
        everybody = asyncio.gather(*slow)
        await asyncio.sleep(TIMEOUTS.read / 2)  # by then the responses to readers are ready
        waits = await waits_beyond_idle(_honest(ada), _honest(idle_ada), everybody)
        seconds = await everybody
    heads, bodies, readers = (
        seconds[start : start + OF_EACH_KIND] for start in range(0, len(slow), OF_EACH_KIND)
    )
    assert min(heads) > TIMEOUTS.head - 1
    assert max(heads) < TIMEOUTS.head + SLACK
    assert min(bodies) > TIMEOUTS.body - 1
    assert max(bodies) < TIMEOUTS.body + SLACK
    # The time limit of a reader starts when its response has filled all buffers.
    assert max(readers) < 2 * TIMEOUTS.read + SLACK
    assert len(waits) > 100
    assert waits[int(len(waits) * 0.99)] < HONEST_WAIT
    assert not [line for line in server.log.read_text().splitlines() if "request failed" in line]


def _each() -> range:
    return range(OF_EACH_KIND)


def _head_of_a_post() -> bytes:
    return (
        b"POST /api/v1/auth/token HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n"
        b"Content-Type: application/x-www-form-urlencoded\r\n\r\n"
    )


def _list(user: User) -> bytes:
    path = f"/api/v1/user-profiles/{user.id}/workspaces"
    return (
        f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {user.token}\r\n\r\n"
    ).encode()


def _honest(user: User) -> Ask:
    return lambda: user.get("/user-profiles/me")


Behaviour = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def _cut_after(server: Server, behave: Behaviour, first: bytes) -> float:
    """The seconds after which the server disconnects a client with this behavior."""
    start = time.perf_counter()
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
    connection.setblocking(False)  # noqa: FBT003 - the socket's own signature
    await asyncio.get_running_loop().sock_connect(connection, ("127.0.0.1", server.port))
    reader, writer = await asyncio.open_connection(sock=connection, limit=1)
    try:
        writer.write(first)
        await writer.drain()
        async with asyncio.timeout(60):
            await behave(reader, writer)
    except ConnectionError:
        pass
    finally:
        writer.transport.abort()
    return time.perf_counter() - start


async def _trickle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Send a byte now and then until the server disconnects."""
    while True:
        writer.write(b"a")
        await writer.drain()
        try:
            async with asyncio.timeout(0.3):
                await reader.read(1)
        except TimeoutError:
            continue
        return


async def _never_read(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Read nothing; sending empty lines, which HTTP allows, detects the disconnect."""
    while True:
        writer.write(b"\r\n")
        await writer.drain()
        await asyncio.sleep(0.3)
