"""API tokens: create, list and revoke them; secrets and scopes."""

import asyncio
import hashlib
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from tests.support.api import API, User, code, created, faults, utc

FIELDS = {
    "id",
    "name",
    "scopes",
    "expires_at",
    "created_at",
    "last_used_at",
    "workspace_ids",
    "machine_id",
}


async def test_a_token_is_created_and_its_secret_returned_once(ada: User) -> None:
    body = {
        "name": " laptop ",
        "scopes": ["write", "read"],
        "expires_at": "2031-01-01t02:00:00+02:00",
    }
    answer = await ada.post("/api-tokens", body)
    shown = created(answer)
    assert set(shown) == FIELDS | {"token"}
    assert UUID(shown["id"]).version == 7
    assert shown["name"] == "laptop"
    assert set(shown["scopes"]) == {"read", "write"}
    assert utc(shown["expires_at"]) == datetime(2031, 1, 1, tzinfo=UTC)
    assert datetime.now(UTC) - utc(shown["created_at"]) < timedelta(minutes=1)
    assert shown["last_used_at"] is None
    assert answer.headers["location"] == f"{API}/api-tokens/{shown['id']}"
    assert answer.headers["etag"].startswith('"')
    assert answer.headers["cache-control"] == "no-store"
    listed = await ada.get("/api-tokens")
    (token,) = listed.json()["items"]
    assert token == {name: shown[name] for name in FIELDS}
    hashed = hashlib.sha256(shown["token"].encode())
    for secret in (shown["token"], hashed.hexdigest(), "hash"):
        assert secret not in listed.text


async def test_secrets_have_a_prefix_are_long_and_unique(ada: User) -> None:
    tokens = [(await ada.api_token())["token"] for _ in range(3)]
    assert len(set(tokens)) == 3
    assert all(token.startswith("sym_") and len(token) >= 40 for token in tokens)


async def test_read_permits_get_and_write_all_other_methods_without_secrets(ada: User) -> None:
    workspace_id = (await ada.workspace())["id"]
    vault_id = (await ada.vault(workspace_id))["id"]
    reads = (
        ("GET", "/user-profiles/me"),
        ("HEAD", f"/workspaces/{workspace_id}"),
        ("GET", f"/workspaces/{workspace_id}/vaults"),
        ("GET", "/api-tokens"),
    )
    writes = (
        ("POST", f"/vaults/{vault_id}/lock", None),
        ("PATCH", f"/workspaces/{workspace_id}", {"description": "changed"}),
        ("POST", f"/user-profiles/{ada.id}/workspaces", {"name": "other"}),
        ("POST", "/api-tokens", {"name": "other", "scopes": ["write"]}),
        ("DELETE", f"/vaults/{vault_id}?force=true", None),
    )
    reader = ada.using((await ada.api_token("read"))["token"])
    writer = ada.using((await ada.api_token("write"))["token"])
    for method, path in reads:
        assert (await reader.request(method, path)).status_code == 200
        refused = await writer.request(method, path)
        assert refused.status_code == 403
        assert method == "HEAD" or code(refused) == "403 insufficient-scope"
    for method, path, body in writes:
        assert code(await reader.request(method, path, json=body)) == "403 insufficient-scope"
    for method, path, body in writes:
        assert (await writer.request(method, path, json=body)).is_success, (method, path)


async def test_a_token_cannot_create_a_token_with_more_scopes(ada: User) -> None:
    writer = ada.using((await ada.api_token("write"))["token"])
    for scopes in (["read"], ["read", "write"]):
        wider = await writer.post("/api-tokens", {"name": "wider", "scopes": scopes})
        assert code(wider) == "403 insufficient-scope"
    assert (await writer.api_token("write", name="same"))["scopes"] == ["write"]
    names = [token["name"] for token in (await ada.get("/api-tokens")).json()["items"]]
    assert names == ["laptop", "same"]


async def test_a_token_that_a_token_creates_expires_with_it_at_the_latest(ada: User) -> None:
    end = datetime.now(UTC) + timedelta(days=1)
    program = ada.using((await ada.api_token(expires_at=end.isoformat()))["token"])
    assert utc((await program.api_token())["expires_at"]) == end
    assert utc((await program.api_token(expires_at=None))["expires_at"]) == end
    earlier = end - timedelta(hours=1)
    assert utc((await program.api_token(expires_at=earlier.isoformat()))["expires_at"]) == earlier
    later = (end + timedelta(seconds=1)).isoformat()
    body = {"name": "later", "scopes": ["read"], "expires_at": later}
    refused = await program.post("/api-tokens", body)
    assert code(refused) == "403 insufficient-scope"
    assert refused.json()["detail"] == "A token cannot expire later than its creator."
    # An access token expires within the hour, and creates tokens that do not.
    assert created(await ada.post("/api-tokens", body))["expires_at"] is not None
    assert (await ada.api_token())["expires_at"] is None


async def test_a_token_is_revoked_with_what_it_created(ada: User) -> None:
    first = await ada.api_token()
    second = await ada.using(first["token"]).api_token()
    third = await ada.using(second["token"]).api_token()
    other = await ada.api_token()
    assert set(second) == FIELDS | {"token"}
    # Also by itself, and by one that it created.
    revoked = await ada.using(third["token"]).delete(f"/api-tokens/{first['id']}")
    assert revoked.status_code == 204
    for token in (first, second, third):
        program = ada.using(token["token"])
        assert code(await program.get("/user-profiles/me")) == "401 unauthenticated"
    (listed,) = (await ada.get("/api-tokens")).json()["items"]
    assert listed["id"] == other["id"]


@pytest.mark.long
async def test_a_user_has_at_most_100_tokens(ada: User) -> None:
    tokens = [await ada.api_token() for _ in range(100)]
    refused = await ada.post("/api-tokens", {"name": "one more", "scopes": ["read"]})
    assert code(refused) == "409 api-token-limit-reached"
    assert (refused.json()["limit"], refused.json()["used"]) == (100, 100)
    await ada.delete(f"/api-tokens/{tokens[0]['id']}")
    await ada.api_token()


async def test_a_revoked_token_is_refused_immediately(ada: User) -> None:
    token = await ada.api_token()
    program = ada.using(token["token"])
    assert (await program.get("/user-profiles/me")).status_code == 200
    revoked = await ada.delete(f"/api-tokens/{token['id']}")
    assert (revoked.status_code, revoked.content) == (204, b"")
    assert code(await program.get("/user-profiles/me")) == "401 unauthenticated"
    assert (await ada.get("/api-tokens")).json()["items"] == []
    again = await ada.delete(f"/api-tokens/{token['id']}")
    assert code(again) == "404 api-token-not-found"


async def test_a_token_can_revoke_itself(ada: User) -> None:
    token = await ada.api_token()
    program = ada.using(token["token"])
    assert (await program.delete(f"/api-tokens/{token['id']}")).status_code == 204
    assert code(await program.get("/user-profiles/me")) == "401 unauthenticated"


@pytest.mark.long
async def test_a_token_is_refused_after_its_expiry(ada: User) -> None:
    ends = datetime.now(UTC) + timedelta(seconds=0.5)
    program = ada.using((await ada.api_token(expires_at=ends.isoformat()))["token"])
    while (answer := await program.get("/user-profiles/me")).status_code == 200:
        assert datetime.now(UTC) < ends + timedelta(seconds=5)
        await asyncio.sleep(0.02)
    assert code(answer) == "401 unauthenticated"
    assert datetime.now(UTC) >= ends


async def test_a_token_has_the_time_of_its_last_use(ada: User) -> None:
    token = await ada.api_token()
    await ada.using(token["token"]).get("/user-profiles/me")
    (listed,) = (await ada.get("/api-tokens")).json()["items"]
    assert utc(listed["last_used_at"]) >= utc(token["created_at"])


async def test_the_fields_of_a_token_are_validated(ada: User) -> None:
    async def refusal(**fields: object) -> list[tuple[str, str]]:
        given = {"name": "laptop", "scopes": ["read"], **fields}
        body = {name: value for name, value in given.items() if value is not ...}
        return faults(await ada.post("/api-tokens", body))

    assert await refusal(name=...) == [("/name", "missing")]
    assert await refusal(scopes=...) == [("/scopes", "missing")]
    assert await refusal(name="  ") == [("/name", "too-short")]
    assert await refusal(scopes=[]) == [("/scopes", "too-short")]
    assert await refusal(scopes="read") == [("/scopes", "list-expected")]
    assert await refusal(scopes=["read", "admin"]) == [("/scopes/1", "unknown-value")]
    not_times = ("tomorrow", "2031-01-01", "2031-01-01T00:00:00", 1_900_000_000, True, "")
    for time in (*not_times, "2031-W01-1T00:00:00Z", "2031-001T00:00:00Z"):
        assert await refusal(expires_at=time) == [("/expires_at", "not-a-time")]
    past = (datetime.now(UTC) - timedelta(seconds=1)).isoformat()
    for time in ("2020-01-01T00:00:00Z", "0001-01-01t00:00:00z", past):
        assert await refusal(expires_at=time) == [("/expires_at", "in-the-past")]
    both = await refusal(name=" ", expires_at=past)
    assert both == [("/name", "too-short"), ("/expires_at", "in-the-past")]
    for field in ("id", "token", "created_at", "last_used_at", "creator_id"):
        assert await refusal(**{field: None}) == [(f"/{field}", "unknown-field")]
    assert (await ada.get("/api-tokens")).json()["items"] == []


async def test_tokens_may_have_the_same_name(ada: User) -> None:
    one, other = await ada.api_token(), await ada.api_token()
    assert one["name"] == other["name"]
    assert one["id"] != other["id"]
