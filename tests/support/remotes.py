"""Remotes on loopback over HTTP, and remotes that fail or do not answer."""

import socket
import subprocess
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from scripts.support.git_daemon import SERVER_ENVIRONMENT
from tests.support import processes

Answer = Callable[[BaseHTTPRequestHandler], None]


@contextmanager
def http_server(answer: Answer) -> Generator[str]:
    """Serve `answer` for every request; yield the URL of the server."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer(self)

        do_POST = do_GET  # noqa: N815 - http.server's name

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def git_backend(base: Path) -> Answer:
    """Answer as `git http-backend` does for the repositories in a directory."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        path, _, query = request.path.partition("?")
        length = int(request.headers.get("content-length") or 0)
        body = (
            _chunked(request) if "chunked" in str(request.headers) else request.rfile.read(length)
        )
        result = subprocess.run(
            ["git", "http-backend"],  # noqa: S607 - the one on the search path
            input=body,
            env={
                **SERVER_ENVIRONMENT,
                "GIT_PROJECT_ROOT": str(base),
                "GIT_HTTP_EXPORT_ALL": "1",
                "REQUEST_METHOD": request.command,
                "PATH_INFO": path,
                "QUERY_STRING": query,
                "CONTENT_TYPE": request.headers.get("content-type", ""),
                "CONTENT_LENGTH": str(len(body)),
                "HTTP_CONTENT_ENCODING": request.headers.get("content-encoding", ""),
                "GIT_PROTOCOL": request.headers.get("git-protocol", ""),
            },
            stdout=subprocess.PIPE,
            check=True,
        )
        head, _, content = result.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
        request.send_response(int(headers.pop("Status", "200").split()[0]))
        for name, value in headers.items():
            request.send_header(name, value)
        request.end_headers()
        request.wfile.write(content)

    return answer


def refusal(status: int, **headers: str) -> Answer:
    """Answer every request with this status and these headers."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        for name, value in headers.items():
            request.send_header(name.replace("_", "-"), value)
        request.send_header("content-length", "0")
        request.end_headers()

    return answer


@contextmanager
def answering_server(sent: bytes) -> Generator[int]:
    """Send these bytes to each client, read what it sends, and close; yield the port."""

    def answer(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            connection.settimeout(10)
            connection.sendall(sent)
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(4096):
                pass

    def accept() -> None:
        with suppress(OSError):
            while True:
                answer(listening.accept()[0])

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=accept)
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            thread.join()


class Listener:
    """A port that counts connections and never sends anything."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self._connections: list[socket.socket] = []
        self._thread = threading.Thread(target=self._accept)
        self._thread.start()

    @property
    def connections(self) -> int:
        return len(self._connections)

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        for each in (*self._connections, self._socket):
            each.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                self._connections.append(self._socket.accept()[0])


def sync_processes() -> list[str]:
    """Return the processes below this one that contact a remote."""
    variable = "GIT_OVERRIDE_VIRTUAL_HOST"
    children = processes.children()
    return [processes.name(each) for each in children if variable in processes.environment(each)]


async def sync_runs() -> bool:
    return sync_processes() != []


async def no_sync_runs() -> bool:
    return sync_processes() == []


def _chunked(request: BaseHTTPRequestHandler) -> bytes:
    """Read a chunked body (RFC 9112, section 7.1)."""
    body = b""
    while size := int(request.rfile.readline(), 16):
        body += request.rfile.read(size)
        request.rfile.readline()
    request.rfile.readline()
    return body
