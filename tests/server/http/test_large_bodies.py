"""A client that sends too much gets the response instead of a reset connection."""

import asyncio
import time
from collections.abc import AsyncGenerator
from pathlib import Path

import httpx
import pytest

from symphony.serving.http_protocol import LimitedHttpProtocol
from tests.support.api import API, code, sign_up
from tests.support.server import Server, running_server

pytestmark = pytest.mark.long

LINGER = LimitedHttpProtocol.timeouts.linger
TOO_LARGE = 8 * 1_048_576
JSON = {"Content-Type": "application/json"}


async def test_a_client_that_sends_all_of_a_large_body_gets_the_response(tmp_path: Path) -> None:
    async def in_pieces() -> AsyncGenerator[bytes]:
        for _ in range(TOO_LARGE // 65_536):
            yield b" " * 65_536

    async with running_server(tmp_path / "data") as server, server.client() as client:
        ada = await sign_up(client, "ada")
        for _ in range(10):
            for content in (b" " * TOO_LARGE, in_pieces()):
                answer = await ada.request("POST", "/api-tokens", content=content, headers=JSON)
                assert code(answer) == "413 payload-too-large"
        assert (await ada.get("/user-profiles/me")).status_code == 200


async def test_a_client_that_never_stops_sending_is_disconnected(tmp_path: Path) -> None:
    async with running_server(tmp_path / "data") as server, server.client() as client:
        ada = await sign_up(client, "ada")
        start = time.perf_counter()
        answer = await _send_without_end(server, ada.token)
        assert answer.startswith(b"HTTP/1.1 413 ")
        assert LINGER - 1 < time.perf_counter() - start < LINGER + 5
        assert (await client.get("/health/live")).status_code == httpx.codes.OK


async def _send_without_end(server: Server, token: str) -> bytes:
    """The response, when the server has closed the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(
        f"POST {API}/api-tokens HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {10**12}\r\n\r\n".encode()
    )
    answer = await reader.readuntil(b"\r\n\r\n")
    try:
        async with asyncio.timeout(60):
            while True:
                writer.write(b" " * 1024)
                await writer.drain()
                await asyncio.sleep(0.01)
    except ConnectionError:
        return answer
    finally:
        writer.transport.abort()
