"""The check of the header Host in the real server: raw requests, the log and the metrics."""

import asyncio
from pathlib import Path

import pytest

from scripts.support.polling import until
from tests.support.api import API, PASSWORD, code
from tests.support.server import Server, running_server

pytestmark = pytest.mark.long


async def status_of(server: Server, head: str) -> str:
    """The status line of the answer to a raw head."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(head.replace("\n", "\r\n").encode())
    line = await reader.readline()
    writer.close()
    await writer.wait_closed()
    return line.decode()


async def test_a_web_page_that_rebinds_its_name_can_do_nothing(tmp_path: Path) -> None:
    names = "symphony.example.org, *.svc"
    async with (
        running_server(tmp_path / "data", "--log-format", "json", ALLOWED_HOSTS=names) as server,
        server.client() as client,
    ):
        body = {"username": "page", "email": "page@example.org", "password": PASSWORD}
        evil = {"Host": "evil.test"}
        answer = await client.post(f"{API}/user-profiles", json=body, headers=evil)
        assert code(answer) == "421 misdirected-request"
        form = {"username": "page", "password": PASSWORD}
        answer = await client.post(f"{API}/auth/token", data=form)
        assert code(answer) == "401 invalid-credentials"
        for host in ("symphony.example.org", "a.b.svc:8000", "localhost", "[::1]"):
            answer = await client.get("/health/ready", headers={"Host": host})
            assert answer.status_code == 200
        for host, status in (("evil.test", " 421 "), ("127.0.0.1", " 200 ")):
            line = await status_of(server, f"GET / HTTP/1.1\nHost: {host}\n\n")
            assert status in line
        assert " 200 " in await status_of(server, "GET / HTTP/1.0\n\n")

        async def both_are_logged() -> bool:
            entries = server.log_entries()
            return [each.get("status") for each in entries].count(421) == 2

        await until(both_are_logged)
        assert "evil" not in server.log.read_text()
        counted = '_count{method="POST",route="none",status="421"} 1.0'
        assert counted in (await client.get("/metrics")).text
