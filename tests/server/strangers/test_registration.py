"""With git roots, only the first user signs up, however many try at the same time."""

import asyncio
import secrets
from collections import Counter
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from tests.conftest import SECRET
from tests.support import postgres
from tests.support.api import API, PASSWORD, code
from tests.support.server import Server, running_server

pytestmark = pytest.mark.long


@pytest.fixture(params=["postgresql", "sqlite"])
async def settings(
    request: pytest.FixtureRequest, tmp_path: Path
) -> AsyncGenerator[dict[str, str]]:
    """The settings of a service with git roots on an empty database."""
    (tmp_path / "dev").mkdir()
    roots = {"GIT_ROOTS": str(tmp_path / "dev")}
    if request.param == "sqlite":
        yield roots
        return
    database = f"test_{secrets.token_hex(8)}"
    address = await postgres.create_database(database)
    # Also when transactions see what was committed before their first query only.
    isolation = r"?options=-c%20default_transaction_isolation=repeatable%5C%20read"
    separator = "&" if "?" in address else "?"
    yield roots | {
        "DATABASE_URL": address + isolation.replace("?", separator, 1),
        "SECRET_KEY": SECRET,
    }
    await postgres.drop_database(database)


def registration(server: Server) -> str:
    (line,) = [line for line in server.greeting if line.startswith("Registration: ")]
    return line


async def test_of_fifty_parallel_sign_ups_in_three_processes_exactly_one_succeeds(
    settings: dict[str, str], tmp_path: Path
) -> None:
    data = tmp_path / "data"
    async with (
        running_server(data, "--workers", "2", **settings) as one,
        running_server(data, **settings) as other,
        one.client() as client,
        other.client() as other_client,
    ):
        assert "only the first profile, which is still to be created" in registration(one)

        async def sign_up(number: int) -> str:
            body = {"username": f"user{number}", "email": f"{number}@x.org", "password": PASSWORD}
            chosen = (client, other_client)[number % 2]
            answer = await chosen.post(f"{API}/user-profiles", json=body)
            return "201" if answer.status_code == 201 else code(answer)

        answers = Counter(await asyncio.gather(*map(sign_up, range(50))))
        assert answers.pop("201") == 1
        # Hashing has a bounded queue.
        assert answers.keys() <= {"403 registration-closed", "503 service-unavailable"}
        assert answers["403 registration-closed"]
        assert await sign_up(50) == "403 registration-closed"
    async with running_server(data, **settings) as server:
        assert registration(server) == (
            "Registration: only the first profile, which exists; the operator creates further ones"
        )
        assert server.greeting[-1] == f"Next: open {server.address} in a browser, and sign in"


async def test_where_nobody_can_sign_up_the_next_step_is_to_create_a_user(tmp_path: Path) -> None:
    async with running_server(tmp_path / "data", REGISTRATION="closed") as server:
        assert server.greeting[-1] == (
            "Next: symphony user create NAME --email ADDRESS,"
            f" then open {server.address} in a browser"
        )
