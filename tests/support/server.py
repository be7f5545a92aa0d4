"""The real `symphony serve`, in separate processes."""

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from scripts.support.namespaces import inside
from scripts.support.polling import until
from tests.support import processes

SYMPHONY = Path(sys.executable).with_name("symphony")
STARTS_WITHIN = 90  # seconds; eight servers may start at the same time on a busy machine
STOPS_WITHIN = 8  # seconds


def environment(data_dir: Path, library: str = "", **settings: str) -> dict[str, str]:
    """The environment of a command; settings are named without their prefix.

    `library` is a directory with the package of another release.
    """
    given = {f"SYMPHONY_{name}": value for name, value in settings.items()}
    if library:
        given["PYTHONPATH"] = library
    return {**os.environ, "SYMPHONY_DATA_DIR": str(data_dir), **given}


@dataclass(frozen=True, slots=True)
class Server:
    """A running `symphony serve`."""

    process: Process
    address: str
    greeting: tuple[str, ...]
    """The lines printed at the start."""
    log: Path

    @property
    def port(self) -> int:
        return int(self.address.rpartition(":")[2])

    def workers(self) -> list[int]:
        """The process ids of the workers, if there are several."""
        return [
            child.pid
            for child in processes.children(self.process.pid)
            if any("spawn_main" in word for word in processes.command_line(child))
        ]

    def client(self) -> httpx.AsyncClient:
        """A client with up to 100 connections."""
        return httpx.AsyncClient(
            base_url=self.address, limits=httpx.Limits(max_connections=100), timeout=60
        )

    async def line_with(self, beginning: str) -> str:
        """The next printed line that starts with `beginning`."""
        assert self.process.stdout is not None
        async with asyncio.timeout(10):
            while line := (await self.process.stdout.readline()).decode():
                if line.startswith(beginning):
                    return line.strip()
        raise AssertionError(_ended(self.log))

    async def stop(self, number: signal.Signals = signal.SIGTERM, *, group: bool = False) -> int:
        """Send a signal to the command, or to its process group as Ctrl-C does.

        Returns the exit status. Raises: TimeoutError.
        """
        send = os.killpg if group else os.kill
        send(self.process.pid, number)
        return await self.exit_status()

    async def exit_status(self) -> int:
        """Raises: TimeoutError."""
        async with asyncio.timeout(STOPS_WITHIN):
            return await self.process.wait()

    def log_entries(self) -> list[dict[str, Any]]:
        """The complete lines of a log in JSON."""
        complete = self.log.read_text().rpartition("\n")[0]
        return [json.loads(line) for line in complete.splitlines()]


@asynccontextmanager
async def running_server(
    data_dir: Path,
    *arguments: str,
    library: str = "",
    namespace: str = "",
    **settings: str,
) -> AsyncGenerator[Server]:
    """A server on a free port that is ready; at the end of the block it is killed.

    `library` is a directory with the package of another release, `namespace` the path of the
    network namespace in which it runs.
    """
    data_dir.parent.mkdir(parents=True, exist_ok=True)
    with (data_dir.parent / f"{data_dir.name}.{os.urandom(4).hex()}.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *inside(namespace),
            SYMPHONY,
            "serve",
            "--port",
            "0",
            *arguments,
            env=environment(data_dir, library, **settings),
            stdout=PIPE,
            stderr=log,
            start_new_session=True,  # so that its workers can be killed with it
        )
    try:
        async with asyncio.timeout(STARTS_WITHIN):
            greeting = await _greeting(process, Path(log.name))
            server = Server(process, greeting[0].split()[-1], greeting, Path(log.name))
            await _ready(server)
        yield server
    finally:
        await _end(process)


async def _greeting(process: Process, log: Path) -> tuple[str, ...]:
    assert process.stdout is not None
    lines: list[str] = []
    while not lines or not lines[-1].startswith("Next: "):
        line = (await process.stdout.readline()).decode()
        assert line, _ended(log)
        lines.append(line.strip())
    return tuple(lines)


async def _ready(server: Server) -> None:
    async def answers() -> bool:
        assert server.process.returncode is None, _ended(server.log)
        with suppress(httpx.TransportError):
            return (await client.get("/health/ready", timeout=5)).status_code == 200
        return False

    async with server.client() as client:
        await until(answers, STARTS_WITHIN)


def _ended(log: Path) -> str:
    return f"the server has stopped: {log.read_text()}"


async def _end(process: Process) -> None:
    """Kill a process and those that it started."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()
