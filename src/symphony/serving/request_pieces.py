"""The bytes that a connection has received, in pieces that never extend beyond one request.

The parser would take requests from its input as long as there are any, and start them all. In
pieces, a request is parsed only when the one before it has been answered.
"""

from symphony.serving.request_head import (
    MAX_FIELDS,
    MAX_HEAD_BYTES,
    malformed,
    require_head_syntax,
    require_http_1,
    too_large,
)

SLICE = 16_384
"""The bytes that are parsed for one connection before others are served."""

_BLANK_LINE = b"\r\n\r\n"
_LINE_END = _EMPTY_LINES = b"\r\n"
_BYTES_PER_CONTENT = 17  # a chunk of one byte takes six: its size, its end, the byte
_MISSED = 3  # bytes of a blank line that may lie in the piece before


class RequestPieces:
    """The received bytes of one connection, and where the request among them has its parts.

    A head ends with the first blank line, as the parser accepts no other line endings. A body of a
    declared length ends there. A chunked body ends with a blank line, but not every blank line in
    it is its end: only the parser knows, which calls `end_request`.
    """

    def __init__(self) -> None:
        self._received = bytearray()
        self._searched = 0
        self._empty_lines = 0
        self._is_head_taken = False
        self._left: int | None = 0
        self._last = b""
        self._excess = 0
        self.trailers = 0
        """How many trailers the newest request has had so far."""
        self.is_in_body = False
        """Whether the head of a request has been parsed, but not all of its body."""
        self.is_for_head_only = False
        """Whether the newest request has the method HEAD."""

    def add(self, data: bytes) -> None:
        """Add what was received."""
        self._received += data

    @property
    def is_waiting(self) -> bool:
        """Whether there are bytes that were not parsed."""
        return bool(self._received)

    @property
    def is_client_sending(self) -> bool:
        """Whether a part of a request was received that was not parsed, or is still expected."""
        return self.is_in_body or bool(self._received.strip(_EMPTY_LINES))

    def next(self) -> bytes | None:
        """Return the next piece for the parser; None when more bytes are needed.

        A head is one piece. Raises: RequestRefused.
        """
        if not self.is_in_body:
            return self._head()
        if self._left is None:
            self._require_little_excess()
            piece = self._take(self._end_of_chunked_piece())
            self._excess += len(piece)
            return piece
        if not self._left:  # the parser and this class disagree about the end
            raise malformed()
        piece = self._take(min(self._left, SLICE))
        self._left -= len(piece)
        return piece

    def start_body(self, length: int | None) -> None:
        """Expect a body of so many bytes, or a chunked one, after the head that was returned."""
        self._is_head_taken = False
        self.is_in_body = True
        self._left = length
        self._last = b""
        self._excess = self.trailers = 0

    def count_content(self, length: int) -> None:
        """Count bytes of the last piece that were content of the body."""
        self._excess = max(0, self._excess - length * _BYTES_PER_CONTENT)

    def count_trailer(self) -> None:
        """Count a trailer field. Raises: RequestRefused."""
        self.trailers += 1
        if self.trailers > MAX_FIELDS:
            raise too_large("trailer section")

    def end_request(self) -> None:
        """Expect the next request. Raises: RequestRefused."""
        self._require_little_excess()
        self.is_in_body = False

    def _head(self) -> bytes | None:
        if self._is_head_taken:  # the parser has not recognized its end
            raise malformed()
        if self._received.startswith((b"\r", b"\n")):
            self._skip_empty_lines()
        end = self._received.find(_BLANK_LINE, self._searched)
        self.is_for_head_only = self._received.startswith(b"HEAD ")
        if end < 0:
            if len(self._received) > MAX_HEAD_BYTES:
                raise too_large()
            if not self._searched:
                require_head_syntax(bytes(self._received))
            self._searched = max(0, len(self._received) - _MISSED)
            return None
        self._searched = self._empty_lines = 0
        self._is_head_taken = True
        length = end + len(_BLANK_LINE)
        # Beside the fields, a head has the request line and the blank line.
        fields = self._received.count(_LINE_END, 0, length) - 2
        if length > MAX_HEAD_BYTES or fields > MAX_FIELDS:
            raise too_large()
        head = self._take(length)
        require_http_1(head)
        return head

    def _skip_empty_lines(self) -> None:
        """Skip the empty lines that may precede a head (RFC 9112, 2.2)."""
        before = len(self._received)
        del self._received[: before - len(self._received.lstrip(_EMPTY_LINES))]
        self._empty_lines += before - len(self._received)
        if self._empty_lines > MAX_HEAD_BYTES:
            raise too_large()

    def _end_of_chunked_piece(self) -> int:
        """Return the place after the next blank line, which may start in the piece before."""
        across = (self._last + self._received[:_MISSED]).find(_BLANK_LINE)
        if across >= 0:
            return across + len(_BLANK_LINE) - len(self._last)
        end = self._received.find(_BLANK_LINE, 0, SLICE)
        return SLICE if end < 0 else end + len(_BLANK_LINE)

    def _require_little_excess(self) -> None:
        # What a chunked body has beside its content: sizes, extensions, trailers.
        if self._excess > MAX_HEAD_BYTES:
            raise too_large("trailer section")

    def _take(self, length: int) -> bytes:
        piece = bytes(self._received[:length])
        del self._received[:length]
        if self._left is None:
            self._last = (self._last + piece)[-_MISSED:]
        return piece
