"""Failed sign-ins are slowed down by login and address; strangers cannot lock an owner out."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator

import httpx
import pytest

from scripts.support.polling import until
from symphony.application.ports import Overloaded, Requester
from symphony.config.settings import Settings
from symphony.domain import attempts
from symphony.infrastructure.passwords import Argon2Passwords
from tests.support.api import API, PASSWORD, User, code, faults, running_api, sign_up
from tests.support.openapi import check

HOME, OFFICE = "192.0.2.1", "198.51.100.1"
LIMIT = 12
WRONG, REFUSED = "401 invalid-credentials", "429 too-many-attempts"

pytestmark = pytest.mark.usefixtures("long_pauses")


@pytest.fixture
async def client(settings: Settings) -> AsyncGenerator[httpx.AsyncClient]:
    """A client of a service that trusts its proxy, which is this client."""
    behind_proxy = Settings.model_validate(
        settings.model_dump() | {"trusted_proxies": "127.0.0.1,10.0.0.0/8"}
    )
    async with running_api(behind_proxy) as client:
        client.event_hooks["response"] = [check]
        yield client


@pytest.fixture
def low_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempts, "MAX_FAILURES_OF_STRANGERS", LIMIT)


async def ask(
    client: httpx.AsyncClient, login: str, password: str, address: str = HOME
) -> httpx.Response:
    form = {"username": login, "password": password}
    forwarded = {"X-Forwarded-For": address}
    return await client.post(f"{API}/auth/token", data=form, headers=forwarded)


async def outcome(client: httpx.AsyncClient, login: str, password: str, address: str = HOME) -> str:
    answer = await ask(client, login, password, address)
    return "200" if answer.is_success else code(answer)


async def fail(client: httpx.AsyncClient, login: str, times: int, address: str = HOME) -> None:
    for _ in range(times):
        assert await outcome(client, login, "wrong", address) == WRONG


async def strangers_fail(client: httpx.AsyncClient, login: str) -> None:
    """Reach the limit for strangers, from several addresses."""
    for number in range(LIMIT):
        await fail(client, login, 1, f"203.0.113.{number // 4}")


async def test_after_five_failures_the_right_password_is_refused_too(
    client: httpx.AsyncClient, ada: User, eve: User
) -> None:
    await fail(client, "ada", 5)
    for login, password in (("ada", "wrong"), ("ada", PASSWORD), ("\uff21DA", PASSWORD)):
        answer = await ask(client, login, password)
        assert code(answer) == REFUSED
        assert 1 <= int(answer.headers["retry-after"]) <= 900
    assert await outcome(client, eve.name, PASSWORD) == "200"
    assert await outcome(client, "ada", PASSWORD, OFFICE) == "200"
    assert await outcome(client, "ADA@example.org", PASSWORD) == "200"
    assert await outcome(client, "ada\uff20example.org", PASSWORD) == "200"
    assert await outcome(client, "ada", PASSWORD) == REFUSED  # the successes are of other counters


async def test_a_success_ends_the_count(client: httpx.AsyncClient, ada: User) -> None:
    for _ in range(2):
        await fail(client, "ada", 4)
        assert await outcome(client, "ada", PASSWORD) == "200"


async def test_each_ipv6_client_chooses_among_its_addresses_in_vain(
    client: httpx.AsyncClient, ada: User
) -> None:
    for number in range(5):
        await fail(client, "ada", 1, f"2001:db8:0:7::{number}")
    assert await outcome(client, "ada", PASSWORD, "2001:db8:0:7:a:b:c:d") == REFUSED
    assert await outcome(client, "ada", PASSWORD, "2001:db8:0:8::") == "200"


async def test_an_address_that_is_not_from_a_trusted_proxy_makes_no_difference(
    settings: Settings,
) -> None:
    async with running_api(settings) as direct:
        await sign_up(direct, "ada")
        for number in range(5):
            await fail(direct, "ada", 1, f"192.0.2.{number}")
        assert await outcome(direct, "ada", PASSWORD, OFFICE) == REFUSED


@pytest.mark.long
@pytest.mark.usefixtures("low_limit")
async def test_an_unknown_login_gets_the_same_answers(client: httpx.AsyncClient, ada: User) -> None:
    def seen(answer: httpx.Response) -> dict[str, object]:
        is_for_an_hour = int(answer.headers.get("retry-after", 0)) > 900
        return {**answer.json(), "request_id": None, "detail": None, "hour": is_for_an_hour}

    for number in range(LIMIT * 2):
        address = f"203.0.113.{number // 6}"
        known, unknown = [await ask(client, login, "wrong", address) for login in ("ada", "nobody")]
        assert seen(known) == seen(unknown)
    assert ada.name == "ada"


async def test_of_many_parallel_wrong_passwords_only_five_are_checked(
    client: httpx.AsyncClient, ada: User
) -> None:
    answers = await asyncio.gather(*(outcome(client, "ada", "wrong") for _ in range(20)))
    assert Counter(answers) == {WRONG: 5, REFUSED: 15}


async def test_of_the_sign_ins_of_an_address_five_are_in_progress_whatever_the_logins(
    client: httpx.AsyncClient, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    verify, release, verifying = Argon2Passwords.verify, asyncio.Event(), list[str]()

    async def held_up(
        self: Argon2Passwords, password: str, password_hash: str | None, requester: Requester
    ) -> bool:
        if requester == Requester.address(HOME):
            verifying.append(password)
            await release.wait()
        return await verify(self, password, password_hash, requester)

    async def are_verifying() -> bool:
        return len(verifying) == 5

    monkeypatch.setattr(Argon2Passwords, "verify", held_up)
    guesses = [asyncio.create_task(outcome(client, f"nobody{n}", "wrong")) for n in range(12)]
    await until(are_verifying)
    for _ in range(3):
        assert await outcome(client, ada.name, PASSWORD, OFFICE) == "200"
    assert len(verifying) == 5
    release.set()
    assert set(await asyncio.gather(*guesses)) == {WRONG}


@pytest.mark.long
async def test_40_parallel_sign_ins_with_the_right_password_all_succeed(
    client: httpx.AsyncClient, ada: User
) -> None:
    await fail(client, "ada", 3)
    answers = await asyncio.gather(*(outcome(client, "ada", PASSWORD) for _ in range(40)))
    assert set(answers) == {"200"}


@pytest.mark.usefixtures("low_limit")
async def test_strangers_who_fail_do_not_lock_the_owner_out(
    client: httpx.AsyncClient, ada: User
) -> None:
    assert await outcome(client, "ada", PASSWORD) == "200"
    await strangers_fail(client, "ada")
    for password in ("wrong", PASSWORD):
        refused = await ask(client, "ada", password, OFFICE)
        assert code(refused) == REFUSED
        assert 900 < int(refused.headers["retry-after"]) <= 3600
    await fail(client, "ada", 1)  # the owner's address has its own count only
    assert await outcome(client, "ada", PASSWORD) == "200"
    assert await outcome(client, "ada@example.org", PASSWORD, OFFICE) == "200"


@pytest.mark.long
@pytest.mark.usefixtures("low_limit")
async def test_the_failures_of_the_owner_are_not_those_of_strangers(
    client: httpx.AsyncClient, ada: User
) -> None:
    assert await outcome(client, "ada", PASSWORD) == "200"
    for _ in range(LIMIT // 4 + 1):
        await fail(client, "ada", 4)
        assert await outcome(client, "ada", PASSWORD) == "200"
    await strangers_fail(client, "ada")


@pytest.mark.usefixtures("low_limit")
async def test_a_name_and_an_address_of_one_account_cannot_be_linked(
    client: httpx.AsyncClient, ada: User
) -> None:
    """Not even from the owner's address; only the right password shows that it is known."""
    assert await outcome(client, "ada", PASSWORD) == "200"
    for login in ("ada@example.org", "nobody@example.org"):
        await strangers_fail(client, login)
        assert await outcome(client, login, "wrong") == REFUSED
    assert await outcome(client, "ada", "wrong") == WRONG
    assert await outcome(client, "ada@example.org", PASSWORD) == "200"
    assert await outcome(client, "ada@example.org", "wrong") == WRONG


@pytest.mark.long
@pytest.mark.usefixtures("low_limit")
async def test_beyond_the_limit_a_stranger_cannot_tell_the_right_password_from_a_wrong_one(
    client: httpx.AsyncClient, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[str | None] = []
    verify = Argon2Passwords.verify

    async def noted(
        self: Argon2Passwords, password: str, password_hash: str | None, requester: Requester
    ) -> bool:
        compared.append(password_hash)
        return await verify(self, password, password_hash, requester)

    await strangers_fail(client, "ada")
    monkeypatch.setattr(Argon2Passwords, "verify", noted)
    for password, address in (("wrong", OFFICE), (PASSWORD, "198.51.100.2")):
        answers = [await ask(client, "ada", password, address) for _ in range(6)]
        assert {code(each) for each in answers} == {REFUSED}
        waits = [int(each.headers["retry-after"]) > 900 for each in answers]
        assert waits == [True] * 5 + [False]  # then the pause of the address itself
    assert compared == [None] * 10  # each takes the time of a comparison
    assert ada.name == "ada"


async def test_a_sign_in_that_got_no_result_does_not_count(
    client: httpx.AsyncClient, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def overloaded(*_: object) -> bool:
        raise Overloaded

    with monkeypatch.context() as patched:
        patched.setattr(Argon2Passwords, "verify", overloaded)
        for _ in range(8):
            assert await outcome(client, "ada", "wrong") == "503 service-unavailable"
    await fail(client, "ada", 4)
    assert await outcome(client, ada.name, PASSWORD) == "200"


async def test_guessing_the_current_password_in_an_update_is_throttled_too(
    client: httpx.AsyncClient, ada: User
) -> None:
    path = f"/user-profiles/{ada.id}"
    body = {"password": "a new one entirely", "current_password": "wrong"}
    for _ in range(5):
        assert faults(await ada.patch(path, body)) == [("/current_password", "wrong-password")]
    right = body | {"current_password": PASSWORD}
    for address in (HOME, OFFICE):  # the counter is that of the token's owner
        refused = await ada.patch(path, right, headers={"X-Forwarded-For": address})
        assert code(refused) == REFUSED
    assert await outcome(client, "ada", PASSWORD) == "200"
    assert code(await ada.patch(path, right)) == REFUSED


async def test_a_login_that_equals_an_id_has_its_own_counter(
    client: httpx.AsyncClient, ada: User
) -> None:
    await fail(client, ada.id, 5)
    assert await outcome(client, ada.id, "wrong") == REFUSED
    assert await outcome(client, "ada", PASSWORD) == "200"
    body = {"password": "a new one entirely", "current_password": PASSWORD}
    assert (await ada.patch(f"/user-profiles/{ada.id}", body)).is_success
