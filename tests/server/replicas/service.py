"""Processes of the service on a primary, with its standby as their replica."""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import httpx

from scripts.support.database_clusters import (
    Cluster,
    a_primary_and_its_standby,
    replica_url_of,
    url_of,
)
from scripts.support.polling import until
from tests.conftest import MASTER_KEY, SECRET
from tests.support.metrics import scraped
from tests.support.server import Server, running_server

USED_WITHIN = 30  # seconds


def settings_of(primary: Cluster, standby: Cluster) -> dict[str, str]:
    return {
        "DATABASE_URL": url_of(primary),
        "DATABASE_REPLICA_URL": replica_url_of(standby),
        "SECRET_KEY": SECRET,
        "MASTER_KEY": MASTER_KEY,
        "AUTO_MIGRATE": "true",
        "ACCESS_TOKEN_TTL": "86400",
        "LOG_FORMAT": "json",
    }


@asynccontextmanager
async def a_primary_and_its_replica() -> AsyncGenerator[tuple[Cluster, Cluster]]:
    """Two clusters; commits of the first one do not wait for the second one."""
    async with a_primary_and_its_standby() as (primary, standby):
        await primary.replicate_to(standby, synchronously=False)
        yield primary, standby


@asynccontextmanager
async def processes(
    folder: Path, primary: Cluster, standby: Cluster, count: int = 2
) -> AsyncGenerator[list[tuple[Server, httpx.AsyncClient]]]:
    """Separate processes that use the replica, each with a client."""
    async with AsyncExitStack() as stack:
        started: list[tuple[Server, httpx.AsyncClient]] = []
        for number in range(count):
            server = await stack.enter_async_context(
                running_server(folder / f"process{number}", **settings_of(primary, standby))
            )
            client = await stack.enter_async_context(server.client())
            started.append((server, client))
        for _, client in started:
            await until_used(client)
        yield started


async def is_used(client: httpx.AsyncClient) -> bool:
    return (await scraped(client)).value("symphony_replica_usable") == 1


async def until_used(client: httpx.AsyncClient, within: float = USED_WITHIN) -> None:
    async def used() -> bool:
        return await is_used(client)

    await until(used, within)


async def until_unused(client: httpx.AsyncClient, within: float = USED_WITHIN) -> None:
    async def unused() -> bool:
        return not await is_used(client)

    await until(unused, within)


async def answered(client: httpx.AsyncClient, target: str, **labels: str) -> float:
    """How many queries the replica or the primary has answered."""
    return (await scraped(client)).value("symphony_queries_total", target=target, **labels)


async def pause(standby: Cluster) -> None:
    """Stop the replay: what the primary commits from now on is not visible on the standby."""
    await standby.run("SELECT pg_wal_replay_pause()")

    async def is_paused() -> bool:
        return await standby.run("SELECT pg_get_wal_replay_pause_state()") == "paused"

    await until(is_paused, USED_WITHIN)


async def resume(standby: Cluster) -> None:
    await standby.run("SELECT pg_wal_replay_resume()")
