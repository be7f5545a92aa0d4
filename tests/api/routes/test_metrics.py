"""/metrics: requests by route, commands by outcome, use of the database."""

import asyncio
from importlib.metadata import version
from uuid import uuid4

import httpx

from scripts.support.polling import until
from symphony.bootstrap import engines_for
from symphony.config.settings import Settings
from symphony.infrastructure.database.unit_of_work import SqlAlchemyStore
from symphony.infrastructure.metrics import Metrics
from tests.support.api import User
from tests.support.metrics import Samples, scraped

REQUESTS = "symphony_http_request_duration_seconds_count"
COMMANDS = "symphony_commands_total"
ONE = "/api/v1/workspaces/{workspace_id}"


async def test_requests_are_counted_by_route_and_status_with_their_time(
    client: httpx.AsyncClient, ada: User
) -> None:
    workspace = await ada.workspace()
    for _ in range(3):
        await ada.get(f"/workspaces/{workspace['id']}")
    await ada.get(f"/workspaces/{uuid4()}")
    await client.get(f"/api/v1/workspaces/{workspace['id']}")
    await client.head("/health/live")
    await client.request("BREW", "/health/live")
    await client.get("/nowhere/at/all")
    seen = await scraped(client)
    assert seen.value(REQUESTS, method="GET", route=ONE, status="200") == 3
    assert seen.value(REQUESTS, method="GET", route=ONE, status="404") == 1
    assert seen.value(REQUESTS, method="GET", route=ONE, status="401") == 1
    assert seen.value(REQUESTS, method="HEAD", route="/health/live", status="200") == 1
    assert seen.value(REQUESTS, method="other", status="405") == 1
    assert seen.value(REQUESTS, route="none", status="404") == 1
    seconds = seen.value("symphony_http_request_duration_seconds_sum", route=ONE)
    assert 0 < seconds < 60
    in_time = seen.value("symphony_http_request_duration_seconds_bucket", route=ONE, le="+Inf")
    assert in_time == 5


async def test_labels_contain_nothing_that_was_sent(client: httpx.AsyncClient, ada: User) -> None:
    for number in range(20):
        await client.request(f"M{number}", f"/canary-{number}", params={"canary": number})
        await ada.get(f"/workspaces/canary-{number}")
    text = (await client.get("/metrics")).text
    assert "canary" not in text
    assert ada.id not in text
    assert Samples(text).value(REQUESTS, method="other", route="none", status="404") == 20


async def test_commands_are_counted_by_outcome(client: httpx.AsyncClient, ada: User) -> None:
    workspace = await ada.workspace("One")
    await ada.post(f"/user-profiles/{ada.id}/workspaces", {"name": "one"})
    key = {"Idempotency-Key": "k"}
    for _ in range(2):
        body = {"name": "engine", "path": "~/x"}
        await ada.post(f"/workspaces/{workspace['id']}/repos", body, headers=key)
    await ada.delete(f"/workspaces/{workspace['id']}")
    seen = await scraped(client)
    assert seen.value(COMMANDS, command="CreateWorkspace", outcome="done") == 1
    assert seen.value(COMMANDS, command="CreateWorkspace", outcome="workspace-name-taken") == 1
    assert seen.value(COMMANDS, command="CreateRepo", outcome="done") == 2
    assert seen.value(COMMANDS, command="DeleteWorkspace", outcome="workspace-not-empty") == 1
    assert seen.value(COMMANDS, command="CreateUserProfile", outcome="done") == 1


async def test_the_use_of_the_database_is_reported(settings: Settings) -> None:
    counted = Metrics()
    engines = engines_for(settings)
    store = SqlAlchemyStore(engines, counted)
    leave = asyncio.Event()

    async def hold() -> None:
        async with store.unit_of_work():
            await leave.wait()

    def used() -> tuple[float, float, float]:
        seen = Samples(counted.text().decode())
        names = ("callers", "connections", "connections_limit")
        callers, connections, limit = (seen.value(f"symphony_database_{name}") for name in names)
        return callers, connections, limit

    async def connected() -> bool:
        return used()[1] == room

    limit = 10 if engines.write.dialect.name == "postgresql" else 5
    room = 10 if engines.write.dialect.name == "postgresql" else 1
    try:
        assert used() == (0, 0, limit)
        async with asyncio.timeout(10):
            holding = [asyncio.create_task(hold()) for _ in range(room + 2)]
            await until(connected)
            assert used() == (room + 2, room, limit)
            leave.set()
            await asyncio.gather(*holding)
            assert used() == (0, 0, limit)
    finally:
        await engines.dispose()


async def test_the_running_version_is_reported(client: httpx.AsyncClient) -> None:
    assert (await scraped(client)).value("symphony_build_info", version=version("symphony")) == 1
