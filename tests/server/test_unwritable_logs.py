"""A log that cannot be written stops no request, and does not delay the end of the service."""

import asyncio
import os
import pty
import signal
import socket
import subprocess
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import IO

import httpx
import pytest

from scripts.support.polling import until
from tests.support.metrics import scraped
from tests.support.server import STARTS_WITHIN, STOPS_WITHIN, SYMPHONY, environment

pytestmark = pytest.mark.long

DROPPED = "symphony_log_lines_dropped_total"
REQUESTS = 60


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


@asynccontextmanager
async def service(
    data_dir: Path, redirections: str, output: IO[bytes] | int | None, workers: int
) -> AsyncGenerator[tuple[httpx.AsyncClient, subprocess.Popen[bytes]]]:
    """A service whose streams a shell opens or closes."""
    port = free_port()
    serve = (str(SYMPHONY), "serve", "--port", str(port), "--workers", str(workers))
    process = subprocess.Popen(  # noqa: ASYNC220, S603 - our own command
        ["/bin/sh", "-c", f'exec "$0" "$@" {redirections}', *serve],
        env=environment(data_dir),
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        start_new_session=True,
    )
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:

            async def is_ready() -> bool:
                assert process.poll() is None
                with suppress(httpx.TransportError):
                    return (await client.get("/health/ready")).status_code == 200
                return False

            await until(is_ready, STARTS_WITHIN)
            yield client, process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


async def answers(client: httpx.AsyncClient, number: int = REQUESTS) -> None:
    for _ in range(number):
        assert (await client.get("/health/live")).status_code == 200


async def counts_dropped(client: httpx.AsyncClient, at_least: int = 1) -> None:
    """A thread writes the lines, after the requests that they describe."""

    async def are_counted() -> bool:
        return (await scraped(client)).value(DROPPED) >= at_least

    await until(are_counted)


async def stops(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    assert await asyncio.to_thread(process.wait, STOPS_WITHIN) == 0


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("redirections", ["> /dev/full 2>&1", "2>&-", ">&- 2>&-", "<&- >&- 2>&-"])
async def test_lines_that_cannot_be_written_are_counted(
    redirections: str, workers: int, tmp_path: Path
) -> None:
    async with service(tmp_path / "data", redirections, None, workers) as (client, process):
        await answers(client)
        await counts_dropped(client, REQUESTS)
        await stops(process)


@pytest.mark.parametrize("workers", [1, 2])
async def test_a_reader_of_the_log_may_end(workers: int, tmp_path: Path) -> None:
    reader, writer = os.pipe()
    async with service(tmp_path / "data", "", writer, workers) as (client, process):
        os.close(writer)
        os.close(reader)
        await answers(client)
        await counts_dropped(client)
        await stops(process)


@pytest.mark.parametrize("workers", [1, 2])
async def test_a_reader_of_the_log_may_pause(workers: int, tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    with suppress(BlockingIOError):
        while True:
            os.write(writer, b"x" * 1024 + b"\n")
    os.set_blocking(writer, True)
    async with service(tmp_path / "data", "", writer, workers) as (client, process):
        os.close(writer)
        await answers(client)
        await stops(process)
    os.close(reader)


async def test_the_terminal_of_the_log_may_be_closed(tmp_path: Path) -> None:
    terminal, log = pty.openpty()
    async with service(tmp_path / "data", "", log, 1) as (client, process):
        os.close(log)
        os.close(terminal)
        await answers(client)
        await counts_dropped(client)
        await stops(process)


@pytest.mark.parametrize("workers", [1, 2])
async def test_a_terminal_that_is_closed_stops_the_service(workers: int, tmp_path: Path) -> None:
    async with service(tmp_path / "data", "2> /dev/null", None, workers) as (_client, process):
        os.killpg(process.pid, signal.SIGHUP)
        assert await asyncio.to_thread(process.wait, STOPS_WITHIN) == 0


@pytest.mark.parametrize("workers", [1, 2])
async def test_nohup_keeps_the_service_running(workers: int, tmp_path: Path) -> None:
    ignored = "2> /dev/null"
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # inherited, as from nohup
    try:
        async with service(tmp_path / "data", ignored, None, workers) as (client, process):
            os.killpg(process.pid, signal.SIGHUP)
            await answers(client)
            await stops(process)
    finally:
        signal.signal(signal.SIGHUP, before)
