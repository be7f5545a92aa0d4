"""Sign-in with a password, and bearer tokens."""

import base64
import json
import statistics
import time
from typing import Any
from uuid import UUID

import httpx

from symphony.config.settings import Settings
from symphony.domain.user_profiles import FIRST_GENERATION
from symphony.infrastructure.access_tokens import JwtAccessTokens
from symphony.infrastructure.derived_keys import derive_key
from tests.conftest import SECRET
from tests.support.api import API, PASSWORD, User, code, faults, running_api, sign_in, sign_up


async def _ask(client: httpx.AsyncClient, name: str, password: str) -> httpx.Response:
    form = {"username": name, "password": password}
    return await client.post(f"{API}/auth/token", data=form)


async def test_the_right_password_returns_an_access_token(ada: User) -> None:
    answer = await _ask(ada.client, "ada", PASSWORD)
    assert answer.status_code == 200
    token = answer.json()
    assert set(token) == {"access_token", "token_type", "expires_in"}
    assert token["token_type"].lower() == "bearer"
    assert token["expires_in"] == 3600
    assert answer.headers["cache-control"] == "no-store"
    me = await ada.using(token["access_token"]).get("/user-profiles/me")
    assert me.json()["id"] == ada.id


async def test_the_other_fields_of_oauth_2_clients_are_accepted(ada: User) -> None:
    form = {"username": "ada", "password": PASSWORD, "grant_type": "password"}
    more = {"scope": "", "client_id": "docs", "client_secret": ""}
    assert (await ada.client.post(f"{API}/auth/token", data=form | more)).status_code == 200


async def test_the_address_and_any_case_of_the_name_are_accepted(ada: User) -> None:
    for name in ("ADA", "ada@example.org", "Ada@Example.ORG"):
        assert await sign_in(ada.client, name)


async def test_a_wrong_password_and_an_unknown_user_have_the_same_response(ada: User) -> None:
    wrong, unknown = (
        await _ask(ada.client, "ada", "wrong password"),
        await _ask(ada.client, "nobody", PASSWORD),
    )
    assert code(wrong) == code(unknown) == "401 invalid-credentials"
    problems: list[dict[str, Any]] = []
    for answer in (wrong, unknown):
        problem = answer.json()
        del problem["request_id"]
        headers = {name: value for name, value in answer.headers.items() if name != "x-request-id"}
        # Both bodies have the same length, so the content-length can be compared too.
        problems.append(problem | headers)
    assert problems[0] == problems[1]


async def test_an_unknown_user_is_refused_as_slowly_as_a_wrong_password(ada: User) -> None:
    async def median(name: str) -> float:
        times: list[float] = []
        for _ in range(4):
            started = time.process_time()  # of all threads, so other processes do not matter
            assert (await _ask(ada.client, name, "wrong password")).status_code == 401
            times.append(time.process_time() - started)
        return statistics.median(times)

    assert await median("nobody") > await median("ada") / 2


async def test_a_401_names_the_scheme(ada: User) -> None:
    for answer in (
        await ada.client.get(f"{API}/user-profiles/me"),
        await _ask(ada.client, "ada", "wrong password"),
    ):
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_invalid_tokens_are_refused(ada: User) -> None:
    header, claims, signature = ada.token.split(".")
    unsigned = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').decode().rstrip("=")
    eternal = base64.urlsafe_b64encode(json.dumps({"sub": ada.id}).encode()).decode().rstrip("=")
    other_key = JwtAccessTokens(derive_key(b"another secret", "access tokens"), 3600)
    same_key = derive_key(SECRET.encode(), "access tokens")
    expired = JwtAccessTokens(same_key, -61)
    assert (
        await ada.using(JwtAccessTokens(same_key, 60).issue(UUID(ada.id), FIRST_GENERATION)).get(
            "/api-tokens"
        )
    ).is_success
    for token in (
        "",
        " ",
        "x",
        "sym_",
        "sym_x",
        "sym_" + "x" * 10_000,
        "null",
        ".",
        "..",
        f"{header}.{claims}.",
        f"{header}.{claims}",
        f"{header}.{claims}.{signature[:-2]}",
        f"{header}.{claims}.{signature[::-1]}",
        f"{header}.{eternal}.{signature}",
        f"{unsigned}.{claims}.",
        f"{unsigned}.{claims}.{signature}",
        ada.token.swapcase(),
        f"{ada.token} {ada.token}",
        ada.id,
        PASSWORD,
        other_key.issue(UUID(ada.id), FIRST_GENERATION),
        expired.issue(UUID(ada.id), FIRST_GENERATION),
    ):
        answer = await ada.using(token).get("/user-profiles/me")
        assert code(answer) == "401 unauthenticated", token


async def test_only_the_bearer_scheme_is_accepted_in_any_case(ada: User) -> None:
    async def status(authorization: str | bytes) -> int:
        headers = {
            b"Authorization": authorization
            if isinstance(authorization, bytes)
            else authorization.encode()
        }
        return (await ada.client.get(f"{API}/user-profiles/me", headers=headers)).status_code

    for scheme in ("Bearer", "bearer", "BEARER"):
        assert await status(f"{scheme} {ada.token}") == 200
    for authorization in (ada.token, f"Basic {ada.token}", f"Bearer{ada.token}", "Bearer", ""):
        assert await status(authorization) == 401
    assert await status(b"Bearer \xff\xfe") == 401
    assert await status(b"Bearer sym_\xff\xfe\x00") == 401


async def test_access_tokens_expire_after_the_configured_time(settings: Settings) -> None:
    brief = settings.model_copy(update={"access_token_ttl": 7})
    async with running_api(brief) as client:
        await sign_up(client, "ada")
        assert (await _ask(client, "ada", PASSWORD)).json()["expires_in"] == 7


async def test_invalid_forms_are_refused(client: httpx.AsyncClient) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    for form, expected in (
        ("", [("/username", "missing"), ("/password", "missing")]),
        ("username=ada", [("/password", "missing")]),
        ("username=&password=x&grant_type=", [("/username", "missing")]),
        ("username=ada&password=x&colour=blue", [("/colour", "unknown-field")]),
        ("username=ada&password=x&grant_type=code", [("/grant_type", "unknown-value")]),
        ("username=ada&username=eve&password=x", [("/username", "duplicate-field")]),
        ("username=a%00da&password=x", [("/username", "nul-character")]),
        ("username=ada&password=a%00b", [("/password", "nul-character")]),
        ("username=ada&password=" + "x" * 1025, [("/password", "too-long")]),
    ):
        answer = await client.post(f"{API}/auth/token", content=form, headers=headers)
        assert faults(answer) == expected
