"""A failover loses a write that a replica has: nobody reads it any more."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from scripts.support.database_clusters import (
    Cluster,
    a_primary_and_its_standby,
    replica_url_of,
    url_of,
)
from scripts.support.polling import until
from tests.server.replicas.service import answered, settings_of, until_used
from tests.support.api import User, sign_up
from tests.support.server import running_server

pytestmark = [pytest.mark.long, pytest.mark.xdist_group("replicas")]

JUDGED_WITHIN = 15.0  # seconds, in which the heartbeat shows that the replica is left behind
PAUSE = 0.05  # seconds between two reads
IS_RECEIVING = "SELECT count(*) FROM pg_stat_wal_receiver"


@asynccontextmanager
async def three_clusters() -> AsyncGenerator[tuple[Cluster, Cluster, Cluster]]:
    """A primary, the standby for a failover, and a replica. Commits wait for none of them."""
    async with a_primary_and_its_standby() as (primary, standby):
        await primary.replicate_to(standby, synchronously=False)
        replica = Cluster("c", primary.data.parent / "c")
        try:
            await replica.copy(primary)
            await replica.start()
            await primary.replicate_to(replica, synchronously=False)
            yield primary, standby, replica
        finally:
            replica.kill()


async def cut_off(standby: Cluster) -> None:
    """Let a standby receive nothing more."""
    await standby.run("ALTER SYSTEM SET primary_conninfo = 'host=127.0.0.1 port=1'")
    await standby.run("SELECT pg_reload_conf()")

    async def receives_nothing() -> bool:
        return await standby.run(IS_RECEIVING) == 0

    await until(receives_nothing)


async def number(user: User, path: str) -> int:
    """Read the number again until the service answers."""
    while True:
        answer = await user.get(path)
        if answer.status_code == 200:
            return answer.json()["metadata"]["n"]
        assert answer.status_code == 503, answer.text
        await asyncio.sleep(PAUSE)


async def read_by_replica(client: httpx.AsyncClient, user: User, path: str, expected: int) -> None:
    """Read until the replica has answered."""
    before = await answered(client, "replica")

    async def has_answered() -> bool:
        assert await number(user, path) == expected
        return await answered(client, "replica") > before

    await until(has_answered)


@pytest.mark.parametrize("kind", ["access token", "API token"])
async def test_a_write_that_a_failover_lost_is_not_read_from_a_replica_that_has_it(
    kind: str, tmp_path: Path
) -> None:
    async with three_clusters() as (primary, standby, replica):
        settings = settings_of(primary, replica) | {
            "DATABASE_URL": url_of(primary, standby),
            "DATABASE_REPLICA_URL": replica_url_of(replica),
        }
        async with (
            running_server(tmp_path / "service", **settings) as server,
            server.client() as client,
        ):
            await until_used(client)
            ada = await sign_up(client, "ada")
            repo = await ada.repo((await ada.workspace())["id"], metadata={"n": 0})
            if kind == "API token":
                ada = replace(ada, token=(await ada.api_token("read", "write"))["token"])
            path = f"/repos/{repo['id']}"
            assert (await ada.patch(path, {"metadata": {"n": 1}})).status_code == 200
            await read_by_replica(client, ada, path, 1)
            await standby.run("SELECT 1")
            await cut_off(standby)

            # Acknowledged, on the replica, and not on the server that becomes the primary.
            assert (await ada.patch(path, {"metadata": {"n": 2}})).status_code == 200
            await primary.replicate_to(replica, synchronously=False)
            primary.kill()
            await standby.promote()

            seen = [await number(ada, path)]
            loop = asyncio.get_running_loop()
            end = loop.time() + JUDGED_WITHIN
            while loop.time() < end:
                await asyncio.sleep(PAUSE)
                seen.append(await number(ada, path))
            assert set(seen) == {1}, f"{seen.count(2)} of {len(seen)} reads had the lost write"

            # The replica is used again when it follows the new primary.
            await replica.copy(standby)
            await replica.start()
            await until_used(client)
            assert (await ada.patch(path, {"metadata": {"n": 3}})).status_code == 200
            await read_by_replica(client, ada, path, 3)
