"""A small HTTP proxy with CONNECT, which connects to one server whatever name it is asked for."""

import re
import socket
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress

_END_OF_HEAD = b"\r\n\r\n"


class ConnectProxy:
    """Listens at `address`; `heads` has the head of each CONNECT.

    Without the value `authorization` of `Proxy-Authorization`, the answer is a 407.
    """

    def __init__(self, target: int, authorization: str | None) -> None:
        """`target` is the port of the server, on this machine."""
        self._target = target
        self._authorization = authorization
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self.heads: list[str] = []
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def stop(self) -> None:
        """Refuse further connections, and wait for the end of those that are open."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection, suppress(OSError):
                self._serve_connection(connection)

    def _serve_connection(self, client: socket.socket) -> None:
        head = b""
        while _END_OF_HEAD not in head and (piece := client.recv(1 << 16)):
            head += piece
        self.heads.append(head.decode("ascii"))
        assert head.startswith(b"CONNECT ")
        assert head.endswith(_END_OF_HEAD), "the client speaks before the proxy has answered"
        given = re.search(r"^Proxy-Authorization: (.*)\r$", self.heads[-1], re.MULTILINE)
        if self._authorization is not None and (not given or given[1] != self._authorization):
            client.sendall(b"HTTP/1.1 407 No\r\nProxy-Authenticate: Basic\r\n\r\n")
            return
        with socket.create_connection(("127.0.0.1", self._target)) as server:
            client.sendall(b"HTTP/1.1 200 Connection established\r\nVia: test\r\n\r\n")
            back = threading.Thread(target=_copy, args=(server, client))
            back.start()
            _copy(client, server)
            back.join()


def _copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while piece := source.recv(1 << 16):
            target.sendall(piece)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


@contextmanager
def connect_proxy(target: int, authorization: str | None = None) -> Generator[ConnectProxy]:
    proxy = ConnectProxy(target, authorization)
    try:
        yield proxy
    finally:
        proxy.stop()
