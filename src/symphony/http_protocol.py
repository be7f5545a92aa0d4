"""HTTP as uvicorn speaks it, with an end to the patience it has for slow clients.

Uvicorn waits for ever for the rest of a request's head or body, and for an answer to be read.
Connections cost little, but what costs little and lasts for ever is without bound.
"""

import asyncio
import json
from typing import Any

from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from symphony.api.problems.catalogue import MEDIA_TYPE, PROBLEMS
from symphony.domain.base import new_id

HEAD_TIMEOUT = 10.0  # seconds from connecting, or a request's first byte, to the end of its head
BODY_TIMEOUT = 15.0  # seconds from the end of the head to the end of the body
LINGER = 5.0  # seconds to read an answer that came before the end of the body
READ_TIMEOUT = 10.0  # seconds in which a client must have read another piece of its answer


class BoundedHttpProtocol(HttpToolsProtocol):
    """Cuts the connection of a client that is too slow; nobody else waits for it."""

    _sending: asyncio.TimerHandle | None = None
    _reading: asyncio.TimerHandle | None = None
    _answering: RequestResponseCycle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # pyright: ignore[reportIncompatibleMethodOverride] - uvicorn's own narrowing
        super().connection_made(transport)
        self._give(HEAD_TIMEOUT)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._give(HEAD_TIMEOUT)

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        self._give(BODY_TIMEOUT)

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._give(None)

    def on_response_complete(self) -> None:
        # What still comes of a body that was refused is dropped. Closing at once would reset the
        # connection, and with it take the answer from a client that is still sending.
        unread = self._answering is not None and self._answering.more_body
        super().on_response_complete()
        if unread:
            self._give(LINGER)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._answering = cycle
        super()._start_asgi_task(cycle, app)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._expect_progress()

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._reading:
            self._reading.cancel()

    def connection_lost(self, exc: Exception | None) -> None:
        self._give_up_answering()
        self._give(None)
        if self._reading:
            self._reading.cancel()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        """What is no HTTP gets a problem too, like every other error."""
        code = "malformed-request"
        request_id = str(new_id())
        problem = {
            "type": f"/problems/{code}",
            "title": PROBLEMS[code].title,
            "status": 400,
            "detail": "This is not HTTP/1.1 as it should be.",
            "instance": "",
            "code": code,
            "request_id": request_id,
        }
        content = json.dumps(problem).encode()
        head = (
            "HTTP/1.1 400 Bad Request\r\n"
            f"Content-Type: {MEDIA_TYPE}\r\nContent-Length: {len(content)}\r\n"
            f"X-Request-ID: {request_id}\r\nX-Content-Type-Options: nosniff\r\n"
            "Cache-Control: no-store\r\nConnection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + content)
        self.transport.close()

    def _give(self, seconds: float | None) -> None:
        """So much time for what the client sends next; None when nothing is awaited."""
        if self._sending:
            self._sending.cancel()
        self._sending = self.loop.call_later(seconds, self._cut) if seconds else None

    def _expect_progress(self) -> None:
        waiting = self.transport.get_write_buffer_size()
        self._reading = self.loop.call_later(READ_TIMEOUT, self._cut_without_progress, waiting)

    def _cut_without_progress(self, waiting: int) -> None:
        if self.transport.get_write_buffer_size() > waiting - HIGH_WATER_LIMIT:
            self._cut()
        else:
            self._expect_progress()

    def _cut(self) -> None:
        self._give_up_answering()
        self.transport.abort()

    def _give_up_answering(self) -> None:
        # Uvicorn tells only the newest of pipelined requests that the client is gone; the one that
        # is being answered would write to a closed connection.
        self.pipeline.clear()
        if self._answering:
            self._answering.disconnected = True
            self._answering.message_event.set()
