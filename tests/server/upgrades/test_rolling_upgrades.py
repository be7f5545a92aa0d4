"""One release replaces another on one database, and back, while clients write and read."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from tests.support.api import sign_up
from tests.support.releases.load import Load, running_load
from tests.support.releases.releases import Release, former_release, next_release, this_release
from tests.support.server import Server

REQUESTS = 100
"""The number of answers in each phase, from each process that takes part."""

pytestmark = pytest.mark.long


@asynccontextmanager
async def readiness(server: Server) -> AsyncGenerator[set[int]]:
    """Collect the statuses of a process's probe in this block."""
    found = set[int]()

    async def probe() -> None:
        async with server.client() as client:
            while True:
                found.add((await client.get("/health/ready")).status_code)
                await asyncio.sleep(0.2)

    task = asyncio.create_task(probe())
    try:
        yield found
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def serve_beside(
    load: Load, old: httpx.AsyncClient, new: Release, folder: Path, url: str
) -> None:
    """Let a process of the new release take a part of the load, and stop it again."""
    async with new.process(folder, url) as server, server.client() as client:
        load.processes.append(client)
        for each in (old, client):
            await load.requests_through(each, REQUESTS)
        await load.leave(client)
        assert await server.stop() == 0


@pytest.mark.parametrize("pair", ["the former release and this one", "this release and the next"])
async def test_no_request_fails_and_no_write_is_lost_on_the_way_up_and_down_and_up(
    pair: str, empty_url: str, tmp_path: Path
) -> None:
    url = empty_url
    if pair == "this release and the next":
        old, new = this_release(), next_release(tmp_path / "next")
    else:
        old, new = former_release(tmp_path / "former"), this_release()
    settings = {"DATABASE_URL": url}
    assert await old.symphony(tmp_path, "db", "upgrade", **settings) == (
        f"The schema is at {old.head}.\n"
    )
    async with old.process(tmp_path, url) as server, server.client() as client:
        ada = await sign_up(client, "ada")
        async with readiness(server) as statuses, running_load(ada) as load:
            await load.requests_through(client, REQUESTS)
            for is_served_by_both in (True, False):
                upgraded = await new.symphony(tmp_path, "db", "upgrade", **settings)
                assert upgraded == f"The schema is at {new.head}.\n"
                await load.requests_through(client, REQUESTS)
                if is_served_by_both:
                    await serve_beside(load, client, new, tmp_path, url)
                await new.downgrade(tmp_path, url, old.head)
                await load.requests_through(client, REQUESTS)
        assert load.failures == []
    if old.accepts_newer_schemas:
        assert statuses == {200}
    print(f"{pair}: {load.requests.total()} requests, the slowest took {load.longest:.2f} s")  # noqa: T201
