"""A COMMIT that the database may have carried out, but has not confirmed."""

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import aiosqlite
import httpx
import pytest

from symphony.config.settings import Settings
from tests.server.hosts.load import UNKNOWN
from tests.support.api import code, created, running_api, sign_up

KEY = {"Idempotency-Key": "a-key"}


@pytest.fixture
async def client(tmp_path: Path) -> AsyncGenerator[httpx.AsyncClient]:
    settings = Settings.model_validate({"database_url": "sqlite://", "data_dir": tmp_path})
    async with running_api(settings) as client:
        yield client


@pytest.mark.parametrize("is_stored", [True, False])
async def test_it_is_a_503_that_says_so_and_a_retry_with_the_same_key_settles_it(
    is_stored: bool,  # noqa: FBT001 - a parameter of the test
    client: httpx.AsyncClient,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ada = await sign_up(client, "ada")
    path, body = f"/user-profiles/{ada.id}/workspaces", {"name": "Thesis"}
    execute: Any = aiosqlite.Connection.execute
    commits = 0

    async def lose_the_answer(connection: Any, sql: str) -> Any:
        nonlocal commits
        if sql == "COMMIT":
            commits += 1
            if is_stored:
                await execute(connection, sql)
            raise ConnectionResetError
        return await execute(connection, sql)

    with monkeypatch.context() as patched:
        patched.setattr(aiosqlite.Connection, "execute", lose_the_answer)
        answer = await ada.post(path, body, headers=KEY)
    assert commits == 1  # the service does not try again on its own
    assert code(answer) == "503 service-unavailable"
    assert UNKNOWN in answer.json()["detail"]
    assert "`Idempotency-Key` is safe" in answer.json()["detail"]
    assert int(answer.headers["Retry-After"]) >= 1
    retried = await ada.post(path, body, headers=KEY)
    workspace = created(retried)
    assert ("Idempotency-Replayed" in retried.headers) is is_stored
    assert [each["id"] for each in (await ada.get(path)).json()["items"]] == [workspace["id"]]
