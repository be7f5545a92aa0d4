"""Connections that cannot be opened: the error has the reason in one line, no password."""

import asyncio
import socketserver
import ssl
import struct
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager, contextmanager, suppress
from functools import partial
from pathlib import Path

import pytest

from symphony.infrastructure.database.postgresql.connecting import CannotConnect, open_connection
from symphony.infrastructure.database.postgresql.url import parse_postgresql_url
from tests.infrastructure.database.postgresql.certificates import Certificate, create_certificate

PASSWORD = "canary-that-must-not-be-printed"


async def refusal(url: str, time_limit: float = 5) -> str:
    with pytest.raises(CannotConnect) as refused:
        await open_connection(parse_postgresql_url(url, {}), {}, time_limit)
    line = str(refused.value)
    assert line.isprintable()
    assert PASSWORD not in line
    return line


Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def a_server(answer: Answer) -> AsyncGenerator[str]:
    """A server with an answer of its own; yields its address."""
    writers: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        await answer(reader, writer)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        port = server.sockets[0].getsockname()[1]
        yield f"ada:{PASSWORD}@127.0.0.1:{port}"
    finally:
        server.close()
        for writer in writers:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()


def refused(code: str, message: str) -> bytes:
    """The answer of a PostgreSQL server that refuses a connection."""
    fields = f"SFATAL\0C{code}\0M{message}\0DDetail {PASSWORD}\0\0".encode()
    return b"E" + struct.pack("!i", len(fields) + 4) + fields


async def refuse(
    code: str, message: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    (length,) = struct.unpack("!i", await reader.readexactly(4))
    await reader.readexactly(length - 4)
    writer.write(refused(code, message))
    await writer.drain()


@contextmanager
def a_server_with_tls(certificate: Certificate) -> Generator[str]:
    """A server that accepts TLS and has no database; yields its address."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.certificate, certificate.key)

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.recv(8)  # the request for TLS
            self.request.sendall(b"S")
            with suppress(OSError), context.wrap_socket(self.request, server_side=True) as tls:
                tls.recv(4096)
                tls.sendall(refused("3D000", "said so"))

    with socketserver.TCPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"ada:{PASSWORD}@127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("28P01", 'the password of the user "ada" is wrong, or there is no such user'),
        ("28000", 'the user "ada" may not connect'),
        ("3D000", 'there is no database "symphony"'),
        ("53300", "said so (53300)"),
        ("57P03", "said so (57P03)"),
        ("42501", "said so (42501)"),
    ],
)
async def test_the_reason_of_the_server_is_told(code: str, expected: str) -> None:
    async with a_server(partial(refuse, code, "said so")) as address:
        line = await refusal(f"postgresql://{address}/symphony?sslmode=disable")
    assert line.startswith("PostgreSQL at 127.0.0.1:")
    assert expected in line


async def test_a_missing_password_is_told() -> None:
    async with a_server(partial(refuse, "28P01", "said so")) as address:
        place = address.partition("@")[2]
        line = await refusal(f"postgresql://ada@{place}/symphony?sslmode=disable")
    assert "needs a password" in line


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgresql://ada@localhost:1/db", "localhost:1: Connection refused"),
        ("postgresql://ada@[::1]:1/db", "[::1]:1: "),
        ("postgresql://ada@no-such-host.invalid/db", "the host is unknown"),
        ("postgresql://ada@a..b/db", "the host is unknown"),
        ("postgresql://ada@/db?host=/no/such/directory", "/no/such/directory/.s.PGSQL.5432: No su"),
    ],
)
async def test_what_cannot_be_reached_is_named(url: str, expected: str) -> None:
    assert expected in await refusal(url)


async def test_a_server_that_does_not_answer_is_told() -> None:
    async def keep_silent(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read()

    async with a_server(keep_silent) as address:
        assert "no answer in time" in await refusal(f"postgresql://{address}/db", 0.1)


async def test_tls_that_is_required_but_not_offered_is_told() -> None:
    async def refuse_tls(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(8)
        writer.write(b"N")
        await writer.drain()
        await reader.read()

    async with a_server(refuse_tls) as address:
        line = await refusal(f"postgresql://{address}/db?sslmode=require")
    assert "the server offers no TLS, which sslmode requires" in line


async def test_certificates_are_verified_as_the_parameters_say(tmp_path: Path) -> None:
    own, other = (create_certificate(tmp_path, name) for name in ("own", "other"))
    with a_server_with_tls(own) as address:
        url = f"postgresql://{address}/symphony?sslmode="
        for mode in (
            "require",
            f"verify-full&sslrootcert={own.certificate}",
            f"verify-ca&sslrootcert={own.certificate}&ssl_max_protocol_version=TLSv1.2",
        ):
            assert "there is no database" in await refusal(url + mode)
        for mode in (
            f"verify-full&sslrootcert={other.certificate}",
            f"require&sslrootcert={other.certificate}",
            "verify-full&sslrootcert=system",
        ):
            assert "the server's certificate is refused: " in await refusal(url + mode)
