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
from symphony.api.root_path import root_path
from symphony.serving.lingering_transport import LingeringTransport
from symphony.serving.request_head import (
    RequestRefused,
    authority_and_path,
    framing_of,
    malformed,
    require_host,
    without_upgrade,
)
from symphony.serving.request_pieces import SLICE, RequestPieces
from symphony.serving.uvicorn_adapter import HIGH_WATER_LIMIT, HttpProtocol

# In bytes of a slice. A small piece takes longer than its bytes: a body of blank lines has pieces
# of four bytes, and a slice of them took 30 ms.
_COST_OF_A_PIECE = 512


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


class UpgradeOffered(Exception):
    """The parser would end the request at the end of its head, to change the protocol."""


class LimitedHttpProtocol(HttpProtocol):
    """A protocol that bounds what a client sends and how long it takes.

    - A request is parsed only when the response to the one before it is complete and, up to a
      small buffer, read. While requests wait, nothing is read from the client, so one that sends
      without end fills its own buffers.
    - After each request, and after each slice of a large one, other connections are served.
    - Heads and trailers have bounds, see `request_head`.
    - The connection of a client that exceeds a time limit is closed.
    """

    timeouts = ClientTimeouts()
    _receive_timer: asyncio.TimerHandle | None = None
    _read_timer: asyncio.TimerHandle | None = None
    _continuation: asyncio.Handle | None = None
    _has_client_finished = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # pyright: ignore[reportIncompatibleMethodOverride] - uvicorn's own narrowing
        self._pieces = RequestPieces()
        self._lingering = LingeringTransport(
            transport,
            self.loop,
            linger=self.timeouts.linger,
            read=self.timeouts.read,
            is_client_sending=lambda: self._pieces.is_client_sending,
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

    def eof_received(self) -> bool:  # pyright: ignore[reportIncompatibleMethodOverride] - uvicorn always closes
        """Keep the connection of a client that has sent everything and waits for the response."""
        self._has_client_finished = True
        return self.is_answering and not self._pieces.is_in_body

    def on_header(self, name: bytes, value: bytes) -> None:
        # Trailers are not merged into the headers (RFC 9110, 6.5.1).
        if self._pieces.is_in_body:
            self._pieces.count_trailer()
        else:
            # The parser keeps white space after a value, which is no part of it (RFC 9110, 5.5).
            self.headers.append((name.lower(), value.rstrip(b" \t")))

    def on_headers_complete(self) -> None:
        parser = self.active_parser
        if parser.should_upgrade():
            raise UpgradeOffered
        is_1_0 = parser.get_http_version() == "1.0"
        framing = framing_of(self.headers, is_1_0=is_1_0)
        require_host(framing.hosts, is_1_0=is_1_0)
        if not self.url.startswith(b"/"):
            self._apply_absolute_url(parser.get_method())
        self.expect_100_continue = framing.expects_continue
        super().on_headers_complete()
        self._pieces.start_body(framing.body_length)
        self._stop_receive_timer()
        self.stop_idle_timer()

    def on_body(self, body: bytes) -> None:
        self._pieces.count_content(len(body))
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._pieces.end_request()
        super().on_message_complete()
        self._stop_receive_timer()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self._lingering.is_closing():
            return
        if self._pieces.is_in_body:
            # The rest of a refused body is read and dropped. Closing at once would reset the
            # connection, and a client that is still sending would lose the response.
            self._limit_receiving(self.timeouts.linger)
        elif self._has_client_finished and not self._pieces.is_waiting:
            self._lingering.close()
        self._continue()

    def shutdown(self) -> None:
        self._lingering.stop_lingering()
        super().shutdown()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._expect_progress()

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._read_timer:
            self._read_timer.cancel()
        self._continue()

    def connection_lost(self, exc: Exception | None) -> None:
        self._lingering.lost()
        self.abandon_request()
        self._stop_receive_timer()
        if self._read_timer:
            self._read_timer.cancel()
        super().connection_lost(exc)

    def _parse(self) -> None:
        """Parse what was received, up to the end of a request or of a slice."""
        self._continuation = None
        pieces = self._pieces
        parsed = 0
        while pieces.is_waiting and not self._lingering.is_closing():
            if not pieces.is_in_body:
                if self.is_answering or self.is_response_unread:
                    self.reading.hold()  # until `on_response_complete` or `resume_writing`
                    return
                self.headers = []  # those of the request before are no longer of use
                if pieces.trailers:
                    self.replace_parser()  # which has applied them to the connection: `close`
            if parsed >= SLICE:
                self.reading.hold()
                self._continue()
                return
            try:
                piece = pieces.next()
                if piece is None:
                    self._wait_for_head()
                    break
                self._feed(piece)
            except RequestRefused as refused:
                self._refuse(refused)
                return
            parsed += max(len(piece), _COST_OF_A_PIECE)
        if self.reading.is_held:
            self.reading.release()
        if pieces.is_in_body and not self._receive_timer:
            self._limit_receiving(self.timeouts.body)

    def _feed(self, piece: bytes) -> None:
        try:
            self.active_parser.feed_data(piece)
        except HttpParserCallbackError as error:
            cause = error.__context__
            if isinstance(cause, UpgradeOffered):
                self._feed_without_upgrade(piece)
                return
            raise cause if isinstance(cause, RequestRefused) else malformed() from None
        except (HttpParserError, HttpParserUpgrade):
            raise malformed() from None

    def _feed_without_upgrade(self, head: bytes) -> None:
        """Ignore an offer to upgrade, as a server may (RFC 9110, 7.8).

        The parser cannot ignore it: it would take the end of the head for the end of the request,
        and the body for another request. A new parser gets the head without the offer.
        """
        rest = without_upgrade(head)
        if rest == head:
            raise malformed("The service is not a proxy: it does not accept CONNECT.")
        self.replace_parser()
        self._feed(rest)

    def _apply_absolute_url(self, method: bytes) -> None:
        """Take the host from an absolute URL; it replaces `Host` (RFC 9112, 3.2.2)."""
        if split := authority_and_path(method, self.url):
            host, self.url = split
            others = [header for header in self.headers if header[0] != b"host"]
            self.headers[:] = [(b"host", host), *others]

    def _continue(self) -> None:
        """Parse the rest later: other connections are served first."""
        if self._pieces.is_waiting and not self._continuation:
            self._continuation = self.loop.call_soon(self._parse)

    def _wait_for_head(self) -> None:
        if self._has_client_finished:
            self._lingering.close()
        elif self._pieces.is_waiting:  # not only empty lines, which were skipped
            self.stop_idle_timer()
            if not self._receive_timer:
                self._limit_receiving(self.timeouts.head)

    def _refuse(self, refused: RequestRefused) -> None:
        """Answer with a problem, like every other error, and close the connection."""
        self._stop_receive_timer()
        if self._pieces.is_in_body and not self.is_answering:
            self._lingering.linger()  # it was answered before the end of its body
            return
        if self._pieces.is_in_body and self.is_response_started:
            self._abort()
            return
        self.abandon_request()
        given = next((value for name, value in self.headers if name == b"x-request-id"), b"")
        request_id = request_id_of(given.decode("latin-1"))
        root = root_path({"state": self.app_state})
        response = refused_request_response(root, refused.code, refused.detail, request_id)
        headers = [*self.default_headers, *response.raw_headers, (b"connection", b"close")]
        status = HTTPStatus(response.status_code)
        head = b"".join(b"%s: %s\r\n" % header for header in headers)
        self.transport.write(b"HTTP/1.1 %d %s\r\n" % (status, status.phrase.encode()))
        body = b"" if self._pieces.is_for_head_only else response.body
        self.transport.write(b"%s\r\n%s" % (head, body))
        self._lingering.linger()
        structlog.get_logger().info(
            "request refused",
            logger="symphony.requests",
            request_id=request_id,
            code=refused.code,
            status=response.status_code,
        )

    def _limit_receiving(self, seconds: float) -> None:
        """Limit the time for the next part from the client."""
        self._stop_receive_timer()
        self._receive_timer = self.loop.call_later(seconds, self._abort)

    def _stop_receive_timer(self) -> None:
        if self._receive_timer:
            self._receive_timer.cancel()
            self._receive_timer = None

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
