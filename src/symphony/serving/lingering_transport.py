"""Closing a connection so that its client can read the last response (RFC 9112, 9.6)."""

import asyncio
from collections.abc import Callable
from typing import Any

DROPPED_AT_MOST = 268_435_456  # bytes; a client that sends more loses the response


class LingeringTransport(asyncio.Transport):
    """A transport whose `close` waits for a client that is still sending.

    Closing a socket that still receives resets the connection, and the client loses the response.
    So only the sending half is closed. What still comes is dropped, until the client closes its
    half or exceeds a limit.
    """

    def __init__(
        self,
        transport: asyncio.Transport,
        loop: asyncio.AbstractEventLoop,
        *,
        linger: float,
        read: float,
        is_client_sending: Callable[[], bool],
    ) -> None:
        """Wait `linger` seconds for a client that sends, and `read` seconds for one that reads."""
        super().__init__()
        self._transport = transport
        self._loop = loop
        self._linger = linger
        self._read = read
        self._is_client_sending = is_client_sending
        self._is_closing = False
        self._may_linger = True
        self._timer: asyncio.TimerHandle | None = None
        self._dropped = 0

    def close(self) -> None:
        """Close the connection when the client has stopped sending and has read everything."""
        if self._is_client_sending():
            self.linger()
        elif not self._is_closing:
            self._is_closing = True
            self._transport.close()
            self._expect_end(self._read)

    def linger(self) -> None:
        """Close the sending half, and the connection when the client has closed its half."""
        if self._is_closing:
            return
        self._is_closing = True
        if self._may_linger and not self._transport.is_closing():
            self._transport.write_eof()
            self._transport.resume_reading()
        else:
            self._transport.close()
        self._expect_end(self._linger)

    def stop_lingering(self) -> None:
        """Wait for no client any more, because the service stops."""
        self._may_linger = False
        if self._is_closing:
            self._transport.close()

    def abort(self) -> None:
        """Close the connection without writing the rest."""
        self._is_closing = True
        self._transport.abort()

    def lost(self) -> None:
        """Stop waiting: the connection is closed."""
        self._is_closing = True
        if self._timer:
            self._timer.cancel()

    def is_closing(self) -> bool:
        return self._is_closing or self._transport.is_closing()

    def drop(self, data: bytes) -> None:
        """Drop what is received while the connection is closing."""
        self._dropped += len(data)
        if self._dropped > DROPPED_AT_MOST:
            self.abort()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if not self._is_closing:
            self._transport.write(data)

    def pause_reading(self) -> None:
        if not self._is_closing:
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        if not self._is_closing:
            self._transport.resume_reading()

    def get_write_buffer_size(self) -> int:
        return self._transport.get_write_buffer_size()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self._transport.get_extra_info(name, default)

    def _expect_end(self, seconds: float) -> None:
        unread = self._transport.get_write_buffer_size()
        self._timer = self._loop.call_later(seconds, self._abort_without_progress, unread)

    def _abort_without_progress(self, unread: int) -> None:
        if self._transport.get_write_buffer_size() < unread:
            self._expect_end(self._read)
        else:
            self.abort()
