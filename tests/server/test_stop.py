"""The service stops within seconds of a signal, whatever its clients do."""

import asyncio
import json
import signal
import socket
from asyncio import StreamReader, StreamWriter
from contextlib import suppress
from pathlib import Path

import pytest

from scripts.support.polling import until
from symphony.config.settings import Settings
from tests.support.api import API, User, running_api, sign_up
from tests.support.server import STOPS_WITHIN, Server, running_server

pytestmark = [pytest.mark.usefixtures("git_root"), pytest.mark.long]

# Python runs this before anything else: every access to a path that ends with /dead blocks.
DEAD_DISK = """
import os, threading
def never(function):
    def waits(path, *arguments, **options):
        name = os.fsdecode(path) if isinstance(path, (str, bytes, os.PathLike)) else ""
        if os.path.basename(name) == "dead":
            os.write(2, b"waits for the disk\\n")  # a confined thread can create no file
            threading.Event().wait()
        return function(path, *arguments, **options)
    return waits
os.lstat, os.stat, os.open = never(os.lstat), never(os.stat), never(os.open)
"""
BIG_ANSWER = b"GET /docs/assets/swagger-ui-bundle.js HTTP/1.1\r\nHost: localhost\r\n\r\n"


async def stall(server: Server) -> list[StreamWriter]:
    """Clients that keep a connection open and send and read nothing more."""
    half_a_head = await _sent(server, b"POST /api/v1/auth/token HTTP/1.1\r\nHost: loc")
    half_a_body = await _sent(
        server,
        b"POST /api/v1/auth/token HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n"
        b"Content-Type: application/x-www-form-urlencoded\r\n\r\nusername=ada",
    )
    idle = await _sent(server, b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert (await idle[0].readline()).startswith(b"HTTP/1.1 200")
    return [half_a_head[1], half_a_body[1], idle[1], await _one_that_never_reads(server)]


def close(clients: list[StreamWriter]) -> None:
    for each in clients:
        each.close()


async def _sent(server: Server, sent: bytes) -> tuple[StreamReader, StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(sent)
    await writer.drain()
    return reader, writer


async def _one_that_never_reads(server: Server) -> StreamWriter:
    """A client that never reads a response that is larger than all buffers."""
    own = socket.socket()
    own.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    own.connect(("127.0.0.1", server.port))
    # The limit keeps the reader from reading ahead.
    reader, writer = await asyncio.open_connection(sock=own, limit=1024)
    writer.write(BIG_ANSWER * 20)
    await writer.drain()
    assert (await reader.readline()).startswith(b"HTTP/1.1 200")
    return writer


def half_a_request(user: User) -> tuple[bytes, bytes]:
    """A request that creates a workspace, in two parts."""
    body = json.dumps({"name": "Thesis"}).encode()
    head = (
        f"POST {API}/user-profiles/{user.id}/workspaces HTTP/1.1\r\nHost: localhost\r\n"
        f"Authorization: Bearer {user.token}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body[:5], body[5:]


async def refuses_connections(server: Server) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", server.port)
    except ConnectionError:
        return True
    writer.close()
    return False


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_the_service_stops_in_time_with_stalled_clients(
    number: signal.Signals, tmp_path: Path
) -> None:
    async with running_server(tmp_path / "data") as server:
        stalled = await stall(server)
        assert await server.stop(number) == 0, server.log.read_text()
        close(stalled)


async def test_ctrl_c_stops_all_workers_in_time_with_stalled_clients(tmp_path: Path) -> None:
    async with running_server(tmp_path / "data", "--workers", "2") as server:
        stalled = await stall(server) + await stall(server)
        assert await server.stop(signal.SIGINT, group=True) == 0, server.log.read_text()
        assert await refuses_connections(server)
        close(stalled)


async def test_the_service_stops_in_time_while_a_disk_does_not_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "python").mkdir()
    (tmp_path / "python/sitecustomize.py").write_text(DEAD_DISK)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "python"))
    settings = {"GIT_ROOTS": str(tmp_path)}
    async with running_server(tmp_path / "data", **settings) as server, server.client() as client:
        ada = await sign_up(client, "ada")
        workspace = await ada.workspace()
        repo = await ada.repo(workspace["id"], path=str(tmp_path / "dead"))
        search = {"root": repo["path"], "max_depth": 1}
        waiting = [
            asyncio.create_task(ada.get(f"/repos/{repo['id']}/status")),
            asyncio.create_task(ada.post(f"/workspaces/{workspace['id']}/discoveries", search)),
        ]

        async def all_wait_for_the_disk() -> bool:
            return server.log.read_text().count("waits for the disk") == len(waiting)

        await until(all_wait_for_the_disk)
        assert await server.stop() == 0, server.log.read_text()
        await asyncio.gather(*waiting, return_exceptions=True)


async def test_a_request_in_progress_is_finished_and_saved(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    async with running_server(data_dir) as server:
        async with server.client() as client:
            ada = await sign_up(client, "ada")
        first_part, second_part = half_a_request(ada)
        reader, writer = await _sent(server, first_part)

        stopping = asyncio.create_task(server.stop())
        await until(lambda: refuses_connections(server), within=STOPS_WITHIN)
        writer.write(second_part)
        answer = await asyncio.wait_for(reader.read(), STOPS_WITHIN)
        await stopping
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
    assert answer.startswith(b"HTTP/1.1 201 ")

    async with running_api(Settings(data_dir=data_dir)) as client:
        listed = await client.get(f"{API}/user-profiles/{ada.id}/workspaces", headers=ada.headers)
        assert [each["name"] for each in listed.json()["items"]] == ["Thesis"]
