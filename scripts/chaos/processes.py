"""The processes that are killed: the real server, and its PostgreSQL."""

import asyncio
import os
import random
import socket
import time
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path

import asyncpg
import psutil

from scripts.chaos.calls import Violation
from scripts.support.postgresql import PostgresServer, running_postgres_server
from scripts.support.service_process import SYMPHONY, NotReady, ServiceProcess, settings

STOPS_WITHIN = 10  # seconds after SIGKILL
_PAUSE = 0.02  # seconds between two checks
# Below the ports of outgoing connections, so that while the server is down no other program, and
# no connection of the writers to it, gets its port.
_PORTS = range(20_000, 30_000)


class Server:
    """`symphony serve` with two workers, always on the same port."""

    def __init__(self, folder: Path, **values: str) -> None:
        folder.mkdir()
        self._log = folder / "server.log"
        self._port = _free_port()
        self._variables = settings(**values, DATA_DIR=str(folder / "data"))
        if "PYTHONDONTWRITEBYTECODE" in os.environ:
            # Bytecode may not be written beside the sources, but a program that is started
            # hundreds of times should not be compiled each time.
            bytecode = folder.parent / "bytecode"
            self._variables |= {
                "PYTHONDONTWRITEBYTECODE": "",
                "PYTHONPYCACHEPREFIX": str(bytecode),
            }
        self._started: ServiceProcess | None = None
        self.slowest_start = 0.0
        """Seconds."""

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @property
    def log(self) -> str:
        """The last part of its log."""
        return self._started.log() if self._started else ""

    async def start(self) -> None:
        """Start it, and wait until it is ready. Raises: Violation when it is not ready in time."""
        start = time.monotonic()
        command = [SYMPHONY, "serve", "--workers", "2", "--port", str(self._port)]
        self._started = ServiceProcess.start(command, self._port, self._variables, self._log)
        await self.ready()
        self.slowest_start = max(self.slowest_start, time.monotonic() - start)

    async def ready(self) -> None:
        """Wait until it is ready. Raises: Violation when it stops, or is not ready in time."""
        if self._started is None:
            raise Violation("the server has not been started")
        try:
            await self._started.ready()
        except NotReady as error:
            raise Violation(str(error)) from error

    async def kill(self) -> None:
        """Send SIGKILL to it and its workers. Raises: Violation when they survive it."""
        if self._started is None:
            return
        self._started.kill()
        self._started.process.wait(STOPS_WITHIN)
        self._started = None

        async def is_gone() -> bool:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", self._port)
            except OSError:
                return True
            writer.close()
            return False

        await _until("the server's workers are gone", is_gone, STOPS_WITHIN)


class PostgreSQL:
    """A PostgreSQL server of its own, with the default durability."""

    def __init__(self, server: PostgresServer) -> None:
        self._server = server

    @property
    def address(self) -> str:
        return self._server.get_uri()

    async def stop(self) -> None:
        """`pg_ctl stop -m fast`: rolls open transactions back and closes all connections."""
        await _uninterrupted(self._server.stop)

    async def kill(self) -> None:
        """Send SIGKILL to the server and all of its processes. Raises: Violation."""
        postmaster = psutil.Process(self._server.get_pid())
        # The parent first, so that it can neither tidy up nor start others.
        processes = [postmaster, *postmaster.children(recursive=True)]
        for each in processes:
            with suppress(psutil.NoSuchProcess):
                each.kill()
        _, alive = await asyncio.to_thread(psutil.wait_procs, processes, STOPS_WITHIN)
        if alive:
            raise Violation(f"PostgreSQL survives SIGKILL: {alive}")

    async def start(self) -> None:
        """Start it again; after a kill it replays its log before it accepts connections."""
        await _uninterrupted(self._server.start)

    async def drop_clients(self) -> None:
        """Wait until it has noticed that its clients were killed.

        A COMMIT of a killed client may still be running.
        """
        connection = await asyncpg.connect(self.address)

        async def is_alone() -> bool:
            return not await connection.fetchval(
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
            )

        try:
            await _until("PostgreSQL has dropped its clients", is_alone, STOPS_WITHIN)
        finally:
            await connection.close()


@contextmanager
def running_postgresql(folder: Path) -> Generator[PostgreSQL]:
    """Run a new server with its data in a folder; the block removes both."""
    with running_postgres_server(folder) as server:
        yield PostgreSQL(server)


async def _uninterrupted(work: Callable[[], None]) -> None:
    """Run it in a thread, and wait for it even when cancelled: half done it cannot be undone."""
    running = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        await asyncio.shield(running)
    finally:
        await running


def _free_port() -> int:
    for port in random.sample(_PORTS, len(_PORTS)):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise OSError("no port is free")


async def _until(what: str, happened: Callable[[], Awaitable[bool]], within: float) -> None:
    """Wait for a condition. Raises: Violation when it does not hold in time."""
    deadline = time.monotonic() + within
    while not await happened():
        if time.monotonic() > deadline:
            raise Violation(f"waited {within} s until {what}")
        await asyncio.sleep(_PAUSE)
