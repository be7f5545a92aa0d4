"""A client that writes everything before it reads gets the last response of its connection."""

import asyncio
import socket
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

import pytest
import uvicorn
from uvicorn.server import ServerState

from symphony.serving import lingering_transport
from symphony.serving.http_protocol import ClientTimeouts, LimitedHttpProtocol
from tests.server.http.connection import Connection, Recorder, settled, statuses

LARGE = 8 << 20  # bytes, more than the system buffers
BODY = b"a" * LARGE
CLOSE = b"Host: x\r\nConnection: close\r\n"
FLOODS = {
    "a body": (413, b"POST / HTTP/1.1\r\n%sContent-Length: %d\r\n\r\n" % (CLOSE, LARGE) + BODY),
    "a body of HTTP/1.0": (413, b"POST / HTTP/1.0\r\nContent-Length: %d\r\n\r\n" % LARGE + BODY),
    "chunks": (
        413,
        b"POST / HTTP/1.1\r\n%sTransfer-Encoding: chunked\r\n\r\n" % CLOSE
        + b"%x\r\n%s\r\n0\r\n\r\n" % (LARGE, BODY),
    ),
    "an upgrade": (
        413,
        b"POST / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, close\r\nUpgrade: h2c\r\n"
        b"Content-Length: %d\r\n\r\n" % LARGE + BODY,
    ),
    "requests after the last one": (
        413,
        b"GET / HTTP/1.1\r\n%s\r\n" % CLOSE + b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 200_000,
    ),
    "a head": (431, b"GET / HTTP/1.1\r\nX: " + BODY),
    "empty lines": (431, b"\r\n" * (LARGE // 2)),
    "a request without Host": (400, b"POST / HTTP/1.1\r\n\r\n" + BODY),
    "wrong chunks": (
        400,
        b"POST / HTTP/1.1\r\n%sTransfer-Encoding: chunked\r\n\r\nwrong\r\n" % CLOSE + BODY,
    ),
}


@asynccontextmanager
async def listening(application: Recorder) -> AsyncGenerator[int]:
    config = uvicorn.Config(application, lifespan="off", log_config=None, access_log=False)
    state = ServerState()
    server = await asyncio.get_running_loop().create_server(
        lambda: LimitedHttpProtocol(config, state, {}), "127.0.0.1", 0
    )
    async with server:
        yield server.sockets[0].getsockname()[1]
        for connection in list(state.connections):
            connection.transport.abort()
        await settled()


def write_everything_then_read(port: int, sent: bytes, *, closes_half: bool = False) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(sent)
        if closes_half:
            connection.shutdown(socket.SHUT_WR)
        received = b""
        while data := connection.recv(65_536):
            received += data
        return received


@pytest.mark.parametrize(("status", "sent"), FLOODS.values(), ids=FLOODS.keys())
async def test_a_client_that_writes_everything_first_gets_its_response(
    status: int, sent: bytes
) -> None:
    async with listening(Recorder(answers_early=True)) as port:
        for closes_half in (False, True):
            received = await asyncio.to_thread(
                write_everything_then_read, port, sent, closes_half=closes_half
            )
            assert statuses(received) == [status]


async def closing(then: Callable[[Connection], None] = lambda _: None) -> Connection:
    """A connection whose request was refused while its client sends the body."""
    connection = Connection(Recorder(answers_early=True))
    await connection.send(b"POST / HTTP/1.1\r\n%sContent-Length: 9\r\n\r\na" % CLOSE)
    assert connection.transport.is_half_closed
    assert not connection.transport.is_closed
    then(connection)
    return connection


async def test_what_comes_while_a_connection_closes_is_dropped_within_a_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lingering_transport, "DROPPED_AT_MOST", 1000)
    connection = await closing()
    for _ in range(10):
        await connection.send(b"a" * 100)
    assert not connection.transport.is_closed
    await connection.send(b"a")
    assert connection.transport.is_closed
    connection.close()


async def test_a_stopping_service_waits_for_no_client() -> None:
    connection = await closing(lambda each: each.protocol.shutdown())
    assert connection.transport.is_closed
    connection.close()


async def test_a_connection_without_waiting_bytes_is_closed_at_once() -> None:
    connection = Connection(Recorder())
    await connection.send(b"POST / HTTP/1.1\r\n%sContent-Length: 1\r\n\r\na" % CLOSE)
    assert connection.transport.is_closed
    assert not connection.transport.is_half_closed
    connection.close()


async def test_a_client_that_does_not_close_is_disconnected_in_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(LimitedHttpProtocol, "timeouts", ClientTimeouts(linger=0.01))
    connection = await closing()
    async with asyncio.timeout(10):
        while not connection.transport.is_closed:  # noqa: ASYNC110 - a timer of the protocol
            await asyncio.sleep(0.01)
    connection.close()


async def test_a_client_that_never_reads_the_end_of_a_response_is_disconnected(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(LimitedHttpProtocol, "timeouts", ClientTimeouts(read=0.01))
    connection = Connection(Recorder())
    connection.transport.unread = 100  # below what the transport reports as much
    await connection.send(b"GET / HTTP/1.1\r\n%s\r\n" % CLOSE)
    assert connection.transport.is_closed
    async with asyncio.timeout(10):
        while not connection.transport.is_aborted:  # noqa: ASYNC110 - a timer of the protocol
            await asyncio.sleep(0.01)
    connection.close()


async def test_empty_lines_do_not_keep_an_idle_connection_open() -> None:
    connection = Connection(Recorder())
    await connection.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    timer = connection.protocol.timeout_keep_alive_task
    assert timer is not None
    await connection.send(b"\r\n", b"\r\n")
    assert connection.protocol.timeout_keep_alive_task is timer
    assert not timer.cancelled()
    await connection.send(b"G")
    assert timer.cancelled()
    connection.close()
