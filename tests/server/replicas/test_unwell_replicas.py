"""A replica that is away, hangs, lags or was promoted is left alone, and costs no request."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from scripts.support.polling import until
from tests.server.replicas.service import (
    USED_WITHIN,
    a_primary_and_its_replica,
    answered,
    pause,
    processes,
    resume,
    until_unused,
    until_used,
)
from tests.support.api import User, sign_up
from tests.support.metrics import scraped
from tests.support.server import Server

pytestmark = [pytest.mark.long, pytest.mark.xdist_group("replicas")]

READERS = 6
SLOWEST = 4.0  # seconds; a frozen replica costs a query about one
MAX_LAG = 10.0  # seconds


@dataclass(slots=True)
class Mix:
    """Users who read, and now and then write; every answer must be right."""

    users: list[tuple[User, str]]
    requests: int = 0
    slowest: float = 0.0
    stopped: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self, user: User, repo: str) -> None:
        number = 0
        while not self.stopped.is_set():
            number += 1
            write = await self._timed(user, "PATCH", repo, json={"metadata": {"n": number}})
            assert write.status_code == 200, write.text
            for _ in range(9):
                read = await self._timed(user, "GET", repo)
                assert read.status_code == 200, read.text
                assert read.json()["metadata"] == {"n": number}
                await asyncio.sleep(0.005)

    async def _timed(self, user: User, method: str, path: str, **options: object) -> httpx.Response:
        began = time.monotonic()
        answer = await user.request(method, path, **options)
        self.slowest = max(self.slowest, time.monotonic() - began)
        self.requests += 1
        return answer


@asynccontextmanager
async def reading_and_writing(client: httpx.AsyncClient, name: str) -> AsyncGenerator[Mix]:
    users: list[tuple[User, str]] = []
    for number in range(READERS):
        user = await sign_up(client, f"{name}{number}")
        repo = await user.repo((await user.workspace())["id"])
        users.append((user, f"/repos/{repo['id']}"))
    mix = Mix(users)
    async with asyncio.TaskGroup() as group:
        for each in users:
            group.create_task(mix.run(*each))
        try:
            yield mix
        finally:
            mix.stopped.set()


async def until_answering(client: httpx.AsyncClient) -> None:
    """Wait until the replica is used again, and answers."""
    await until_used(client)
    before = await answered(client, "replica")

    async def has_answered() -> bool:
        return await answered(client, "replica") >= before + 20

    await until(has_answered, USED_WITHIN)


def changes(server: Server) -> list[str]:
    """What the log says about the replica."""
    return [
        str(entry["event"])
        for entry in server.log_entries()
        if str(entry["event"]).startswith("the replica")
    ]


async def test_only_right_answers_while_a_replica_is_killed_frozen_behind_or_promoted(
    tmp_path: Path,
) -> None:
    async with (
        a_primary_and_its_replica() as (primary, standby),
        processes(tmp_path, primary, standby, 1) as ((server, client),),
        reading_and_writing(client, "ada") as mix,
    ):
        await until_answering(client)

        await asyncio.to_thread(standby.kill)
        await until_unused(client)
        assert (await client.get("/health/ready")).status_code == 200
        await standby.start()
        await until_answering(client)

        standby.freeze()
        await until_unused(client)
        await asyncio.sleep(1)
        standby.thaw()
        await until_answering(client)
        assert mix.slowest < SLOWEST

        await pause(standby)
        await until_unused(client)
        seen = await scraped(client)
        assert seen.value("symphony_replica_lag_seconds") > MAX_LAG
        assert seen.value("symphony_queries_total", target="primary", reason="behind") > 0
        await resume(standby)
        await until_answering(client)
        assert (await scraped(client)).value("symphony_replica_lag_seconds") < MAX_LAG

        await standby.promote()
        await until_unused(client)
        await standby.copy(primary)
        await standby.start()
        await until_answering(client)

        assert (await scraped(client)).value(
            "symphony_queries_total", target="primary", reason="unusable"
        ) > 0
        used = "the replica is used"
        reasons = [each.partition(": ")[2] for each in changes(server) if each != used]
        assert reasons[:3] == ["it does not answer", "it does not answer", "it is too far behind"]
        assert "it is not a standby" in reasons[3:]
        assert changes(server)[-1] == used


async def test_an_idle_primary_is_not_behind_itself_and_a_replica_that_was_cut_off_is(
    tmp_path: Path,
) -> None:
    async with (
        a_primary_and_its_replica() as (primary, standby),
        processes(tmp_path, primary, standby, 1) as ((_, client),),
    ):
        ada = await sign_up(client, "ada")
        async with asyncio.timeout(MAX_LAG + 3):
            await asyncio.sleep(MAX_LAG + 2)  # nothing but the heartbeat is written
        assert (await scraped(client)).value("symphony_replica_lag_seconds") < MAX_LAG / 2
        await until_used(client)
        before = await answered(client, "replica")
        assert (await ada.get("/user-profiles/me")).status_code == 200
        assert await answered(client, "replica") == before + 1

        await standby.run("ALTER SYSTEM SET primary_conninfo = 'host=127.0.0.1 port=1'")
        await standby.run("SELECT pg_reload_conf()")
        await until_unused(client)
        assert (await scraped(client)).value("symphony_replica_lag_seconds") > MAX_LAG
        assert (await ada.get("/user-profiles/me")).status_code == 200


async def test_a_replica_takes_nine_tenths_of_the_queries_of_a_mix_that_mostly_reads(
    tmp_path: Path,
) -> None:
    """One write in ten requests, and reads that follow it at once."""
    async with (
        a_primary_and_its_replica() as (primary, standby),
        processes(tmp_path, primary, standby, 1) as ((_, client),),
    ):
        async with reading_and_writing(client, "ada") as mix:

            async def has_requests() -> bool:
                return mix.requests >= 2000

            await until(has_requests, 60)
        by_replica, by_primary = [await answered(client, each) for each in ("replica", "primary")]
        share = by_replica / (by_replica + by_primary)
        print(f"the replica answered {share:.2%} of {by_replica + by_primary:,.0f} queries")  # noqa: T201
        assert share >= 0.9
