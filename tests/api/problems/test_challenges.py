"""The header WWW-Authenticate (RFC 6750), and the error codes of OAuth 2 (RFC 6749)."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import httpx
import pytest

from symphony.config.settings import Settings
from symphony.domain import api_tokens
from symphony.domain.base import utc_now
from symphony.domain.user_profiles import FIRST_GENERATION
from symphony.infrastructure.access_tokens import JwtAccessTokens
from symphony.infrastructure.derived_keys import derive_key
from tests.support.api import API, PASSWORD, User, code, running_api, sign_up

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
JSON = {"Content-Type": "application/json"}


def access_token(user_id: str, settings: Settings, lifetime: int) -> str:
    """An access token of the service with another lifetime, in seconds."""
    assert settings.secret_key is not None
    secret = settings.secret_key.get_secret_value().encode()
    return JwtAccessTokens(derive_key(secret, "access tokens"), lifetime).issue(
        UUID(user_id), FIRST_GENERATION
    )


async def test_without_a_token_the_challenge_has_no_error(ada: User) -> None:
    for authorization in (None, "", "Bearer", "Bearer  ", "Basic YWRhOmFkYQ==", "Token x"):
        headers = {} if authorization is None else {"Authorization": authorization}
        answer = await ada.client.get(f"{API}/user-profiles/me", headers=headers)
        assert code(answer) == "401 unauthenticated"
        assert answer.headers["www-authenticate"] == "Bearer"
        assert answer.json()["detail"] == "Send a token: `Authorization: Bearer …`."


async def test_the_challenge_for_a_token_tells_expired_from_invalid(
    ada: User, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    revoked = await ada.api_token("read", name="revoked")
    assert (await ada.delete(f"/api-tokens/{revoked['id']}")).status_code == 204
    soon = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    expired = await ada.api_token("read", name="old", expires_at=soon)
    monkeypatch.setattr(api_tokens, "utc_now", lambda: utc_now() + timedelta(days=1))
    forged = settings.model_copy(update={"secret_key": settings.master_key})
    invalid = "The API token is not valid: it does not exist, or has been revoked."
    unknown = "The token is not valid; sign in to get an access token."
    for token, detail in (
        (access_token(ada.id, settings, -300), "The access token has expired; sign in again."),
        (expired["token"], "The API token has expired; use another one."),
        (revoked["token"], invalid),
        ("sym_nothing", invalid),
        ("nothing", unknown),
        (ada.token[:-3] + "AAA", unknown),
        (access_token(ada.id, forged, -300), unknown),
    ):
        answer = await ada.using(token).get("/user-profiles/me")
        assert code(answer) == "401 unauthenticated"
        assert answer.json()["detail"] == detail
        assert answer.headers["www-authenticate"] == (
            f'Bearer error="invalid_token", error_description="{detail}"'
        )
        assert answer.headers["cache-control"] == "no-store"


async def test_the_challenge_for_a_missing_scope_names_the_scope(ada: User) -> None:
    workspace = f"/workspaces/{(await ada.workspace())['id']}"
    reader = ada.using((await ada.api_token("read"))["token"])
    writer = ada.using((await ada.api_token("write"))["token"])
    wider = {"name": "wider", "scopes": ["write", "read"]}
    for answer, scope in (
        (await reader.patch(workspace, {}), "write"),
        (await reader.delete(workspace), "write"),
        (await writer.get(workspace), "read"),
        (await writer.post("/api-tokens", wider), "read write"),
    ):
        assert code(answer) == "403 insufficient-scope"
        challenge = f'Bearer error="insufficient_scope", scope="{scope}"'
        assert answer.headers["www-authenticate"] == challenge
    head = await writer.request("HEAD", workspace)
    assert head.headers["www-authenticate"] == 'Bearer error="insufficient_scope", scope="read"'


async def test_other_403s_have_no_challenge(settings: Settings) -> None:
    closed = settings.model_copy(update={"registration": "closed"})
    async with running_api(closed) as client:
        body = {"username": "ada", "email": "ada@example.org", "password": PASSWORD}
        answer = await client.post(f"{API}/user-profiles", json=body)
        assert code(answer) == "403 registration-closed"
        assert "www-authenticate" not in answer.headers


@pytest.mark.usefixtures("long_pauses")
async def test_a_failed_sign_in_has_the_error_code_of_oauth(client: httpx.AsyncClient) -> None:
    await sign_up(client, "ada")
    wrong = "username=ada&password=a+wrong+one"
    for content, headers, expected, error in (
        (wrong, FORM, "401 invalid-credentials", "invalid_grant"),
        ("a" + "&a" * 30, FORM, "400 malformed-request", "invalid_request"),
        ("{}", JSON, "415 unsupported-media-type", "invalid_request"),
        ("x" * 2_000_000, FORM, "413 payload-too-large", "invalid_request"),
        ("", FORM, "422 validation-error", "invalid_request"),
        (f"{wrong}&grant_type=code", FORM, "422 validation-error", "invalid_request"),
        (f"{wrong}&username=ada", FORM, "422 validation-error", "invalid_request"),
        *[(wrong, FORM, "401 invalid-credentials", "invalid_grant")] * 4,
        (wrong, FORM, "429 too-many-attempts", "temporarily_unavailable"),
    ):
        answer = await client.post(f"{API}/auth/token", content=content, headers=headers)
        assert code(answer) == expected
        assert answer.json()["error"] == error
        assert answer.headers["cache-control"] == "no-store"
    for answer in (await client.get(f"{API}/auth/token"), await client.get(f"{API}/api-tokens")):
        assert "error" not in answer.json()


async def test_a_sign_in_while_the_database_is_away_is_temporarily_unavailable() -> None:
    values = {
        "database_url": "postgresql://ada@127.0.0.1:1/symphony",
        "secret_key": "x" * 32,
    }
    async with running_api(Settings.model_validate(values)) as client:
        form = {"username": "ada", "password": PASSWORD}
        answer = await client.post(f"{API}/auth/token", data=form)
        assert code(answer) == "503 service-unavailable"
        assert answer.json()["error"] == "temporarily_unavailable"
