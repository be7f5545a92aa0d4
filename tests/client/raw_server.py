"""A server that answers requests with given bytes, whatever they are."""

import socket
import ssl
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress

_END_OF_HEAD = b"\r\n\r\n"
Answer = bytes | Callable[[bytes], bytes]
"""The same bytes for every request, or those for its head."""
_TLS_HANDSHAKE = b"\x16"


class RawServer:
    """Listens at `url`; `heads` has the head of each request."""

    def __init__(
        self, answer: Answer, *, closes: bool, drip: float | None, tls: ssl.SSLContext | None
    ) -> None:
        self._answer = answer
        self._closes = closes
        self._drip = drip
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._stopped = threading.Event()
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.heads: list[bytes] = []
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    def _serve(self) -> None:
        while not self._stopped.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection, suppress(OSError):
                if self._tls is None:
                    self._serve_connection(connection)
                else:
                    with self._tls.wrap_socket(connection, server_side=True) as encrypted:
                        self._serve_connection(encrypted)

    def _serve_connection(self, connection: socket.socket) -> None:
        while not self._stopped.is_set():
            head = b""
            while _END_OF_HEAD not in head and not head.startswith(_TLS_HANDSHAKE):
                piece = connection.recv(1 << 16)
                if not piece:
                    return
                head += piece
            self.heads.append(head)
            answer = self._answer if isinstance(self._answer, bytes) else self._answer(head)
            if self._drip is None:
                connection.sendall(answer)
            else:
                for each in answer:
                    connection.sendall(bytes([each]))
                    if self._stopped.wait(self._drip):
                        return
            if self._closes:
                return


@contextmanager
def raw_server(
    answer: Answer,
    *,
    closes: bool = True,
    drip: float | None = None,
    tls: ssl.SSLContext | None = None,
) -> Generator[RawServer]:
    """`closes` ends the connection after each answer; `drip` is the pause between two bytes."""
    server = RawServer(answer, closes=closes, drip=drip, tls=tls)
    try:
        yield server
    finally:
        server.stop()


def http_answer(
    body: bytes, status: str = "200 OK", media_type: str = "application/json", *headers: str
) -> bytes:
    lines = [
        f"HTTP/1.1 {status}",
        f"Content-Type: {media_type}",
        f"Content-Length: {len(body)}",
        *headers,
    ]
    return "\r\n".join(lines).encode() + _END_OF_HEAD + body
