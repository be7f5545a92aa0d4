"""Metrics are summed over all processes."""

import asyncio
import os
import signal
from pathlib import Path

import pytest

from scripts.support.polling import until
from tests.support.api import sign_up
from tests.support.metrics import Samples, all_serve, scraped
from tests.support.server import STARTS_WITHIN, running_server

pytestmark = pytest.mark.long

ROUTE = "/api/v1/user-profiles/me"


def answered(samples: Samples) -> float:
    return samples.value("symphony_http_request_duration_seconds_count", route=ROUTE, status="200")


async def test_a_dead_worker_is_replaced_and_its_counts_are_kept(tmp_path: Path) -> None:
    async with running_server(
        tmp_path / "data", "--workers", "2", "--log-format", "json"
    ) as server:
        async with server.client() as client:
            ada = await sign_up(client, "ada")
            await asyncio.gather(*(ada.get("/user-profiles/me") for _ in range(60)))

            async def all_are_counted() -> bool:
                return answered(await scraped(client)) == 60

            await until(all_are_counted)  # a request is counted after its response is sent
            await until(lambda: all_serve(client, 2), STARTS_WITHIN)
            assert (await scraped(client)).value("symphony_build_info") == 1

        worker = server.workers()[0]
        os.kill(worker, signal.SIGKILL)

        async def replaced() -> bool:
            present = server.workers()
            return len(present) == 2 and worker not in present

        await until(replaced)
        async with server.client() as client:
            await until(lambda: all_serve(client, 2), STARTS_WITHIN)
            samples = await scraped(client)
            assert answered(samples) == 60
            assert samples.value("symphony_database_connections") == 0
