"""HTTP/1.1 with limits: of what a client may send at once, and of the time it may take.

Uvicorn and httptools have none of these limits: they wait for the rest of a request, and for a
client to read its response, for as long as it takes; they keep heads of any size; and they start
every request that they have received. One connection costs little, but they add up without bound.
"""

import asyncio
from dataclasses import dataclass
from http import HTTPStatus

import structlog
from httptools import HttpParserCallbackError, HttpParserError, HttpParserUpgrade

from symphony.api.problems.rendering import refused_request_response
from symphony.api.request_context import request_id_of
from symphony.serving.lingering_transport import LingeringTransport
from symphony.serving.request_head import (
    Headers,
    RequestRefused,
    body_length,
    malformed,
    target_of,
)
from symphony.serving.request_pieces import SLICE, RequestPieces
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


class LimitedHttpProtocol(HttpProtocol):
    """A protocol that bounds what a client sends and how long it takes.

    - A request is parsed only when the one before it has been answered. While requests wait,
      nothing is read, so a client that sends without end fills its own buffers.
    - After each request, and after each slice of a large one, other connections have their turn.
    - Heads and trailers have bounds, see `request_head`.
    - The connection of a client that exceeds a time limit is closed.
    """

    timeouts = ClientTimeouts()
    _receive_timer: asyncio.TimerHandle | None = None
    _read_timer: asyncio.TimerHandle | None = None
    _continuation: asyncio.Handle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # pyright: ignore[reportIncompatibleMethodOverride] - uvicorn's own narrowing
        self._pieces = RequestPieces()
        self._lingering = LingeringTransport(
            transport, self.loop, self.timeouts.linger, lambda: self._pieces.is_client_sending
        )
        super().connection_made(self._lingering)
        self._limit_receiving(self.timeouts.head)

    def data_received(self, data: bytes) -> None:
        if self._lingering.is_closing():
            self._lingering.drop(data)
            return
        self._pieces.add(data)
        if not self._continuation:
            self._parse()

    def on_header(self, name: bytes, value: bytes) -> None:
        # Trailers are not merged into the headers (RFC 9110, 6.5.1).
        if self._pieces.is_in_body:
            self._pieces.count_trailer()
        else:
            self.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        headers = self.headers
        is_1_0 = self.active_parser.get_http_version() == "1.0"
        hosts = [value for name, value in headers if name == b"host"]
        target = target_of(self.active_parser.get_method(), self.url, hosts, is_1_0=is_1_0)
        length = body_length(headers, is_1_0=is_1_0)
        if target.url is not self.url:
            self.url = target.url
            others = [header for header in headers if header[0] != b"host"]
            headers[:] = [(b"host", target.host), *others] if target.host else others
        self.expect_100_continue = length != 0 and not is_1_0 and _expects_continue(headers)
        super().on_headers_complete()
        self._pieces.start_body(length)
        self._limit_receiving(None)
        self.stop_idle_timer()

    def on_body(self, body: bytes) -> None:
        self._pieces.count_content(len(body))
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._pieces.end_request()
        super().on_message_complete()
        self._limit_receiving(None)

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self._lingering.is_closing():
            return
        if self._pieces.is_in_body:
            # The rest of a refused body is read and dropped. Closing at once would reset the
            # connection, and a client that is still sending would lose the response.
            self._limit_receiving(self.timeouts.linger)
        self._continue()

    def shutdown(self) -> None:
        super().shutdown()
        if not self.is_answering:
            self._lingering.close_at_once()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._expect_progress()

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._read_timer:
            self._read_timer.cancel()

    def connection_lost(self, exc: Exception | None) -> None:
        self._lingering.lost()
        self.abandon_request()
        self._limit_receiving(None)
        if self._read_timer:
            self._read_timer.cancel()
        super().connection_lost(exc)

    def _parse(self) -> None:
        """Parse what was received, up to the end of a request or of a slice."""
        self._continuation = None
        parsed = 0
        while self._pieces.is_waiting and not self._lingering.is_closing():
            if self.is_answering and not self._pieces.is_in_body:
                self.reading.hold()  # until `on_response_complete`
                return
            if parsed >= SLICE:
                self.reading.hold()
                self._continue()
                return
            if not self._pieces.is_in_body:
                self.headers = []  # those of the request before are no longer of use
            try:
                piece = self._pieces.next()
                if piece is None:
                    self._wait_for_head()
                    break
                self._feed(piece)
            except RequestRefused as refused:
                self._refuse(refused)
                return
            parsed += len(piece)
        self.reading.release()
        if self._pieces.is_in_body and not self._receive_timer:
            self._limit_receiving(self.timeouts.body)

    def _feed(self, piece: bytes) -> None:
        try:
            self.active_parser.feed_data(piece)
        except HttpParserCallbackError as error:
            cause = error.__context__
            raise cause if isinstance(cause, RequestRefused) else malformed() from None
        except (HttpParserError, HttpParserUpgrade):
            raise malformed() from None

    def _continue(self) -> None:
        """Parse the rest later: other connections have their turn first."""
        if self._pieces.is_waiting and not self._continuation:
            self._continuation = self.loop.call_soon(self._parse)

    def _wait_for_head(self) -> None:
        if self._pieces.is_waiting:  # not only empty lines, which were skipped
            self.stop_idle_timer()
            if not self._receive_timer:
                self._limit_receiving(self.timeouts.head)

    def _refuse(self, refused: RequestRefused) -> None:
        """Answer with a problem, like every other error, and close the connection."""
        self._limit_receiving(None)
        if self._pieces.is_in_body and not self.is_answering:
            self._lingering.close()  # it was answered before the end of its body
            return
        if self._pieces.is_in_body and self.is_response_started:
            self._abort()
            return
        self.abandon_request()
        given = next((value for name, value in self.headers if name == b"x-request-id"), b"")
        request_id = request_id_of(given.decode("latin-1"))
        response = refused_request_response(refused.code, refused.detail, request_id)
        headers = [*self.default_headers, *response.raw_headers, (b"connection", b"close")]
        status = HTTPStatus(response.status_code)
        head = b"".join(b"%s: %s\r\n" % header for header in headers)
        self.transport.write(b"HTTP/1.1 %d %s\r\n" % (status, status.phrase.encode()))
        body = b"" if self._pieces.is_for_head_only else response.body
        self.transport.write(b"%s\r\n%s" % (head, body))
        self._lingering.close()
        structlog.get_logger().info(
            "request refused",
            logger="symphony.requests",
            request_id=request_id,
            code=refused.code,
            status=response.status_code,
        )

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
        self.abandon_request()
        self.transport.abort()


def _expects_continue(headers: Headers) -> bool:
    return any(name == b"expect" and value.lower() == b"100-continue" for name, value in headers)
