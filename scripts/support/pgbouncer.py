"""A real pgbouncer in front of a PostgreSQL server, with the recipe of docs/production.md."""

import asyncio
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import AsyncGenerator
from configparser import ConfigParser
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg
import psutil
from sqlalchemy.engine import make_url

from scripts.support.polling import until
from scripts.support.ports import free_port

# Debian has it where only root looks for programs.
PGBOUNCER = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")
HOST = "127.0.0.1"
USER = "postgres"
_DOCUMENT = Path(__file__).parents[2] / "docs" / "production.md"
_PASSWORD = "of pgbouncer"
_STOPS_WITHIN = 10  # seconds
_READY_WITHIN = 20  # seconds
# pgbouncer refuses to run as root; the server's package has created this user.
_SYSTEM_USER = "pgserver" if os.geteuid() == 0 else None


def without_named_statements() -> dict[str, str]:
    """The settings with which a named statement stays with one connection of the server.

    Before 1.21 it always does. From 1.24 on pgbouncer gives it to the others too, unless told so.
    """
    assert PGBOUNCER is not None, "pgbouncer is not on the path: apt-get install pgbouncer"
    answer = subprocess.run([PGBOUNCER, "--version"], capture_output=True, text=True, check=True)  # noqa: S603
    version = answer.stdout.split()[1].split(".")  # PgBouncer 1.24.1
    return {"max_prepared_statements": "0"} if tuple(map(int, version[:2])) >= (1, 21) else {}


@dataclass(slots=True, eq=False)
class Pgbouncer:
    """One pgbouncer, which can be stopped and started again at the same port."""

    folder: Path
    port: int = field(default_factory=free_port)
    _process: "subprocess.Popen[bytes] | None" = field(default=None)

    def url(self, database: str) -> str:
        """The URL of a database of the server behind it."""
        password = _PASSWORD.replace(" ", "%20")
        return f"postgresql://{USER}:{password}@{HOST}:{self.port}/{database}?sslmode=disable"

    def configure(self, server: str, **settings: str | int) -> None:
        """Write the recipe for a server, given by the URL of one of its databases."""
        url = make_url(server)
        place = {"host": url.host or url.query["host"], "port": url.port or 5432}
        recipe = ConfigParser(interpolation=None)
        recipe.read_string(_recipe())
        recipe["databases"] = {"*": " ".join(f"{name}={each}" for name, each in place.items())}
        own = {
            "listen_addr": HOST,
            "listen_port": self.port,
            "unix_socket_dir": "",
            "auth_file": self.folder / "userlist.txt",
            "admin_users": USER,
            "logfile": self.folder / "pgbouncer.log",
        }
        recipe["pgbouncer"].update({name: str(each) for name, each in {**own, **settings}.items()})
        (self.folder / "userlist.txt").write_text(f'"{USER}" "{_PASSWORD}"\n')
        with (self.folder / "pgbouncer.ini").open("w") as file:
            recipe.write(file)

    async def start(self) -> None:
        """Start it, and wait until it accepts connections."""
        assert PGBOUNCER is not None, "pgbouncer is not on the path: apt-get install pgbouncer"
        process = subprocess.Popen(  # noqa: ASYNC220, S603 - it returns at once
            [PGBOUNCER, "-q", self.folder / "pgbouncer.ini"],
            user=_SYSTEM_USER,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,  # it has a file as well
        )
        self._process = process

        async def listens() -> bool:
            assert process.poll() is None, self.log
            with suppress(OSError):
                _, writer = await asyncio.open_connection(HOST, self.port)
                writer.close()
                await writer.wait_closed()
                return True
            return False

        await until(listens, _READY_WITHIN)

    def stop(self, number: signal.Signals = signal.SIGQUIT) -> None:
        """Stop it at once, with all connections: SIGTERM waits for its clients, since 1.23."""
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(_STOPS_WITHIN)
            self._process = None

    def remove(self) -> None:
        """Stop it, and remove its files."""
        self.stop(signal.SIGKILL)
        shutil.rmtree(self.folder, ignore_errors=True)

    async def forget(self, database: str) -> None:
        """Close all connections to a database, which accepts new ones afterwards."""
        console = await asyncpg.connect(self.url("pgbouncer"), statement_cache_size=0)
        try:
            for command in ("KILL", "RESUME"):
                await console.execute(f'{command} "{database}"')
        finally:
            console.terminate()

    def processor_seconds(self) -> float:
        """Seconds of processor time that it has used since its start."""
        assert self._process is not None
        used = psutil.Process(self._process.pid).cpu_times()
        return used.user + used.system

    @property
    def log(self) -> str:
        return (self.folder / "pgbouncer.log").read_text()


def _recipe() -> str:
    """The only configuration of pgbouncer in the document."""
    _, _, after = _DOCUMENT.read_text("utf-8").partition("```ini\n[databases]\n")
    return f"[databases]\n{after.partition('```')[0]}"


def new_pgbouncer(server: str, **settings: str | int) -> Pgbouncer:
    """A pgbouncer with the recipe, for every database of a server; it is not started yet."""
    folder = Path(tempfile.mkdtemp(prefix="symphony-pgbouncer-"))
    if _SYSTEM_USER is not None:
        shutil.chown(folder, _SYSTEM_USER)
    pgbouncer = Pgbouncer(folder)
    pgbouncer.configure(server, **settings)
    return pgbouncer


@asynccontextmanager
async def running_pgbouncer(server: str, **settings: str | int) -> AsyncGenerator[Pgbouncer]:
    """Run pgbouncer in front of a server; at the end, nothing of it is left."""
    pgbouncer = new_pgbouncer(server, **settings)
    try:
        await pgbouncer.start()
        yield pgbouncer
    finally:
        pgbouncer.remove()
