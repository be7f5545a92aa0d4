"""Several hosts: two processes on one database, whose primary dies while Ada works."""

import asyncio
import secrets
import tempfile
import time
from pathlib import Path

import httpx

from scripts.demos.support.demo_server import running_server
from scripts.demos.support.stage import Stage, perform
from scripts.demos.support.user import User, outcome, sign_up
from scripts.support.database_clusters import Cluster, a_primary_and_its_standby, url_of

WRITES_AGAIN_WITHIN = 30.0  # seconds, on a busy machine; the long tests have the real limit
KEY = {"Idempotency-Key": "thesis"}


async def story(stage: Stage) -> None:
    async with a_primary_and_its_standby() as (primary, standby):
        settings = {
            "DATABASE_URL": url_of(primary, standby),
            "SECRET_KEY": secrets.token_hex(32),
            "MASTER_KEY": secrets.token_urlsafe(32),
            "AUTO_MIGRATE": "true",
        }
        with (
            tempfile.TemporaryDirectory(prefix="symphony-demo-") as folder,
            running_server(data=Path(folder, "one"), **settings) as one,
            running_server(data=Path(folder, "two"), **settings) as two,
            one.client() as first,
            two.client() as second,
        ):
            ada = sign_up(first, "ada")
            tour = Tour(stage, ada, User(second, ada.token), primary, standby)
            tour.two_processes()
            await tour.failover()
            await tour.nothing_lost()
            await tour.new_standby()


class Tour:
    """Ada, who works through both processes, and the two servers of the database."""

    def __init__(
        self, stage: Stage, ada: User, elsewhere: User, primary: Cluster, standby: Cluster
    ) -> None:
        self._stage = stage
        self._ada = ada
        self._elsewhere = elsewhere
        self._primary = primary
        self._standby = standby
        self._path = f"/user-profiles/{ada.id}/workspaces"

    def two_processes(self) -> None:
        self._stage.step("Two processes, on two machines, share nothing but the database")
        self._stage.text(
            "SYMPHONY_DATABASE_URL=\n"
            "  postgresql://db-a,db-b/symphony?target_session_attrs=read-write"
        )
        created = self._stage.exchange(self._create(self._ada, "Research"), "id", "name", "version")
        path = f"/workspaces/{created.json()['id']}"
        changed = self._elsewhere.call("PATCH", path, json={"name": "Research 2026"})
        self._stage.say("The other process changes it, with the same token:")
        self._stage.exchange(changed, "id", "name", "version")
        read = self._ada.call("GET", path)
        self._stage.expect("the first one reads the change", read.json() == changed.json())
        self._stage.expect("with the same ETag", read.headers["ETag"] == changed.headers["ETag"])
        self._stage.why(
            "a proxy may send each request to any machine, so one more machine is one more line in"
            " its configuration."
        )

    async def failover(self) -> None:
        self._stage.step("The primary dies, and its standby takes over")
        await asyncio.to_thread(self._primary.kill)
        self._stage.run("kill -9 … # every process of the primary", "")
        refused = self._stage.exchange(self._create(self._ada, "Thesis", KEY))
        self._stage.why(
            "nobody can know yet which server is right. A client is told to try again, and when."
        )
        self._stage.expect("a write is a 503", outcome(refused) == "503 service-unavailable")
        self._stage.expect("with the time to wait", int(refused.headers["Retry-After"]) >= 1)
        await self._standby.promote()
        self._stage.run("psql -h db-b -c 'SELECT pg_promote()'", " t")
        promoted = time.monotonic()
        for name, user in (("first", self._ada), ("second", self._elsewhere)):
            answer = self._create(user, "Thesis", KEY)
            while answer.status_code == 503 and time.monotonic() < promoted + WRITES_AGAIN_WITHIN:
                await asyncio.sleep(0.05)
                answer = self._create(user, "Thesis", KEY)
            self._stage.say(f"The same request, by the {name} process:")
            self._stage.exchange(answer, "name", "version")
            self._stage.expect(
                "it succeeds, without a restart",
                answer.status_code == 201,
                f"{time.monotonic() - promoted:.1f} s after the promotion",
            )
        self._stage.why(
            "each process finds the server that accepts writes by itself. The key makes the second"
            " request a repetition of the first one."
        )

    async def nothing_lost(self) -> None:
        self._stage.step("Nothing that was acknowledged is lost, and nothing exists twice")
        page = self._elsewhere.call("GET", f"{self._path}?sort=name").json()
        names = [each["name"] for each in page["items"]]
        rows = await self._standby.run("SELECT array_agg(name ORDER BY name) FROM workspaces")
        self._stage.table(
            "through the API", "in the new primary", rows=zip(names, rows, strict=True)
        )
        self._stage.expect("both have what Ada was told", names == ["Research 2026", "Thesis"])
        self._stage.why(
            "with synchronous replication, a write is acknowledged when both servers have it."
        )

    async def new_standby(self) -> None:
        self._stage.step("The old primary comes back as a standby of the new one")
        await self._primary.copy(self._standby)
        await self._primary.start()
        await self._standby.replicate_to(self._primary)
        self._stage.run("pg_basebackup -h db-b -R … && pg_ctl start", "server started")
        answer = self._create(self._ada, "Afterwards")
        self._stage.expect("writes go on", answer.status_code == 201)
        stored = await self._primary.run("SELECT count(*) FROM workspaces")
        self._stage.expect("and the standby has them", stored == 3)
        self._stage.why("the next failure finds two servers again.")

    def _create(
        self, user: User, name: str, headers: dict[str, str] | None = None
    ) -> httpx.Response:
        return user.call("POST", self._path, json={"name": name}, headers=headers or {})


if __name__ == "__main__":
    perform(story)
