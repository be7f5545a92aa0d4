"""The services that are measured, as processes: Symphony, and two to compare it with."""

import asyncio
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import httpx
import psutil

from symphony.infrastructure.access_tokens import JwtAccessTokens
from symphony.infrastructure.signing_key import derived

STARTS_WITHIN = 60  # seconds
ENDS_WITHIN = 15  # seconds
_PAUSE = 0.005  # seconds between two requests
_TOKENS_LAST = 86_400  # seconds
_UNLIMITED = "1000000000"
_LOG_CHARACTERS = 3000  # of the log of a service that has failed

_TOP = Path(__file__).parents[1]
_PROGRAMS = Path(sys.executable).parent

SECRET = secrets.token_hex(32)
KEY = derived(SECRET.encode(), "access tokens")


class Failed(Exception):
    """The figures would be meaningless: an answer is wrong, or a service does not run."""


def token(user_id: UUID) -> str:
    """An access token that all services accept."""
    return JwtAccessTokens(KEY, _TOKENS_LAST).issue(user_id)


@dataclass(frozen=True, slots=True)
class Service:
    """A running service."""

    name: str
    address: str
    process: psutil.Process
    seconds_to_start: float
    log: Path

    def memory(self) -> float:
        """Megabytes of resident memory of a process that answers requests, as the mean of all."""
        each = [worker.memory_info().rss / 2**20 for worker in self._workers()]
        return sum(each) / len(each)

    def processor_seconds(self) -> float:
        """Seconds of processor time that its processes have used so far."""
        used = [worker.cpu_times() for worker in self._workers()]
        return sum(each.user + each.system for each in used)

    def _workers(self) -> list[psutil.Process]:
        """The processes that answer requests."""
        started = [
            each for each in self.process.children() if "spawn_main" in " ".join(each.cmdline())
        ]
        return started or [self.process]

    def client(self, user_id: UUID) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            base_url=f"{self.address}/api/v1",
            headers={"Authorization": f"Bearer {token(user_id)}"},
            timeout=60,
        )


@asynccontextmanager
async def symphony(
    database: str, folder: Path, *, workers: int = 1, name: str = "Symphony"
) -> AsyncGenerator[Service]:
    """`symphony serve` as operators run it, except for unlimited numbers of repos."""
    port = _free_port()
    settings = {
        "DATABASE_URL": database,
        "DATA_DIR": str(folder),
        "SECRET_KEY": SECRET,
        "MAX_REPOS_PER_WORKSPACE": _UNLIMITED,
    }
    command = [_PROGRAMS / "symphony", "serve", "--port", str(port), "--workers", str(workers)]
    variables = {f"SYMPHONY_{key}": value for key, value in settings.items()}
    async with _running(name, command, port, variables, folder) as service:
        yield service


@asynccontextmanager
async def by_uvicorn(
    name: str, module: str, database: str, folder: Path, *options: str, workers: int = 1
) -> AsyncGenerator[Service]:
    """The application `app` of a module in this package, run by uvicorn."""
    port = _free_port()
    command = [
        *(_PROGRAMS / "uvicorn", f"benchmarks.{module}:app", "--app-dir", _TOP),
        *("--port", str(port), "--workers", str(workers), *options),
    ]
    variables = {
        "BENCHMARK_DATABASE": database,
        "BENCHMARK_KEY": KEY.hex(),
        "BENCHMARK_MAX_REPOS": _UNLIMITED,
    }
    async with _running(name, command, port, variables, folder) as service:
        yield service


@asynccontextmanager
async def handwritten(database: str, folder: Path, *, workers: int = 1) -> AsyncGenerator[Service]:
    """The handwritten service, without a log, since it is the lower bound of the work."""
    async with by_uvicorn(
        "handwritten", "handwritten", database, folder, "--no-access-log", workers=workers
    ) as service:
        yield service


@asynccontextmanager
async def textbook(database: str, folder: Path, *, workers: int = 1) -> AsyncGenerator[Service]:
    """The textbook service, with uvicorn's own log of requests, since Symphony logs them too."""
    async with by_uvicorn("textbook", "textbook", database, folder, workers=workers) as service:
        yield service


@asynccontextmanager
async def _running(
    name: str, command: list[str | Path], port: int, variables: dict[str, str], folder: Path
) -> AsyncGenerator[Service]:
    """A process from the moment it is ready; it ends with the block, and all it has started."""
    log = folder / f"{name}.{port}.log"
    start = time.monotonic()
    process = _started(command, variables, log)
    address = f"http://127.0.0.1:{port}"
    try:
        await _ready(process, address, log)
        seconds = time.monotonic() - start
        yield Service(name, address, psutil.Process(process.pid), seconds, log)
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        try:
            await asyncio.to_thread(process.wait, ENDS_WITHIN)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def _started(
    command: list[str | Path], variables: dict[str, str], log: Path
) -> "subprocess.Popen[bytes]":
    log.parent.mkdir(parents=True, exist_ok=True)
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("SYMPHONY_")}
    with log.open("wb") as opened:
        return subprocess.Popen(  # noqa: S603 - our own programs
            command,
            env=inherited | variables,
            stdin=subprocess.DEVNULL,
            stdout=opened,
            stderr=opened,
            start_new_session=True,  # so that its workers can be ended with it
        )


async def _ready(process: "subprocess.Popen[bytes]", address: str, log: Path) -> None:
    """Waits until it can serve. Raises: Failed."""
    deadline = time.monotonic() + STARTS_WITHIN
    async with httpx.AsyncClient(base_url=address, timeout=5) as client:
        while time.monotonic() < deadline:
            if process.poll() is not None:
                break
            with suppress(httpx.TransportError):
                if (await client.get("/health/ready")).status_code == 200:
                    return
            await asyncio.sleep(_PAUSE)
    raise Failed(f"a service does not start:\n{end_of(log)}")


def end_of(log: Path) -> str:
    """The last part of a log."""
    return log.read_text("utf-8", "replace")[-_LOG_CHARACTERS:]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
