"""Limits and uniqueness hold across processes that share a database."""

import asyncio
import secrets
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conftest import SECRET
from tests.server.pooler.few_connections import few_connections
from tests.support import postgres
from tests.support.api import User, code, sign_up
from tests.support.server import running_server

pytestmark = pytest.mark.long


@pytest.fixture(params=["postgresql+asyncpg", "pgbouncer", "sqlite"])
async def client(
    request: pytest.FixtureRequest, tmp_path: Path
) -> AsyncGenerator[httpx.AsyncClient]:
    """Up to 100 connections to two processes on one database."""
    database = f"test_{secrets.token_hex(8)}"
    settings = {"DATABASE_URL": f"sqlite:///{tmp_path / 'own.sqlite3'}", "SECRET_KEY": SECRET}
    async with AsyncExitStack() as stack:
        if request.param != "sqlite":
            address = await postgres.create_database(database)
            settings["DATABASE_URL"] = address.replace("postgresql", "postgresql+asyncpg", 1)
        if request.param == "pgbouncer":
            pgbouncer = await stack.enter_async_context(few_connections())
            settings["DATABASE_URL"] = pgbouncer.url(database)
            settings["DATABASE_POOLER"] = "transaction"
        server = await stack.enter_async_context(
            running_server(tmp_path / "data", "--workers", "2", **settings)
        )
        yield await stack.enter_async_context(server.client())
    await postgres.drop_database(database)


async def all_at_once(user: User, path: str, bodies: list[dict[str, Any]]) -> Counter[str]:
    answers = await asyncio.gather(*(user.post(path, body) for body in bodies))
    return Counter("201" if each.status_code == 201 else code(each) for each in answers)


def numbered(count: int, **fields: str) -> list[dict[str, Any]]:
    return [{"name": f"number {number}", **fields} for number in range(count)]


def alike(**fields: str) -> list[dict[str, Any]]:
    """Twenty of one name, as names are compared."""
    return [{"name": name, **fields} for name in ["Straße", "STRASSE"] * 10]


# One test for all of it, for two processes take long to start.
async def test_parallel_requests_to_two_processes_create_exactly_what_is_allowed(
    client: httpx.AsyncClient,
) -> None:
    ada = await sign_up(client, "ada")
    workspaces = f"/user-profiles/{ada.id}/workspaces"
    counted = await all_at_once(ada, workspaces, numbered(500))
    assert counted == {"201": 50, "409 workspace-limit-reached": 450}
    assert len((await ada.get(workspaces, params={"limit": 200})).json()["items"]) == 50

    eve = await sign_up(client, "eve")
    workspace = f"/workspaces/{(await eve.workspace())['id']}"
    counted = await all_at_once(eve, f"{workspace}/repos", numbered(200, path="/x"))
    assert counted == {"201": 100, "409 repo-limit-reached": 100}
    counted = await all_at_once(eve, f"{workspace}/vaults", numbered(100, path="/x"))
    assert counted == {"201": 20, "409 vault-limit-reached": 80}
    stats = (await eve.get(f"{workspace}/stats")).json()
    assert (stats["repo_count"], stats["vault_count"]) == (100, 20)

    workspace = f"/workspaces/{(await eve.workspace('Imported'))['id']}"
    seven_each = [
        {"items": [{"name": f"{number} {each}", "path": "/x"} for each in range(7)]}
        for number in range(50)
    ]
    counted = await all_at_once(eve, f"{workspace}/repos/import", seven_each)
    assert counted == {"201": 14, "409 repo-limit-reached": 36}
    stats = (await eve.get(f"{workspace}/stats")).json()
    assert (stats["repo_count"], stats["vault_count"]) == (98, 0)

    counted = await all_at_once(eve, f"/user-profiles/{eve.id}/workspaces", alike())
    assert counted == {"201": 1, "409 workspace-name-taken": 19}
    workspace = f"/workspaces/{(await eve.workspace('Another'))['id']}"
    counted = await all_at_once(eve, f"{workspace}/repos", alike(path="/x"))
    assert counted == {"201": 1, "409 repo-name-taken": 19}
    counted = await all_at_once(eve, f"{workspace}/vaults", alike(path="/x"))
    assert counted == {"201": 1, "409 vault-name-taken": 19}
