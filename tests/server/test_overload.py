"""Work beyond the queues is refused at once, and does not slow down other work."""

import asyncio
import time
from collections import Counter
from functools import partial
from pathlib import Path
from uuid import UUID

import httpx
import pytest

from symphony import bootstrap
from symphony.config.settings import Settings
from symphony.infrastructure.database.engine import DatabaseLimits, create_engines
from symphony.infrastructure.database.unit_of_work import SqlAlchemyStore
from tests.support.api import API, PASSWORD, code, running_api, sign_up
from tests.support.server import running_server
from tests.support.waits import Ask, waits_beyond_idle

pytestmark = pytest.mark.long


def limit(monkeypatch: pytest.MonkeyPatch, limits: DatabaseLimits) -> None:
    """Have the service create its engines with other limits."""
    monkeypatch.setattr(bootstrap, "create_engines", partial(create_engines, limits=limits))


async def test_a_burst_is_queued_and_all_of_it_is_served(settings: Settings) -> None:
    async with running_api(settings) as client:
        ada = await sign_up(client, "ada")
        workspace = await ada.workspace()
        path = f"/workspaces/{workspace['id']}"
        answers = await asyncio.gather(*(ada.get(path) for _ in range(400)))
        assert {answer.status_code for answer in answers} == {200}


async def test_beyond_the_queue_the_response_is_a_503_at_once(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit(monkeypatch, DatabaseLimits(max_callers=20))
    async with running_api(settings) as client:
        ada = await sign_up(client, "ada")
        path = f"/user-profiles/{ada.id}/workspaces"
        answers = await asyncio.gather(
            *(ada.post(path, {"name": f"w{number}"}) for number in range(40))
        )
        refused = [answer for answer in answers if answer.status_code != 201]
        assert Counter(map(code, refused)) == {"503 service-unavailable": 20}
        assert all(answer.headers["retry-after"] == "1" for answer in refused)
        assert len((await ada.get(path)).json()["items"]) == 20


async def test_40_sign_ins_at_once_leave_the_liveness_check_quick(tmp_path: Path) -> None:
    async with (
        running_server(tmp_path / "data") as server,
        running_server(tmp_path / "idle") as idle,
        server.client() as client,
        # Not the same client: its requests would wait for each other.
        server.client() as other_client,
        idle.client() as idle_client,
    ):
        await sign_up(client, "ada")
        form = {"username": "ada", "password": PASSWORD}
        slowest: list[float] = []
        # Other work on the machine can only slow this down: the best of a few tries counts.
        while len(slowest) < 4 and min(slowest, default=1) >= 0.3:
            sign_ins = asyncio.gather(
                *(client.post(f"{API}/auth/token", data=form) for _ in range(40))
            )
            waits = await waits_beyond_idle(_alive(other_client), _alive(idle_client), sign_ins)
            assert {answer.status_code for answer in await sign_ins} == {200}
            assert len(waits) > 5
            slowest.append(max(waits))
        assert min(slowest) < 0.3


def _alive(client: httpx.AsyncClient) -> Ask:
    return lambda: client.get("/health/live")


async def test_a_statement_has_a_time_limit(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lock held by another process is waited for until the time limit; then comes a 503."""
    limit(monkeypatch, DatabaseLimits(lock_timeout=0.5, sqlite_busy_timeout=0.5))
    other = create_engines(settings.store)
    if other.is_in_memory:
        pytest.skip("a database in memory has no other process that could hold a lock")
    try:
        async with running_api(settings) as client:
            ada = await sign_up(client, "ada")
            path = f"/user-profiles/{ada.id}/workspaces"
            async with SqlAlchemyStore(other).unit_of_work() as holding:
                await holding.user_profiles.count_workspaces(UUID(ada.id), UUID(ada.id))
                start = time.perf_counter()
                answer = await ada.post(path, {"name": "w"})
                assert code(answer) == "503 service-unavailable"
                assert time.perf_counter() - start < 2.5
                assert (await client.get("/health/live")).status_code == 200
            assert (await ada.post(path, {"name": "w"})).status_code == 201
    finally:
        await other.dispose()
