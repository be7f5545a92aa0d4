"""Common passwords, and those that are the user's own names, are refused when they are set."""

from typing import Any

import httpx

from tests.support.api import API, PASSWORD, User, code, faults, sign_in

COMMON = [("/password", "password-too-common")]
BODY = {"username": "ada_lovelace", "email": "countess@example.org"}


async def _sign_up(client: httpx.AsyncClient, **fields: Any) -> httpx.Response:
    return await client.post(f"{API}/user-profiles", json=BODY | fields)


async def test_common_passwords_and_the_own_names_are_refused_at_sign_up(
    client: httpx.AsyncClient,
) -> None:
    for password in (
        *("password", "\uff30assword1", " " * 8, "\u3000" * 8, "7" * 1024),
        *("ADA_Lovelace", "Countess", "COUNTESS@EXAMPLE.ORG"),
    ):
        assert faults(await _sign_up(client, password=password)) == COMMON
    assert (await _sign_up(client, password="ada_lovelace's")).status_code == 201


async def test_all_invalid_fields_are_reported_together(client: httpx.AsyncClient) -> None:
    refused = await _sign_up(client, username="x", password="password", colour="blue")
    assert faults(refused) == [
        ("/username", "not-a-username"),
        *COMMON,
        ("/colour", "unknown-field"),
    ]
    by_address = await _sign_up(client, username="x", password="countess")
    assert faults(by_address) == [("/username", "not-a-username"), *COMMON]


async def test_a_new_password_is_compared_with_the_names_that_the_profile_will_have(
    ada: User,
) -> None:
    path = f"/user-profiles/{ada.id}"
    confirmed = {"current_password": PASSWORD}
    assert faults(await ada.patch(path, {"password": "password"} | confirmed)) == COMMON
    own_address = {"password": "ADA@example.org"}
    assert faults(await ada.patch(path, own_address | confirmed)) == COMMON
    renamed = BODY | {"password": "Ada_Lovelace"} | confirmed
    assert faults(await ada.patch(path, renamed)) == COMMON
    wrong = {"password": "ada@example.org", "current_password": "not this one"}
    assert faults(await ada.patch(path, wrong)) == COMMON
    assert (await ada.patch(path, BODY | own_address | confirmed)).status_code == 200
    assert await sign_in(ada.client, "ada_lovelace", "ADA@example.org")


async def test_an_invalid_password_and_a_missing_one_are_reported_together(ada: User) -> None:
    path = f"/user-profiles/{ada.id}"
    missing = ("/current_password", "missing")
    assert faults(await ada.patch(path, {"password": "password"})) == [*COMMON, missing]
    short = await ada.patch(path, {"password": "short", "email": "x"})
    assert faults(short) == [("/email", "not-an-email"), ("/password", "password-length"), missing]


async def test_api_tokens_are_revoked_only_together_with_a_new_password(ada: User) -> None:
    path = f"/user-profiles/{ada.id}"
    alone = await ada.patch(path, {"revoke_api_tokens": True})
    assert faults(alone) == [("/revoke_api_tokens", "password-missing")]
    assert (await ada.patch(path, {"revoke_api_tokens": False})).status_code == 200
    text = await ada.patch(path, {"revoke_api_tokens": "true"})
    assert faults(text) == [("/revoke_api_tokens", "boolean-expected")]


async def test_a_sign_in_never_compares_with_common_passwords(ada: User) -> None:
    form = {"username": "ada", "password": "password"}
    answer = await ada.client.post(f"{API}/auth/token", data=form)
    assert code(answer) == "401 invalid-credentials"
