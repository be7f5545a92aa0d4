"""Time limits for slow clients.

Uvicorn waits without limit for the rest of a request's head or body, and for a client to read its
response. One connection costs little, but connections that never close add up without bound.
"""

import asyncio
from dataclasses import dataclass

from symphony.api.problems.rendering import malformed_http_response
from symphony.serving.uvicorn_adapter import HIGH_WATER_LIMIT, HttpProtocol


@dataclass(frozen=True, slots=True)
class ClientTimeouts:
    """The time limits of a client, in seconds."""

    head: float = 10.0
    """From connecting, or from the first byte of a request, to the end of its head."""
    body: float = 15.0
    """From the end of the head to the end of the body."""
    linger: float = 5.0
    """To read a response that was sent before the end of the body."""
    read: float = 10.0
    """To read the next part of a response."""


class TimeLimitedHttpProtocol(HttpProtocol):
    """A protocol that closes the connection of a client that exceeds a time limit."""

    timeouts = ClientTimeouts()
    _receive_timer: asyncio.TimerHandle | None = None
    _read_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # pyright: ignore[reportIncompatibleMethodOverride] - uvicorn's own narrowing
        super().connection_made(transport)
        self._limit_receiving(self.timeouts.head)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._limit_receiving(self.timeouts.head)

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        self._limit_receiving(self.timeouts.body)

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._limit_receiving(None)

    def on_response_complete(self) -> None:
        # The rest of a refused body is read and dropped. Closing at once would reset the
        # connection, and a client that is still sending would lose the response.
        was_body_incomplete = self.is_body_incomplete
        super().on_response_complete()
        if was_body_incomplete:
            self._limit_receiving(self.timeouts.linger)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._expect_progress()

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._read_timer:
            self._read_timer.cancel()

    def connection_lost(self, exc: Exception | None) -> None:
        self.abandon_requests()
        self._limit_receiving(None)
        if self._read_timer:
            self._read_timer.cancel()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        """Answer bytes that are not HTTP with a problem, like every other error."""
        response = malformed_http_response()
        headers = [*response.raw_headers, (b"connection", b"close")]
        head = b"".join(b"%s: %s\r\n" % header for header in headers)
        self.transport.write(b"HTTP/1.1 400 Bad Request\r\n%s\r\n%s" % (head, response.body))
        self.transport.close()

    def _limit_receiving(self, seconds: float | None) -> None:
        """Limit the time for the next part from the client; None when none is expected."""
        if self._receive_timer:
            self._receive_timer.cancel()
        self._receive_timer = self.loop.call_later(seconds, self._abort) if seconds else None

    def _expect_progress(self) -> None:
        unread = self.transport.get_write_buffer_size()
        self._read_timer = self.loop.call_later(
            self.timeouts.read, self._abort_without_progress, unread
        )

    def _abort_without_progress(self, unread: int) -> None:
        if self.transport.get_write_buffer_size() > unread - HIGH_WATER_LIMIT:
            self._abort()
        else:
            self._expect_progress()

    def _abort(self) -> None:
        self.abandon_requests()
        self.transport.abort()
