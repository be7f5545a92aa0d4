"""Several worker processes: they start, stop and fail as one service (see also test_metrics)."""

import asyncio
import signal
import time
from pathlib import Path

import pytest

from scripts.support.polling import until
from tests.support.metrics import all_serve
from tests.support.processes import has_ended
from tests.support.server import STARTS_WITHIN, SYMPHONY, Server, environment, running_server

pytestmark = pytest.mark.long

# Python runs this before anything else. `multiprocessing` starts the workers, not the command.
FAILING_WORKER = """
import os, sys
if "--multiprocessing-fork" in sys.orig_argv:
    def fail(*_):
        raise RuntimeError("no processors")
    os.cpu_count = os.sched_getaffinity = fail
"""


async def serving(server: Server, number: int) -> list[int]:
    """The process ids of the workers, when all of them serve."""
    async with server.client() as client:
        await until(lambda: all_serve(client, number), STARTS_WITHIN)
    return server.workers()


async def all_have_ended(workers: list[int]) -> bool:
    return all(has_ended(pid) for pid in workers)


async def test_ctrl_c_stops_idle_workers_promptly_and_silently(tmp_path: Path) -> None:
    async with running_server(tmp_path / "data", "--workers", "2") as server:
        workers = await serving(server, 2)
        start = time.perf_counter()
        assert await server.stop(signal.SIGINT, group=True) == 0
        assert time.perf_counter() - start < 3
        assert all(has_ended(pid) for pid in workers)
        assert "Traceback" not in server.log.read_text()


async def test_workers_stop_when_the_command_was_killed_and_a_restart_gets_the_port(
    tmp_path: Path,
) -> None:
    async with running_server(tmp_path / "data", "--workers", "2") as killed:
        workers = await serving(killed, 2)
        killed.process.kill()
        port = str(killed.port)
        async with (
            running_server(tmp_path / "data", "--workers", "2", "--port", port) as restarted,
            restarted.client() as client,
        ):
            assert restarted.address == killed.address
            assert (await client.get("/health/ready")).status_code == 200
            await until(lambda: all_have_ended(workers))


async def test_workers_that_cannot_start_end_the_command_with_status_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sitecustomize.py").write_text(FAILING_WORKER)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    process = await asyncio.create_subprocess_exec(
        *(SYMPHONY, "serve", "--port", "0", "--workers", "2"),
        env=environment(tmp_path / "data"),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(STARTS_WITHIN):
        _, errors = await process.communicate()
    assert process.returncode == 1
    assert "no processors" in errors.decode()
