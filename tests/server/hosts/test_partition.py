"""One of two processes loses the network to the database; the other one goes on."""

import secrets
import time
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from scripts.support.polling import until
from scripts.support.tcp_proxy import running_proxy
from symphony.infrastructure.database.engine import DEFAULT_LIMITS
from tests.conftest import SECRET
from tests.support import postgres
from tests.support.api import User, code, sign_up
from tests.support.server import running_server

pytestmark = pytest.mark.long

READY_WITHIN = 10.0  # seconds, which a probe of readiness may take on a busy machine
ANSWERED_WITHIN = DEFAULT_LIMITS.work_timeout + READY_WITHIN


@pytest.fixture
async def database() -> AsyncGenerator[str]:
    name = f"test_{secrets.token_hex(8)}"
    yield await postgres.create_database(name)
    await postgres.drop_database(name)


async def test_a_process_without_its_database_is_a_503_and_comes_back(
    database: str, tmp_path: Path
) -> None:
    """All packets are dropped, those of new connections too: nothing is refused or closed."""
    settings = {"SECRET_KEY": SECRET}
    async with (
        running_proxy(database) as proxy,
        running_server(tmp_path / "one", DATABASE_URL=proxy.url, **settings) as one,
        running_server(tmp_path / "two", DATABASE_URL=database, **settings) as two,
        one.client() as cut_off,
        two.client() as connected,
    ):
        ada = await sign_up(cut_off, "ada")
        there = User(connected, ada.id, ada.name, ada.token)
        workspaces = f"/user-profiles/{ada.id}/workspaces"
        await ada.workspace("before")

        proxy.partition()
        for _ in range(2):  # on connections from before, and on a new one
            started = time.monotonic()
            answer = await ada.post(workspaces, {"name": "never"})
            assert code(answer) == "503 service-unavailable"
            assert int(answer.headers["Retry-After"]) >= 1
            assert time.monotonic() - started < ANSWERED_WITHIN
        ready = await cut_off.get("/health/ready")
        assert (ready.status_code, ready.json()["reason"]) == (
            503,
            "the database cannot be reached",
        )
        assert (await cut_off.get("/health/live")).status_code == 200
        assert (await connected.get("/health/ready")).status_code == 200
        await there.workspace("meanwhile")

        proxy.heal()

        async def is_ready() -> bool:
            return (await cut_off.get("/health/ready")).status_code == 200

        await until(is_ready, READY_WITHIN)
        await ada.workspace("after")
        for user in (ada, there):
            listed = (await user.get(workspaces, params={"sort": "created_at"})).json()["items"]
            assert [each["name"] for each in listed] == ["before", "meanwhile", "after"]
