"""Failed sign-ins are counted over all processes, by the addresses that a trusted proxy passes."""

import asyncio
import secrets
import time
from asyncio.subprocess import PIPE
from collections import Counter
from collections.abc import AsyncGenerator
from pathlib import Path

import httpx
import pytest

from tests.conftest import MASTER_KEY, SECRET
from tests.support import postgres
from tests.support.api import API, PASSWORD, code, sign_up
from tests.support.server import SYMPHONY, environment, running_server
from tests.support.waits import results_by

pytestmark = pytest.mark.long

Settings = dict[str, str]
WRONG, REFUSED = "401 invalid-credentials", "429 too-many-attempts"
HOME, ELSEWHERE = "192.0.2.1", "198.51.100.1"


@pytest.fixture(params=["postgresql", "sqlite"])
async def settings(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncGenerator[Settings]:
    database = f"test_{secrets.token_hex(8)}"
    url = f"sqlite:///{tmp_path / 'own.sqlite3'}"
    if request.param != "sqlite":
        url = await postgres.create_database(database)
    yield {"DATABASE_URL": url, "SECRET_KEY": SECRET, "MASTER_KEY": MASTER_KEY}
    await postgres.drop_database(database)


@pytest.fixture
async def client(settings: Settings, tmp_path: Path) -> AsyncGenerator[httpx.AsyncClient]:
    """Up to 100 connections, as of a proxy, to two processes on one database."""
    async with (
        running_server(
            tmp_path / "data", "--workers", "2", TRUSTED_PROXIES="127.0.0.1", **settings
        ) as server,
        server.client() as client,
    ):
        yield client


async def set_password(tmp_path: Path, settings: Settings) -> None:
    """Set the password of Ada on the command line."""
    command = await asyncio.create_subprocess_exec(
        *(SYMPHONY, "user", "set-password", "ada", "--password-stdin"),
        env=environment(tmp_path / "data", **settings),
        stdin=PIPE,
    )
    await command.communicate(f"{PASSWORD}\n".encode())
    assert command.returncode == 0


async def outcome(client: httpx.AsyncClient, login: str, password: str, address: str) -> str:
    form = {"username": login, "password": password}
    forwarded = {"X-Forwarded-For": address}
    answer = await client.post(f"{API}/auth/token", data=form, headers=forwarded)
    return "200" if answer.is_success else code(answer)


async def test_100_failures_of_strangers_do_not_lock_the_owner_out(
    client: httpx.AsyncClient, settings: Settings, tmp_path: Path
) -> None:
    await sign_up(client, "ada")
    assert await outcome(client, "ada", PASSWORD, HOME) == "200"
    for login in ("ada", "nobody"):
        for round_of_five in range(5):
            answers = await asyncio.gather(
                *(
                    outcome(client, login, "wrong", f"203.0.113.{number}")
                    for number in range(25)
                    if number // 5 == round_of_five
                    for _ in range(4)
                )
            )
            assert Counter(answers) == {WRONG: 20}
        assert await outcome(client, login, "wrong", ELSEWHERE) == REFUSED
    assert await outcome(client, "ada", PASSWORD, ELSEWHERE) == REFUSED
    assert await outcome(client, "ada", "wrong", HOME) == WRONG
    assert await outcome(client, "ada", PASSWORD, HOME) == "200"
    assert await outcome(client, "ada@example.org", PASSWORD, HOME) == "200"
    assert await outcome(client, "ada@example.org", PASSWORD, ELSEWHERE) == "200"
    await set_password(tmp_path, settings)
    assert await outcome(client, "ada", PASSWORD, ELSEWHERE) == "200"


async def test_of_50_parallel_wrong_passwords_no_more_get_a_result_than_of_consecutive_ones(
    client: httpx.AsyncClient,
) -> None:
    await sign_up(client, "ada")
    started = time.monotonic()
    answers = await asyncio.gather(*(outcome(client, "ada", "wrong", HOME) for _ in range(50)))
    assert set(answers) == {WRONG, REFUSED}
    assert 5 <= answers.count(WRONG) <= results_by(time.monotonic() - started)


async def test_50_parallel_sign_ins_with_the_right_password_all_succeed(
    client: httpx.AsyncClient,
) -> None:
    await sign_up(client, "ada")
    answers = await asyncio.gather(*(outcome(client, "ada", PASSWORD, HOME) for _ in range(50)))
    assert Counter(answers) == {"200": 50}


async def test_the_server_itself_believes_no_forwarded_address(tmp_path: Path) -> None:
    """uvicorn would believe every peer on this machine by default."""
    async with running_server(tmp_path / "data") as server, server.client() as client:
        await sign_up(client, "ada")
        answers = [
            await outcome(client, "ada", "wrong", f"203.0.113.{number}") for number in range(9)
        ]
        assert set(answers) == {WRONG, REFUSED}
