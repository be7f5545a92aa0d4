"""The wire: requests that confuse or exhaust other servers, sent byte by byte."""

import json
import re
import socket
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from urllib.parse import urlsplit

import httpx
import psutil

from scripts.demos.support.demo_server import Server, running_server
from scripts.demos.support.stage import Stage, perform
from scripts.demos.support.user import API

ADA = b'{"username": "ada", "email": "ada@example.org", "password": "correct horse battery"}'
SMUGGLED = b"GET /health/live HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
SHOWN = ("username", "code", "detail")  # members of the answers
HEAD_LIMIT = 65_536  # bytes
LARGE = 50 << 20  # bytes
PIPELINING = 20  # clients
PIPELINING_FOR = 4.0  # seconds
PATIENCE = 2.0  # seconds that an honest client may wait for an answer


def story(stage: Stage) -> None:
    with running_server() as server:
        upgrade_offer(stage, server)
        smuggling(stage, server)
        head_bounds(stage, server)
        host(stage, server)
        last_response(stage, server)
        pipelines(stage, server)


def upgrade_offer(stage: Stage, server: Server) -> None:
    stage.step("A request that offers HTTP/2, as every Java client and `curl --http2` send it")
    sent = (
        f"POST {API}/user-profiles HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(ADA)}\r\n\r\n"
    ).encode()
    received = talk(server, sent + ADA)
    show(stage, sent + ADA, received)
    stage.why(
        "a server may ignore the offer (RFC 9110, 7.8), but not lose the body: the sign-up works"
        " as it does without the offer."
    )
    stage.expect("the body was read", statuses(received) == [201])


def smuggling(stage: Stage, server: Server) -> None:
    stage.step("A body that looks like a request, behind the same offer")
    sent = (
        b"POST /health/live HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n"
        b"Content-Length: %d\r\n\r\n" % len(SMUGGLED)
    ) + SMUGGLED
    received = talk(server, sent)
    show(stage, sent, received)
    stage.why("behind a proxy, an attacker could send requests in the name of another user.")
    stage.expect("one request has one answer", statuses(received) == [405])


def head_bounds(stage: Stage, server: Server) -> None:
    stage.step("20 MiB of header fields")
    line = b"X-Filler: " + b"a" * 1000 + b"\r\n"
    before = resident(server)
    received = talk(server, b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n" + line * 20_000)
    after = resident(server)
    shown = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n" + line[:40] + b"...\r\n"
    show(stage, shown + b"(20,000 such lines)", received)
    stage.why("the service keeps at most 64 KiB of a head, so strangers cannot fill its memory.")
    stage.expect("the answer is a 431", statuses(received) == [431])
    grown = max(0, after - before)
    stage.expect("the service has not grown by 20 MiB", grown < 20, f"{grown} MiB")
    most = b"X: " + b"a" * (HEAD_LIMIT - 100) + b"\r\n"
    fits = talk(server, b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n" + most + b"\r\n")
    stage.expect("almost 64 KiB are accepted", statuses(fits) == [200])


def host(stage: Stage, server: Server) -> None:
    stage.step("A request without Host, and one with two")
    for fields in (b"", b"Host: 127.0.0.1\r\nHost: evil.example\r\n"):
        sent = b"GET / HTTP/1.1\r\n" + fields + b"\r\n"
        received = talk(server, sent)
        show(stage, sent, received)
        stage.expect("the answer is a 400", statuses(received) == [400])
    stage.why("a proxy and the service could disagree about which of two hosts is meant.")


def last_response(stage: Stage, server: Server) -> None:
    stage.step("A client that writes 50 MB before it reads, and then closes")
    head = (
        f"POST {API}/user-profiles HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
        f"Content-Type: application/json\r\nContent-Length: {LARGE}\r\n\r\n"
    ).encode()
    received = talk(server, head + b" " * LARGE)
    show(stage, head + f"({LARGE:,} bytes)".encode(), received)
    stage.why("without care, closing resets the connection, and the client never learns why.")
    stage.expect("the client gets the 413", statuses(received) == [413])


def pipelines(stage: Stage, server: Server) -> None:
    stage.step(f"{PIPELINING} clients that send requests without end and never read")
    waits: list[float] = []
    with pipelining(server), server.client() as client:
        until = time.monotonic() + PIPELINING_FOR
        while time.monotonic() < until:
            start = time.perf_counter()
            assert client.get("/health/live").status_code == httpx.codes.OK
            waits.append(time.perf_counter() - start)
            time.sleep(0.05)
    stage.say(f"Meanwhile, an honest client sent {len(waits)} requests.")
    stage.why("each connection has its turn, and what waits is left in the buffers of its sender.")
    worst = max(waits)
    stage.expect(
        f"it never waited for {PATIENCE:g} s", worst < PATIENCE, f"at most {worst * 1000:.0f} ms"
    )


@contextmanager
def pipelining(server: Server) -> Generator[None]:
    """Clients that send requests until the end of the block."""
    data = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" * 8000
    done = threading.Event()

    def send(connection: socket.socket) -> None:
        while not done.is_set():
            try:
                connection.send(data)
            except TimeoutError:
                continue
            except OSError:
                return

    connections = [connect(server, timeout=0.2) for _ in range(PIPELINING)]
    threads = [threading.Thread(target=send, args=(each,)) for each in connections]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        done.set()
        for thread in threads:
            thread.join()
        for connection in connections:
            connection.close()


def connect(server: Server, timeout: float) -> socket.socket:
    address = urlsplit(server.address)
    return socket.create_connection((address.hostname, address.port), timeout)


def talk(server: Server, sent: bytes) -> bytes:
    """Send everything, close the sending half, then read until the server closes."""
    received = b""
    with connect(server, timeout=30) as connection:
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        while data := connection.recv(65_536):
            received += data
    return received


def show(stage: Stage, sent: bytes, received: bytes) -> None:
    """Show the request, and of the answer the first line and a part of the body."""
    head, _, body = received.decode().partition("\r\n\r\n")
    stage.say("Sent:")
    stage.text(sent.decode())
    stage.say(f"Received: {head.splitlines()[0]}")
    stage.json({name: value for name, value in json.loads(body).items() if name in SHOWN})


def statuses(received: bytes) -> list[int]:
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", received)]


def resident(server: Server) -> int:
    """The memory of the server in MiB."""
    return psutil.Process(server.process.pid).memory_info().rss >> 20


if __name__ == "__main__":
    perform(story)
