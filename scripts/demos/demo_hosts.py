"""Several hosts: two processes, a replica that answers queries, and a primary that dies."""

import asyncio
import secrets
import tempfile
import time
from pathlib import Path

import httpx
from prometheus_client.parser import text_string_to_metric_families

from scripts.demos.support.demo_server import running_server
from scripts.demos.support.stage import Stage, perform
from scripts.demos.support.user import User, outcome, sign_up
from scripts.support.database_clusters import (
    Cluster,
    a_primary_and_its_standby,
    replica_url_of,
    url_of,
)

WRITES_AGAIN_WITHIN = 30.0  # seconds, on a busy machine; the long tests have the real limit
REPLICA_USED_WITHIN = 30.0
KEY = {"Idempotency-Key": "thesis"}


async def story(stage: Stage) -> None:
    async with a_primary_and_its_standby() as (primary, standby):
        settings = {
            "DATABASE_URL": url_of(primary, standby),
            "DATABASE_REPLICA_URL": replica_url_of(primary, standby),
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
            tour = Tour(stage, first, ada, User(second, ada.token), primary, standby)
            tour.two_processes()
            await tour.replica()
            await tour.failover()
            await tour.nothing_lost()
            await tour.new_standby()


class Tour:
    """Ada, who works through both processes, and the two servers of the database."""

    def __init__(
        self,
        stage: Stage,
        metrics: httpx.Client,
        ada: User,
        elsewhere: User,
        primary: Cluster,
        standby: Cluster,
    ) -> None:
        self._stage = stage
        self._metrics = metrics
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

    async def replica(self) -> None:
        self._stage.step("The standby answers queries, and Ada never misses what she has written")
        self._stage.text("SYMPHONY_DATABASE_REPLICA_URL=postgresql://db-a,db-b/symphony")
        before = self._answered_by_replica()
        deadline = time.monotonic() + REPLICA_USED_WITHIN
        while self._answered_by_replica() == before and time.monotonic() < deadline:
            self._ada.call("GET", self._path)
            await asyncio.sleep(0.05)
        self._stage.run(
            "curl -s …/metrics | grep symphony_queries",
            f'symphony_queries_total{{target="replica",…}} {self._answered_by_replica():.0f}',
        )
        self._stage.expect("a query was answered by the standby", self._answered_by_replica())
        await self._standby.run("SELECT pg_wal_replay_pause()")
        self._stage.say("The standby stops where it is, as under a long query. Ada writes:")
        self._stage.exchange(self._create(self._ada, "Teaching"), "name", "version")
        page = self._stage.exchange(
            self._elsewhere.call("GET", f"{self._path}?sort=-created_at&limit=1"), "items"
        )
        stored = await self._standby.run("SELECT count(*) FROM workspaces WHERE name = 'Teaching'")
        await self._standby.run("SELECT pg_wal_replay_resume()")
        self._stage.expect("the standby does not have it", stored == 0)
        found = [each["name"] for each in page.json()["items"]]
        self._stage.expect("the other process returns it at once", "Teaching" in found)
        self._stage.why(
            "a replica takes load off the primary, and nobody notices that it is behind: a query"
            " that needs more than it has is answered by the primary."
        )

    async def failover(self) -> None:
        self._stage.step("The primary dies, and its standby takes over")
        await asyncio.to_thread(self._primary.kill)
        self._stage.run("kill -9 … # every process of the primary", "")
        refused = self._stage.exchange(self._create(self._ada, "Thesis", KEY))
        self._stage.why(
            "no server accepts writes at this moment. The answer says when to try again."
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
        self._stage.expect(
            "both have what Ada was told", names == ["Research 2026", "Teaching", "Thesis"]
        )
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
        self._stage.expect("and the standby has them", stored == 4)
        self._stage.why("the next failure finds two servers again.")

    def _answered_by_replica(self) -> float:
        """How many queries of the first process a replica has answered."""
        text = self._metrics.get("/metrics").text
        return sum(
            sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name == "symphony_queries_total" and sample.labels["target"] == "replica"
        )

    def _create(
        self, user: User, name: str, headers: dict[str, str] | None = None
    ) -> httpx.Response:
        return user.call("POST", self._path, json={"name": name}, headers=headers or {})


if __name__ == "__main__":
    perform(story)
