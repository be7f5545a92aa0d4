"""Failures of the database: it fails over, migrates and loses connections beneath the service."""

import asyncio
import os
import secrets
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import httpx

from scripts.demos.support.demo_server import running_server
from scripts.demos.support.stage import Stage, perform
from scripts.demos.support.user import User, outcome, sign_up
from scripts.support.postgresql import running_postgres_server
from scripts.support.tcp_proxy import TcpProxy, running_proxy

READ_ONLY = "ALTER DATABASE postgres SET default_transaction_read_only = {}"
END_SESSIONS = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
)
MIGRATION = "ALTER TABLE workspaces ALTER COLUMN name TYPE varchar(300)"
MEMORY = Path("/dev/shm")  # noqa: S108 - a new directory is created in it


async def story(stage: Stage) -> None:
    with shared_folder() as folder, running_postgres_server(folder) as postgresql:
        async with running_proxy(postgresql.get_uri()) as proxy:
            # In a thread, so that the proxy goes on while a request waits.
            await asyncio.to_thread(show, stage, proxy, folder)


@contextmanager
def shared_folder() -> Generator[Path]:
    """A temporary folder, which another user can open: as root, PostgreSQL runs as one."""
    parent = MEMORY if os.access(MEMORY, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="symphony-demo-", dir=parent) as place:
        folder = Path(place)
        folder.chmod(0o755)
        yield folder


def show(stage: Stage, proxy: TcpProxy, folder: Path) -> None:
    settings = {
        "DATABASE_URL": proxy.url,
        "SECRET_KEY": secrets.token_hex(32),
        "MASTER_KEY": secrets.token_urlsafe(32),
        "AUTO_MIGRATE": "true",
    }
    with (
        running_server(data=folder / "data", **settings) as server,
        server.client() as client,
    ):
        tour = Tour(stage, client, proxy)
        tour.failover()
        tour.restart()
        tour.migration()
        tour.silence()
        tour.nothing_lost()


class Tour:
    """Ada, who goes on working, and the workspaces that the service has acknowledged."""

    def __init__(self, stage: Stage, client: httpx.Client, proxy: TcpProxy) -> None:
        self._stage = stage
        self._client = client
        self._proxy = proxy
        self._ada: User = sign_up(client, "ada")
        self._path = f"/user-profiles/{self._ada.id}/workspaces"
        self._acknowledged = set[str]()

    def failover(self) -> None:
        self._stage.step("The database becomes read-only: a failover, or a provider's full disk")
        self._create("Before")
        self._administrate(READ_ONLY.format("on"), END_SESSIONS)
        refused = self._stage.exchange(self._create("During"))
        self._stage.why(
            "nothing was stored, and a client knows that a retry makes sense. A 500 would say that"
            " the service has a bug."
        )
        self._stage.expect("a write is a 503", outcome(refused) == "503 service-unavailable")
        self._stage.expect("what is stored can still be read", self._read() == "200")
        self._stage.exchange(ready := self._ready())
        self._stage.why("a load balancer sends no requests here, and the operator reads why.")
        self._stage.expect("it is not ready", ready.status_code == 503)
        self._administrate(READ_ONLY.format("off"))
        self._stage.say("The database accepts writes again. The service is not restarted:")
        created = self._stage.exchange(self._create("After"), "name", "version")
        self._stage.why(
            "PostgreSQL's sessions remember that they are read-only, so the service replaces its"
            " connections, and runs the command again on a new one."
        )
        self._stage.expect("the first write succeeds", created.status_code == 201)
        self._stage.expect("it is ready", self._ready().status_code == 200)

    def restart(self) -> None:
        self._stage.step("The server closes all connections, as at a restart")
        self._administrate(END_SESSIONS)
        self._stage.expect("the next read succeeds", self._read() == "200")
        self._administrate(END_SESSIONS)
        answer = self._create("After the restart")
        self._stage.expect("the next write succeeds", answer.status_code == 201)
        self._stage.why("a restart of the database costs no request, unless one is in progress.")

    def migration(self) -> None:
        self._stage.step("A migration changes a column beneath the running service")
        self._administrate(MIGRATION)
        self._stage.run(f'psql -c "{MIGRATION}"', "ALTER TABLE")
        answer = self._create("After the migration")
        self._stage.expect("the next write succeeds", answer.status_code == 201)
        self._stage.expect("the next read succeeds", self._read() == "200")
        self._stage.why(
            "the service has prepared its statements, and PostgreSQL refuses plans whose result has"
            " changed. They are prepared again."
        )

    def silence(self) -> None:
        self._stage.step("A firewall forgets the connections: nothing arrives, not even an error")
        self._proxy.lose_connections()
        start = time.perf_counter()
        self._stage.exchange(ready := self._ready())
        self._stage.expect(
            f"the check of readiness finds it after {time.perf_counter() - start:.0f} s",
            ready.status_code == 503,
        )
        self._stage.why(
            "after the first connection without an answer, all of the same age are replaced. They"
            " would cost each of the next requests its whole time limit."
        )
        answer = self._create("After the silence")
        self._stage.expect("the next write succeeds", answer.status_code == 201)
        self._stage.expect("it is ready", self._ready().status_code == 200)

    def nothing_lost(self) -> None:
        self._stage.step("Everything that was acknowledged is stored, and nothing else")
        listed = self._ada.call("GET", self._path).json()["items"]
        names = {each["name"] for each in listed}
        self._stage.expect(", ".join(sorted(names)), names == self._acknowledged)

    def _create(self, name: str) -> httpx.Response:
        answer = self._ada.call("POST", self._path, json={"name": name})
        if answer.status_code == 201:
            self._acknowledged.add(name)
        return answer

    def _read(self) -> str:
        return outcome(self._ada.call("GET", self._path))

    def _ready(self) -> httpx.Response:
        return self._client.get("/health/ready")

    def _administrate(self, *statements: str) -> None:
        async def run() -> None:
            connection = await asyncpg.connect(self._proxy.server_url)
            try:
                await connection.execute("SET default_transaction_read_only = off")
                for each in statements:
                    await connection.execute(each)
            finally:
                await connection.close()

        asyncio.run(run())


if __name__ == "__main__":
    perform(story)
