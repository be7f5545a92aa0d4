"""The server's protocol on a connection without a network, before a small application."""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import uvicorn
from uvicorn.server import ServerState

from symphony.serving.http_protocol import LimitedHttpProtocol
from tests.support.transport import Transport

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

TURNS = 100_000


@dataclass(frozen=True, slots=True)
class Received:
    """A request that the application got."""

    method: str
    path: str
    body: bytes
    headers: dict[str, str]


@dataclass
class Recorder:
    """An application that answers each request with its path, and keeps what it got."""

    requests: list[Received] = field(default_factory=list[Received])
    answers_early: bool = False
    """Whether it answers with a 413 before it reads the body."""
    may_answer: asyncio.Event | None = None
    """What it waits for before it answers, if anything."""

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        body = b""
        while not self.answers_early:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body += message["body"]
            if not message["more_body"]:
                break
        headers = {name.decode(): value.decode("latin-1") for name, value in scope["headers"]}
        self.requests.append(Received(scope["method"], scope["path"], body, headers))
        if self.may_answer:
            await self.may_answer.wait()
        content = scope["path"].encode()
        length = (b"content-length", str(len(content)).encode())
        status = 413 if self.answers_early else 200
        await send({"type": "http.response.start", "status": status, "headers": [length]})
        await send({"type": "http.response.body", "body": content})


class Connection:
    """A connection to a server that runs this application."""

    def __init__(self, application: Recorder) -> None:
        self.transport = Transport()
        self.protocol = LimitedHttpProtocol(
            uvicorn.Config(application, lifespan="off", log_config=None, access_log=False),
            ServerState(),
            {},
        )
        self.protocol.connection_made(self.transport)

    async def send(self, *pieces: bytes) -> bytes:
        """Send each piece when reading is not paused; return everything written so far."""
        for piece in pieces:
            await settled()
            assert not self.transport.is_reading_paused
            if self.transport.is_closed:
                break
            self.protocol.data_received(piece)
        await settled()
        return bytes(self.transport.written)

    async def until(self, happened: Callable[[], bool]) -> None:
        """Give the server turns until something has happened."""
        for _ in range(TURNS):
            if happened():
                return
            await asyncio.sleep(0)
        raise AssertionError(bytes(self.transport.written)[-500:])

    def close(self) -> None:
        """Lose the connection, which ends its timers."""
        self.protocol.connection_lost(None)


async def settled() -> None:
    """Wait until the tasks and callbacks that are due have run."""
    for _ in range(12):
        await asyncio.sleep(0)


async def exchange(application: Recorder, *pieces: bytes) -> bytes:
    """Send the pieces on a connection of their own; return everything that was written."""
    connection = Connection(application)
    try:
        return await connection.send(*pieces)
    finally:
        connection.close()


def statuses(written: bytes) -> list[int]:
    """Return the statuses of the final responses."""
    found = [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", written)]
    return [status for status in found if status >= HTTPStatus.OK]


def problem_of(written: bytes) -> dict[str, Any]:
    """Return the problem of the last response."""
    return json.loads(written.rpartition(b"\r\n\r\n")[2])
