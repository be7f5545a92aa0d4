"""A failed commit is never acknowledged, and leaves nothing behind."""

import sqlite3
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from typing import Any

import aiosqlite
import asyncpg
import httpx
import pytest

from tests.support import postgres
from tests.support.api import API, PASSWORD, User, code, sign_in, sign_up


@pytest.fixture
def failing_commits(store_kind: str) -> Any:
    """A context in which the database is lost, or its disk is full, at the commit."""
    return _server_gone if store_kind == "postgresql" else _disk_full


@contextmanager
def _server_gone() -> Generator[None]:
    """PostgreSQL ends the session between the last statement and its COMMIT."""

    async def terminate(connection: Any) -> None:
        administrator = await asyncpg.connect(postgres.address("postgres"))
        try:
            end = "SELECT pg_terminate_backend($1, 5000)"
            process = await connection.fetchval("SELECT pg_backend_pid()")  # not the pooler's
            await administrator.fetchval(end, process)
        finally:
            await administrator.close()

    with _before_commit(asyncpg.Connection, terminate):
        yield


@contextmanager
def _disk_full() -> Generator[None]:
    """The driver of SQLite fails at COMMIT as with a full disk."""

    async def refuse(_: Any) -> None:
        error = sqlite3.OperationalError("database or disk is full")
        error.sqlite_errorcode = sqlite3.SQLITE_FULL
        raise error

    with _before_commit(aiosqlite.Connection, refuse):
        yield


@contextmanager
def _before_commit(driver: Any, happens: Callable[[Any], Awaitable[None]]) -> Generator[None]:
    execute = driver.execute

    async def interrupted(connection: Any, sql: str) -> Any:
        if sql == "COMMIT":
            await happens(connection)
        return await execute(connection, sql)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(driver, "execute", interrupted)
        yield


def _assert_unavailable(answer: httpx.Response) -> None:
    assert code(answer) == "503 service-unavailable"
    assert int(answer.headers["retry-after"]) >= 1
    assert "location" not in answer.headers
    assert "etag" not in answer.headers


@pytest.mark.long
async def test_no_change_is_acknowledged_unless_it_is_committed(
    ada: User, failing_commits: Any
) -> None:
    workspace = await ada.workspace()
    repo, vault = await ada.repo(workspace["id"]), await ada.vault(workspace["id"])
    token = await ada.api_token()
    of_user, of_workspace = f"/user-profiles/{ada.id}", f"/workspaces/{workspace['id']}"
    of_repo, of_vault = f"/repos/{repo['id']}", f"/vaults/{vault['id']}"
    child = {"name": "new", "path": "/new"}
    # In an order in which each succeeds if its commit does.
    changes: list[tuple[str, str, Any]] = [
        ("POST", f"{of_user}/workspaces", {"name": "new"}),
        ("POST", f"{of_workspace}/repos", child),
        ("POST", f"{of_workspace}/vaults", child),
        ("POST", "/api-tokens", {"name": "new", "scopes": ["read"]}),
        ("PATCH", of_user, {"preferences": {"new": True}}),
        ("PATCH", of_workspace, {"name": "changed"}),
        ("PATCH", of_repo, {"name": "changed"}),
        ("PATCH", of_vault, {"name": "changed"}),
        ("POST", f"{of_vault}/lock", None),
        ("DELETE", f"{of_vault}?force=true", None),
        ("DELETE", of_repo, None),
        ("DELETE", f"/api-tokens/{token['id']}", None),
        ("DELETE", f"{of_workspace}?force=true", None),
    ]
    everything = (
        of_user,
        f"{of_user}/workspaces",
        f"{of_workspace}/repos",
        f"{of_workspace}/vaults",
        f"{of_workspace}/stats",
        "/api-tokens",
    )

    async def stored() -> list[Any]:
        return [(await ada.get(path)).json() for path in everything]

    before = await stored()
    with failing_commits():
        for method, path, body in changes:
            _assert_unavailable(await ada.request(method, path, json=body))
    assert await stored() == before
    for method, path, body in changes:
        assert (await ada.request(method, path, json=body)).is_success, (method, path)


async def test_a_sign_up_whose_commit_failed_can_be_retried(
    client: httpx.AsyncClient, failing_commits: Any
) -> None:
    body = {"username": "ada", "email": "ada@example.org", "password": PASSWORD}
    with failing_commits():
        _assert_unavailable(await client.post(f"{API}/user-profiles", json=body))
    form = {"username": "ada", "password": PASSWORD}
    refused = await client.post(f"{API}/auth/token", data=form)
    assert code(refused) == "401 invalid-credentials"
    assert await sign_up(client, "ada")


async def test_an_update_of_the_password_whose_commit_failed_keeps_the_old_one(
    ada: User, failing_commits: Any
) -> None:
    body = {"password": "another horse", "current_password": PASSWORD}
    with failing_commits():
        _assert_unavailable(await ada.patch(f"/user-profiles/{ada.id}", body))
    assert await sign_in(ada.client, "ada")


async def test_a_deletion_whose_commit_failed_keeps_the_user(
    ada: User, failing_commits: Any
) -> None:
    with failing_commits():
        _assert_unavailable(await ada.delete(f"/user-profiles/{ada.id}"))
    assert (await ada.get("/user-profiles/me")).status_code == 200
    assert (await ada.delete(f"/user-profiles/{ada.id}")).status_code == 204
