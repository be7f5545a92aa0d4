"""Failed sign-ins are slowed down per account."""

import asyncio
from collections import Counter

import httpx

from tests.support.api import API, PASSWORD, User, code


async def _sign_in(client: httpx.AsyncClient, name: str, password: str) -> httpx.Response:
    form = {"username": name, "password": password}
    return await client.post(f"{API}/auth/token", data=form)


async def test_after_five_failures_the_right_password_is_refused_too(
    client: httpx.AsyncClient, ada: User, eve: User
) -> None:
    for _ in range(5):
        assert code(await _sign_in(client, "ada", "wrong")) == "401 invalid-credentials"
    for password in ("wrong", PASSWORD):
        answer = await _sign_in(client, "ada", password)
        assert code(answer) == "429 too-many-attempts"
        assert 1 <= int(answer.headers["retry-after"]) <= 60
    assert (await _sign_in(client, "ADA@example.org", PASSWORD)).status_code == 429
    assert (await _sign_in(client, eve.name, PASSWORD)).status_code == 200


async def test_an_unknown_account_is_throttled_in_the_same_way(
    client: httpx.AsyncClient, ada: User
) -> None:
    def seen(answer: httpx.Response) -> dict[str, object]:
        return {**answer.json(), "request_id": None, "detail": None}

    for _ in range(7):
        known, unknown = [await _sign_in(client, name, "wrong") for name in ("ada", "nobody")]
        assert seen(known) == seen(unknown)


async def test_of_many_parallel_wrong_passwords_only_five_are_checked(
    client: httpx.AsyncClient, ada: User
) -> None:
    answers = await asyncio.gather(*(_sign_in(client, "ada", "wrong") for _ in range(20)))
    counted = Counter(code(answer) for answer in answers)
    assert counted == {"401 invalid-credentials": 5, "429 too-many-attempts": 15}


async def test_guessing_the_current_password_in_an_update_is_throttled_too(ada: User) -> None:
    path = f"/user-profiles/{ada.id}"
    body = {"password": "a new one entirely", "current_password": "wrong"}
    for _ in range(5):
        assert code(await ada.patch(path, body)) == "422 validation-error"
    right = body | {"current_password": PASSWORD}
    assert code(await ada.patch(path, right)) == "429 too-many-attempts"


async def test_40_parallel_sign_ins_with_the_right_password_all_succeed(
    client: httpx.AsyncClient, ada: User
) -> None:
    answers = await asyncio.gather(*(_sign_in(client, "ada", PASSWORD) for _ in range(40)))
    assert {answer.status_code for answer in answers} == {200}
