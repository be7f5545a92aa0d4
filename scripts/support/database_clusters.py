"""PostgreSQL clusters on the loopback interface: a primary and its streaming standby."""

import asyncio
import ctypes
import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import psutil

from scripts.support.namespaces import inside
from scripts.support.polling import until
from scripts.support.postgresql import PROGRAMS, system_user

HOST = "127.0.0.1"
USER = "postgres"
READY_WITHIN = 30  # seconds

_SETTINGS = {
    "unix_socket_directories": "",
    "dynamic_shared_memory_type": "mmap",  # nothing of it is left when the processes are killed
    "shared_buffers": "32MB",
    "wal_keep_size": "256MB",
    "wal_retrieve_retry_interval": "200ms",
}
_IS_CAUGHT_UP = """
    SELECT coalesce(bool_or(replay_lsn >= $2::text::pg_lsn AND sync_state = $3), false)
    FROM pg_stat_replication WHERE application_name = $1
"""


@dataclass(slots=True, eq=False)
class Cluster:
    """One PostgreSQL server with its data; `name` is also its name as a standby."""

    name: str
    data: Path
    host: str = HOST
    """The only address at which it listens."""
    namespace: str = ""
    """The path of the network namespace in which it runs; only root can enter one."""
    port: int = 0
    _process: "subprocess.Popen[bytes] | None" = field(default=None)

    def __post_init__(self) -> None:
        if not self.port:
            with socket.socket() as free:
                free.bind((HOST, 0))
                self.port = free.getsockname()[1]

    @property
    def place(self) -> str:
        return f"{self.host}:{self.port}"

    async def create(self) -> None:
        """Create an empty database cluster."""
        await self._run("initdb", "-A", "trust", "-U", USER, "-E", "UTF8", "--no-locale", "-N")

    async def copy(self, primary: "Cluster") -> None:
        """Become a standby of a primary, whatever was here before."""
        self._remove()
        connection = (
            f"host={primary.host} port={primary.port} user={USER} application_name={self.name}"
        )
        await self._run("pg_basebackup", "-d", connection, "-R", "-c", "fast", "-N")

    async def start(self) -> None:
        """Start the server, and wait until it accepts connections."""
        settings = {**_SETTINGS, "listen_addresses": self.host}
        options = [f"--{name}={value}" for name, value in settings.items()]
        # Only root can enter a namespace, so the user changes after that.
        user = system_user()
        as_user = ("setpriv", "--reuid", user) if user and self.namespace else ()
        command = [*inside(self.namespace), *as_user, PROGRAMS / "postgres", "-D", self.data]
        with (self.data.parent / f"{self.name}.log").open("ab") as log:
            self._process = subprocess.Popen(  # noqa: ASYNC220, S603 - it returns at once
                [*command, "-p", str(self.port), *options],
                user=None if as_user else user,
                cwd="/",
                stdout=log,
                stderr=log,
            )

        async def answers() -> bool:
            with suppress(OSError, asyncpg.PostgresError):
                await self.run("SELECT 1")
                return True
            return False

        await until(answers, READY_WITHIN)

    async def run(self, statement: str, *arguments: Any) -> Any:
        """Run a statement; the first value of its result."""
        connection = await self.connect()
        try:
            return await connection.fetchval(statement, *arguments)
        finally:
            connection.terminate()

    async def connect(self) -> "asyncpg.Connection[Any]":
        return await asyncpg.connect(
            host=self.host, port=self.port, user=USER, database=USER, ssl=False, timeout=10
        )

    async def replicate_to(self, standby: "Cluster", *, synchronously: bool = True) -> None:
        """Wait until a standby has everything; from now on commits wait for it."""
        names = standby.name if synchronously else ""
        await self.run(f"ALTER SYSTEM SET synchronous_standby_names = '{names}'")
        await self.run("SELECT pg_reload_conf()")
        position = await self.run("SELECT pg_current_wal_lsn()::text")
        state = "sync" if synchronously else "async"

        async def is_caught_up() -> bool:
            return await self.run(_IS_CAUGHT_UP, standby.name, position, state)

        await until(is_caught_up, READY_WITHIN)

    async def promote(self) -> None:
        """Make a standby a primary. Returns when it accepts writes."""
        assert await self.run("SELECT pg_promote(true, 30)")

    def kill(self) -> None:
        """Kill all processes at once, as a crash of the machine does."""
        self._signal(signal.SIGKILL)
        if self._process is not None:
            self._process.wait()
            self._process = None
            self._remove_shared_memory()

    def freeze(self) -> None:
        """Stop all processes: the kernel accepts connections, and nothing answers."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        if self._process is None:
            return
        with suppress(psutil.NoSuchProcess):
            parent = psutil.Process(self._process.pid)
            for process in (parent, *parent.children(recursive=True)):
                with suppress(psutil.NoSuchProcess):
                    process.send_signal(number)

    def _remove_shared_memory(self) -> None:
        """Remove the segment that a killed server leaves, by its id in `postmaster.pid`."""
        with suppress(OSError, IndexError, ValueError):
            identity = (self.data / "postmaster.pid").read_text().splitlines()[6].split()[1]
            ctypes.CDLL(None).shmctl(int(identity), 0, None)

    def _remove(self) -> None:
        self.kill()
        shutil.rmtree(self.data, ignore_errors=True)

    async def _run(self, program: str, *arguments: str) -> None:
        command = [PROGRAMS / program, "-D", self.data, *arguments]
        done = await asyncio.to_thread(
            subprocess.run,
            command,
            user=system_user(),
            cwd="/",
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr


def url_of(*clusters: Cluster) -> str:
    """The URL of a database on any of the clusters that accepts writes."""
    places = ",".join(each.place for each in clusters)
    return f"postgresql://{USER}@{places}/{USER}?target_session_attrs=read-write&sslmode=disable"


def replica_url_of(*clusters: Cluster) -> str:
    """The URL of the replicas, of which one may be the primary."""
    return url_of(*clusters).replace("target_session_attrs=read-write", "target_session_attrs=any")


@asynccontextmanager
async def a_primary_and_its_standby() -> AsyncGenerator[tuple[Cluster, Cluster]]:
    """Two clusters; commits of the first one wait for the second one."""
    with _folder() as folder:
        primary, standby = (Cluster(name, folder / name) for name in ("a", "b"))
        try:
            await primary.create()
            await primary.start()
            await standby.copy(primary)
            await standby.start()
            await primary.replicate_to(standby)
            yield primary, standby
        finally:
            for each in (primary, standby):
                each.kill()


@asynccontextmanager
async def a_cluster_at(host: str, network: str, namespace: str) -> AsyncGenerator[Cluster]:
    """One cluster at an address of another machine, for all hosts of a network."""
    with _folder() as folder:
        cluster = Cluster("c", folder / "c", host, namespace, 5432)
        try:
            await cluster.create()
            with (cluster.data / "pg_hba.conf").open("a") as rules:
                rules.write(f"host all all {network} trust\n")
            await cluster.start()
            yield cluster
        finally:
            cluster.kill()


@contextmanager
def _folder() -> Generator[Path]:
    """A directory of the servers' user, in memory where possible."""
    memory = "/dev/shm"  # noqa: S108 - a new directory is created in it
    parent = memory if os.access(memory, os.W_OK) else None
    folder = Path(tempfile.mkdtemp(prefix="symphony-ha-", dir=parent))
    try:
        user = system_user()
        if user is not None:
            shutil.chown(folder, user)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
