"""The services that are measured, as processes: Symphony, and two to compare it with."""

import secrets
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import httpx
import psutil

from scripts.support.ports import free_port
from scripts.support.service_process import (
    PROGRAMS,
    SYMPHONY,
    NotReady,
    ServiceProcess,
    settings,
)
from symphony.domain.user_profiles import FIRST_GENERATION
from symphony.infrastructure.access_tokens import JwtAccessTokens
from symphony.infrastructure.derived_keys import derive_key

STOPS_WITHIN = 15  # seconds
_TOKENS_LAST = 86_400  # seconds
_UNLIMITED = "1000000000"

_TOP = Path(__file__).parents[1]

SECRET = secrets.token_hex(32)
KEY = derive_key(SECRET.encode(), "access tokens")


class Failed(Exception):
    """The figures would be meaningless: an answer is wrong, or a service does not run."""


def token(user_id: UUID) -> str:
    """An access token that all services accept."""
    return JwtAccessTokens(KEY, _TOKENS_LAST).issue(user_id, FIRST_GENERATION)


@dataclass(frozen=True, slots=True)
class Service:
    """A running service."""

    name: str
    started: ServiceProcess
    process: psutil.Process
    seconds_to_start: float

    @property
    def address(self) -> str:
        return self.started.address

    def memory(self) -> float:
        """Megabytes of resident memory of a process that answers requests, as the mean of all."""
        each = [worker.memory_info().rss / 2**20 for worker in self.processes()]
        return sum(each) / len(each)

    def processor_seconds(self) -> float:
        """Seconds of processor time that its processes have used so far."""
        used = [worker.cpu_times() for worker in self.processes()]
        return sum(each.user + each.system for each in used)

    def processes(self) -> list[psutil.Process]:
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
    database: str,
    folder: Path,
    *,
    workers: int = 1,
    name: str = "Symphony",
    git_root: Path | None = None,
    **others: str,
) -> AsyncGenerator[Service]:
    """`symphony serve` as operators run it, except for unlimited numbers of repos.

    `others` are further settings, named without their prefix.
    """
    port = free_port()
    roots = {"GIT_ROOTS": str(git_root)} if git_root else {}
    variables = settings(
        DATABASE_URL=database,
        DATA_DIR=str(folder),
        SECRET_KEY=SECRET,
        MAX_REPOS_PER_WORKSPACE=_UNLIMITED,
        **roots,
        **others,
    )
    command = [SYMPHONY, "serve", "--port", str(port), "--workers", str(workers)]
    async with _running(name, command, port, variables, folder) as service:
        yield service


@asynccontextmanager
async def by_uvicorn(
    name: str, module: str, database: str, folder: Path, *options: str, workers: int = 1
) -> AsyncGenerator[Service]:
    """The application `app` of a module in this package, run by uvicorn."""
    port = free_port()
    command = [
        *(PROGRAMS / "uvicorn", f"benchmarks.{module}:app", "--app-dir", _TOP),
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
    """A service from the moment it is ready until the end of the block. Raises: Failed."""
    start = time.monotonic()
    started = ServiceProcess.start(command, port, variables, folder / f"{name}.{port}.log")
    try:
        try:
            await started.ready()
        except NotReady as error:
            raise Failed(f"{name}: {error}:\n{started.log()}") from error
        seconds = time.monotonic() - start
        yield Service(name, started, psutil.Process(started.process.pid), seconds)
    finally:
        await started.stop(STOPS_WITHIN)
