"""A primary fails, its standby is promoted, and the service goes on without a restart.

`just failover 20` runs 20 failovers and prints their figures.
"""

import asyncio
import json
import os
import random
import time
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from scripts.support.database_clusters import Cluster, a_primary_and_its_standby, url_of
from tests.conftest import SECRET
from tests.server.hosts.load import UNKNOWN, Load, running
from tests.support.api import code, sign_up
from tests.support.server import Server, running_server

pytestmark = [pytest.mark.long, pytest.mark.xdist_group("failover")]

ROUNDS = int(os.environ.get("FAILOVERS", "2"))
WRITES_AGAIN_WITHIN = {"killed": 3.0, "frozen": 6.0}  # seconds after the promotion
NOTICED_WITHIN = (0.3, 4.0)  # seconds until the standby is promoted; answers in flight have arrived
ANSWERED_WITHIN = 6.0  # seconds
UNFENCED = 2.0  # seconds
REPLAYED = 20  # of the last acknowledged keys
END_SESSIONS = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'symphony'
"""
WRITES = 80  # before and after each failover


@asynccontextmanager
async def service(
    folder: Path, *clusters: Cluster, workers: int = 1
) -> AsyncGenerator[tuple[Server, Load]]:
    """The service, and a user with a workspace."""
    settings = {
        "DATABASE_URL": url_of(*clusters),
        "SECRET_KEY": SECRET,
        "AUTO_MIGRATE": "true",
        "MAX_REPOS_PER_WORKSPACE": "1000000",
        "ACCESS_TOKEN_TTL": "86400",
        "LOG_FORMAT": "json",
    }
    async with (
        running_server(folder / "service", "--workers", str(workers), **settings) as server,
        server.client() as client,
    ):
        ada = await sign_up(client, "ada")
        yield server, Load(ada, (await ada.workspace())["id"])


async def require_all(load: Load, primary: Cluster, names: list[str]) -> None:
    """Check that a primary has all that was acknowledged, and that the keys replay it."""
    connection = await primary.connect()
    rows = await connection.fetch("SELECT name, id::text, metadata::text FROM repos")
    connection.terminate()
    stored = {name: repo_id for name, repo_id, _ in rows}
    assert {name: stored.get(name) for name in load.acknowledged} == load.acknowledged
    assert stored.keys() == load.acknowledged.keys()  # none was created twice, or by no request
    counted = {repo_id: json.loads(metadata).get("n") for _, repo_id, metadata in rows}
    assert {each: counted.get(each) for each in load.counters} == load.counters
    for name in names:
        assert (await load.create(name))["id"] == stored[name]


def report(number: int, fault: str, load: Load, again: float, since_promotion: float) -> None:
    answers = ", ".join(f"{each} {count}" for each, count in sorted(load.answers.items()))
    print(  # noqa: T201 - the figures that `just failover` is for
        f"failover {number}, {fault}: writes again {again:.2f} s after the failure,"
        f" {since_promotion:.2f} s after the promotion; slowest answer {load.slowest:.2f} s;"
        f" {len(load.acknowledged):,} repos acknowledged, none lost; {answers}",
        flush=True,
    )


async def fail_over(load: Load, fault: str, primary: Cluster, standby: Cluster) -> list[float]:
    """Fail the primary and promote its standby while clients write; return the figures."""
    async with running(load):
        await load.wait_for_writes(WRITES)
        await asyncio.to_thread(primary.kill if fault == "killed" else primary.freeze)
        failed = time.monotonic()
        await asyncio.sleep(random.uniform(*NOTICED_WITHIN))  # noqa: S311 - not a secret
        promoting = time.monotonic()
        await standby.promote()
        promoted = time.monotonic()
        await load.wait_for_writes(WRITES)
        first = load.first_after(promoting)
    return [first - failed, max(first - promoted, 0)]


async def test_a_failover_costs_503s_and_no_acknowledged_write(tmp_path: Path) -> None:
    faults = [("killed", "frozen")[number % 2] for number in range(ROUNDS)]
    async with (
        a_primary_and_its_standby() as clusters,
        service(tmp_path, *clusters, workers=2) as (server, load),
    ):
        primary, standby = clusters
        for number, fault in enumerate(faults, 1):
            before = list(load.acknowledged)
            load.answers, load.slowest = Counter(), 0.0
            again, since_promotion = await fail_over(load, fault, primary, standby)
            await asyncio.to_thread(primary.kill)
            recent = [each for each in load.acknowledged if each not in set(before)]
            await require_all(load, standby, recent)
            report(number, fault, load, again, since_promotion)
            assert since_promotion < WRITES_AGAIN_WITHIN[fault]
            primary, standby = standby, primary
            await standby.copy(primary)
            await standby.start()
            await primary.replicate_to(standby)
        async with server.client() as client:
            assert (await client.get("/health/ready")).status_code == 200


async def test_a_commit_without_its_standby_is_neither_acknowledged_nor_failed(
    tmp_path: Path,
) -> None:
    """Its outcome is unknown: it becomes visible, and is acknowledged, once the standby has it."""
    async with (
        a_primary_and_its_standby() as (primary, standby),
        service(tmp_path, primary, standby) as (_, load),
    ):
        ada, body = load.user, {"name": "engine", "path": "~/engine"}
        path, headers = f"{load.path}/repos", {"Idempotency-Key": "a"}
        await asyncio.to_thread(standby.kill)
        for attempt in range(3):
            started = time.monotonic()
            answer = await ada.post(path, body, headers=headers)
            assert code(answer) == "503 service-unavailable"
            assert time.monotonic() - started < ANSWERED_WITHIN
            # The others wait for the transaction of the first one, in vain.
            assert (UNKNOWN in answer.json()["detail"]) is (attempt == 0)
        assert await primary.run("SELECT count(*) FROM repos") == 0
        await standby.start()
        answer = await ada.post(path, body, headers=headers)
        assert answer.status_code == 201
        assert answer.headers["Idempotency-Replayed"] == "true"
        assert await primary.run("SELECT array_agg(name) FROM repos") == ["engine"]


async def test_an_old_primary_that_returns_acknowledges_nothing_and_is_not_used_as_a_standby(
    tmp_path: Path,
) -> None:
    async with (
        a_primary_and_its_standby() as (old, new),
        service(tmp_path, old, new) as (_, load),
    ):
        async with running(load):
            await load.wait_for_writes(WRITES)
            await asyncio.to_thread(old.freeze)
            await new.promote()
            await load.wait_for_writes(WRITES)
            # It accepts writes, as the new one does. Its standby is gone, so no COMMIT is answered.
            load.may_be_stale = True
            await asyncio.to_thread(old.thaw)
            assert not await old.run("SELECT pg_is_in_recovery()")
            await asyncio.sleep(UNFENCED)
            await asyncio.to_thread(old.kill)  # only the operator can fence it
            await load.wait_for_writes(WRITES)
            load.may_be_stale = False
        await require_all(load, new, list(load.acknowledged)[-REPLAYED:])

        await old.copy(new)
        await old.start()
        await new.replicate_to(old)
        # The service opens all connections anew, and the old primary is the first host of its URL.
        await new.run(END_SESSIONS)
        load.answers.clear()
        async with running(load):
            await load.wait_for_writes(WRITES)
        assert not [each for each in load.answers if "unavailable" in each]
        await require_all(load, new, list(load.acknowledged)[-REPLAYED:])
