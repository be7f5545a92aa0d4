"""Locks and limits of vaults hold across processes that share a database."""

import asyncio
import secrets
import time
from collections import Counter
from collections.abc import AsyncGenerator
from pathlib import Path

import httpx
import pytest

from scripts.support.polling import until
from tests.conftest import MASTER_KEY, SECRET
from tests.support import postgres
from tests.support.api import User, code, sign_up
from tests.support.server import running_server
from tests.support.waits import results_by

pytestmark = pytest.mark.long

PASSPHRASE = {"passphrase": "a horse, a battery and a staple"}
AT_ONCE = 50
ROUNDS = 3


@pytest.fixture(params=["postgresql", "sqlite"])
async def client(
    request: pytest.FixtureRequest, tmp_path: Path
) -> AsyncGenerator[httpx.AsyncClient]:
    """Up to 100 connections to two processes on one database."""
    database = f"test_{secrets.token_hex(8)}"
    url = f"sqlite:///{tmp_path / 'own.sqlite3'}"
    if request.param != "sqlite":
        url = await postgres.create_database(database)
    settings = {"DATABASE_URL": url, "SECRET_KEY": SECRET, "MASTER_KEY": MASTER_KEY}
    async with (
        running_server(tmp_path / "data", "--workers", "2", **settings) as server,
        server.client() as client,
    ):
        yield client
    await postgres.drop_database(database)


def outcome(answer: httpx.Response) -> str:
    return str(answer.status_code) if answer.is_success else code(answer)


async def test_no_request_that_starts_after_an_acknowledged_lock_succeeds(
    client: httpx.AsyncClient,
) -> None:
    ada = await sign_up(client, "ada")
    workspace = (await ada.workspace())["id"]
    secret = await ada.vault(workspace, "secret", protection="passphrase", **PASSPHRASE)
    vault = f"/vaults/{secret['id']}"
    for number in range(ROUNDS):
        opened = await ada.post(f"{vault}/unlock", PASSPHRASE)
        session = {"Vault-Session": opened.json()["session"]}
        first = await ada.put(f"{vault}/entries/a", {"content": "first"}, headers=session)
        assert first.status_code == (201 if number == 0 else 200)
        answers: list[tuple[float, str]] = []
        stop = asyncio.Event()

        async def storm(
            index: int,
            session: dict[str, str] = session,
            answers: list[tuple[float, str]] = answers,
            stop: asyncio.Event = stop,
        ) -> None:
            while not stop.is_set():
                at = time.monotonic()
                if index % 5 == 0:
                    body = {"content": f"{index}"}
                    answer = await ada.put(f"{vault}/entries/a", body, headers=session)
                else:
                    answer = await ada.get(f"{vault}/entries/a", headers=session)
                answers.append((at, outcome(answer)))

        clients = [asyncio.create_task(storm(index)) for index in range(AT_ONCE)]

        async def many(answers: list[tuple[float, str]] = answers) -> bool:
            return len(answers) >= 2 * AT_ONCE

        await until(many, within=60)
        assert (await ada.post(f"{vault}/lock")).json()["is_locked"] is True
        locked_at = time.monotonic()

        async def many_since(
            answers: list[tuple[float, str]] = answers, locked_at: float = locked_at
        ) -> bool:
            return sum(at > locked_at for at, _ in answers) >= 2 * AT_ONCE

        await until(many_since, within=60)
        stop.set()
        await asyncio.gather(*clients)
        assert {each for at, each in answers if at > locked_at} == {"423 vault-locked"}
        assert {each for _, each in answers} == {"200", "423 vault-locked"}


async def test_parallel_writes_to_two_processes_keep_the_limit_and_count_versions(
    client: httpx.AsyncClient,
) -> None:
    ada = await sign_up(client, "ada")
    workspace = (await ada.workspace())["id"]
    vault = f"/vaults/{(await ada.vault(workspace))['id']}"

    async def put(key: str) -> httpx.Response:
        return await ada.put(f"{vault}/entries/{key}", {"content": key})

    answers = await asyncio.gather(*(put("same") for _ in range(AT_ONCE)))
    assert sorted(each.json()["version"] for each in answers) == [*range(1, AT_ONCE + 1)]
    assert Counter(each.status_code for each in answers) == {200: AT_ONCE - 1, 201: 1}
    answers = await asyncio.gather(*(put(f"k{number}") for number in range(1020)))
    assert Counter(map(outcome, answers)) == {"201": 999, "409 entry-limit-reached": 21}
    assert len(await keys(ada, vault)) == 1000


async def keys(user: User, vault: str) -> set[str]:
    """The keys of all entries of a vault, from all pages of its list."""
    found: set[str] = set()
    cursor: dict[str, str] = {}
    while True:
        page = await user.get(f"{vault}/entries", params={"limit": "200", **cursor})
        found |= {each["key"] for each in page.json()["items"]}
        if page.json()["next_cursor"] is None:
            return found
        cursor = {"cursor": page.json()["next_cursor"]}


async def test_wrong_passphrases_are_counted_over_all_processes(client: httpx.AsyncClient) -> None:
    ada = await sign_up(client, "ada")
    workspace = (await ada.workspace())["id"]
    secret = await ada.vault(workspace, "secret", protection="passphrase", **PASSPHRASE)
    unlock = f"/vaults/{secret['id']}/unlock"
    wrong = {"passphrase": "another one entirely"}
    started = time.monotonic()
    answers = await asyncio.gather(*(ada.post(unlock, wrong) for _ in range(AT_ONCE)))
    counted = Counter(map(outcome, answers))
    assert set(counted) == {"403 wrong-passphrase", "429 too-many-attempts"}
    most = results_by(time.monotonic() - started)
    assert 5 <= counted["403 wrong-passphrase"] <= most
    while outcome(answer := await ada.post(unlock, wrong)) == "403 wrong-passphrase":
        pass  # the pause was over; the next one is longer
    assert outcome(answer) == "429 too-many-attempts"
    await asyncio.sleep(int(answer.headers["retry-after"]))
    assert (await ada.post(unlock, PASSPHRASE)).is_success
