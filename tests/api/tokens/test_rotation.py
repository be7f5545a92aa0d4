"""Rotating API tokens, the token of the request, and tokens that expire soon."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from scripts.support.polling import until
from symphony.domain import api_tokens, attention
from symphony.domain.base import new_id, utc_now
from tests.support.api import API, User, code, created, faults, utc

FIELDS = {"id", "name", "scopes", "expires_at", "created_at", "last_used_at"} | {
    "workspace_ids",
    "machine_id",
}
DAY = timedelta(days=1)


def after(time: timedelta) -> str:
    return (datetime.now(UTC) + time).isoformat()


async def rotate(
    user: User, token: dict[str, Any], overlap: int = 0, **fields: Any
) -> dict[str, Any]:
    body = {"overlap_seconds": overlap, **fields}
    return created(await user.post(f"/api-tokens/{token['id']}/rotate", body))


async def works(user: User, token: dict[str, Any]) -> bool:
    answer = await user.using(token["token"]).get("/user-profiles/me")
    if answer.status_code == 200:
        return True
    assert code(answer) == "401 unauthenticated"
    return False


async def listed(user: User, query: str = "") -> dict[str, dict[str, Any]]:
    items = (await user.get(f"/api-tokens{query}")).json()["items"]
    return {item["id"]: item for item in items}


async def test_a_successor_has_the_same_name_and_rights_and_its_secret_is_returned_once(
    ada: User,
) -> None:
    old = await ada.api_token("write", name="ci")
    path = f"/api-tokens/{old['id']}/rotate"
    answer = await ada.post(path, {"overlap_seconds": 600})
    new = created(answer)
    assert set(new) == FIELDS | {"token"}
    assert (new["name"], new["scopes"], new["expires_at"]) == ("ci", ["write"], None)
    assert new["last_used_at"] is None
    assert new["id"] != old["id"]
    assert new["token"] != old["token"]
    assert answer.headers["location"] == f"{API}/api-tokens/{new['id']}"
    assert answer.headers["etag"].startswith('"')
    assert answer.headers["cache-control"] == "no-store"
    assert new["token"] not in (await ada.get("/api-tokens")).text


async def test_both_tokens_are_valid_during_the_overlap(ada: User) -> None:
    old = await ada.api_token()
    new = await rotate(ada, old, 86_400)
    assert await works(ada, old)
    assert await works(ada, new)
    end = utc((await listed(ada))[old["id"]]["expires_at"])
    assert abs(end - datetime.now(UTC) - DAY) < timedelta(minutes=1)


async def test_a_token_without_an_overlap_is_revoked_at_once(ada: User) -> None:
    old = await ada.api_token()
    new = await rotate(ada, old)
    assert not await works(ada, old)
    assert await works(ada, new)
    assert set(await listed(ada)) == {new["id"]}
    again = await ada.post(f"/api-tokens/{old['id']}/rotate", {"overlap_seconds": 0})
    assert code(again) == "404 api-token-not-found"


async def test_an_overlap_prolongs_no_token(ada: User) -> None:
    end = after(timedelta(minutes=1))
    old = await ada.api_token(expires_at=end)
    await rotate(ada, old, 600)
    assert utc((await listed(ada))[old["id"]]["expires_at"]) == datetime.fromisoformat(end)


async def test_a_successor_gets_the_same_lifetime_unless_another_expiry_is_given(
    ada: User,
) -> None:
    old = await ada.api_token(expires_at=after(30 * DAY))
    lifetime = utc(old["expires_at"]) - utc(old["created_at"])
    new = await rotate(ada, old)
    assert utc(new["expires_at"]) - utc(new["created_at"]) == lifetime
    sooner, later = after(DAY), after(300 * DAY)
    for end in (sooner, later):
        new = await rotate(ada, new, expires_at=end)
        assert utc(new["expires_at"]) == datetime.fromisoformat(end)
    farthest = await ada.api_token(expires_at="9999-12-31T23:59:59.999999Z")
    assert (await rotate(ada, farthest))["expires_at"] == farthest["expires_at"]


async def test_a_token_that_rotates_itself_lives_no_longer(ada: User) -> None:
    old = await ada.api_token(expires_at=after(DAY))
    program = ada.using(old["token"])
    path = f"/api-tokens/{old['id']}/rotate"
    later = (utc(old["expires_at"]) + timedelta(seconds=1)).isoformat()
    refused = await program.post(path, {"overlap_seconds": 0, "expires_at": later})
    assert code(refused) == "403 insufficient-scope"
    assert await works(ada, old)
    new = await rotate(program, old)
    assert new["expires_at"] == old["expires_at"]
    assert code(await program.get("/user-profiles/me")) == "401 unauthenticated"
    sooner = after(timedelta(hours=1))
    newest = await rotate(ada.using(new["token"]), new, expires_at=sooner)
    assert utc(newest["expires_at"]) == datetime.fromisoformat(sooner)


async def test_a_token_rotates_what_it_created_and_no_other_token(ada: User, eve: User) -> None:
    root = await ada.api_token(expires_at=after(DAY))
    program = ada.using(root["token"])
    child = await program.api_token(expires_at=after(timedelta(hours=1)))
    leaf = await ada.using(child["token"]).api_token()
    other = await ada.api_token("read")
    for token in (child, leaf):
        new = await rotate(program, token, 600)
        assert utc(new["expires_at"]) <= utc(root["expires_at"])
    path = f"/api-tokens/{new['id']}/rotate"
    later = (utc(root["expires_at"]) + timedelta(seconds=1)).isoformat()
    refused = await program.post(path, {"overlap_seconds": 0, "expires_at": later})
    assert code(refused) == "403 insufficient-scope"
    # A secret that the program gets must be revoked with the program's token.
    for user, token in ((program, other), (ada.using(leaf["token"]), root)):
        refused = await user.post(f"/api-tokens/{token['id']}/rotate", {"overlap_seconds": 0})
        assert code(refused) == "403 insufficient-scope"
    foreign = await eve.post(f"/api-tokens/{other['id']}/rotate", {"overlap_seconds": 0})
    unknown = await ada.post(f"/api-tokens/{new_id()}/rotate", {"overlap_seconds": 0})
    assert code(foreign) == code(unknown) == "404 api-token-not-found"
    reader = ada.using(other["token"])
    refused = await reader.post(f"/api-tokens/{other['id']}/rotate", {"overlap_seconds": 0})
    assert code(refused) == "403 insufficient-scope"


async def test_a_confined_token_rotates_itself_and_stays_confined(ada: User) -> None:
    inside, outside = (await ada.workspace("in"))["id"], (await ada.workspace("out"))["id"]
    old = await ada.api_token(workspace_ids=[inside], expires_at=after(DAY))
    other = await ada.api_token(workspace_ids=[inside])
    for overlap in (600, 0):
        program = ada.using(old["token"])
        for unknown in (other["id"], str(new_id())):
            refused = await program.post(f"/api-tokens/{unknown}/rotate", {"overlap_seconds": 0})
            assert code(refused) == "403 insufficient-scope"
        new = await rotate(program, old, overlap)
        assert new["workspace_ids"] == [inside]
        for token in [old, new] if overlap else [new]:
            program = ada.using(token["token"])
            shown = (await program.get("/api-tokens/current")).json()
            assert (shown["id"], shown["workspace_ids"]) == (token["id"], [inside])
            assert (await program.get(f"/workspaces/{inside}")).status_code == 200
            refused = await program.get(f"/workspaces/{outside}")
            assert code(refused) == "404 workspace-not-found"
        old = new
    await ada.delete(f"/workspaces/{inside}")
    newest = await rotate(ada, old)
    assert newest["workspace_ids"] == []
    assert code(await ada.using(newest["token"]).get(f"/workspaces/{outside}")) == (
        "404 workspace-not-found"
    )


async def test_what_a_token_created_depends_on_its_successor(ada: User) -> None:
    root = await ada.api_token()
    old = await ada.using(root["token"]).api_token()
    child = await ada.using(old["token"]).api_token()
    new = await rotate(ada, old, 600)
    late = await ada.using(old["token"]).api_token()
    assert utc(late["expires_at"]) == utc((await listed(ada))[old["id"]]["expires_at"])
    assert (await ada.delete(f"/api-tokens/{old['id']}")).status_code == 204
    assert [await works(ada, each) for each in (old, late, new, child)] == [
        False,
        False,
        True,
        True,
    ]
    newest = await rotate(ada, new)
    assert [await works(ada, each) for each in (new, newest, child)] == [False, True, True]
    assert (await ada.delete(f"/api-tokens/{root['id']}")).status_code == 204
    assert await listed(ada) == {}


@pytest.mark.long
async def test_a_vault_that_was_unlocked_with_a_token_is_locked_when_it_ends(ada: User) -> None:
    workspace_id = (await ada.workspace())["id"]
    passphrase = "correct horse battery"
    vault = await ada.vault(workspace_id, protection="passphrase", passphrase=passphrase)

    async def is_locked() -> bool:
        return (await ada.get(f"/vaults/{vault['id']}")).json()["is_locked"]

    token = await ada.api_token("read", "write", "secrets")
    for overlap in (600, 0, 1):
        program = ada.using(token["token"])
        unlocked = await program.post(f"/vaults/{vault['id']}/unlock", {"passphrase": passphrase})
        assert unlocked.status_code == 200
        token = await rotate(ada, token, overlap)
        assert await is_locked() is (overlap == 0)
        if overlap == 600:
            assert (await ada.post(f"/vaults/{vault['id']}/lock")).status_code == 200
    await until(is_locked)


async def test_a_session_goes_on_during_the_overlap(ada: User) -> None:
    passphrase = {"passphrase": "correct horse battery"}
    workspace_id = (await ada.workspace())["id"]
    vault = (await ada.vault(workspace_id, protection="passphrase", **passphrase))["id"]
    old = await ada.api_token("read", "secrets")
    program = ada.using(old["token"])
    session = (await program.post(f"/vaults/{vault}/unlock", passphrase)).json()["session"]
    new = await rotate(ada, old, 600)
    for token, status in ((old, 200), (new, 423)):
        headers = {"Vault-Session": session}
        answer = await ada.using(token["token"]).get(f"/vaults/{vault}/entries", headers=headers)
        assert answer.status_code == status, answer.text


async def test_a_token_is_rotated_once(ada: User) -> None:
    old = await ada.api_token()
    path = f"/api-tokens/{old['id']}/rotate"
    new = await rotate(ada, old, 600)
    for user in (ada, ada.using(old["token"])):
        again = await user.post(path, {"overlap_seconds": 0})
        assert code(again) == "409 api-token-rotated"
    await ada.delete(f"/api-tokens/{new['id']}")
    assert code(await ada.post(path, {"overlap_seconds": 0})) == "409 api-token-rotated"


async def test_an_expired_token_is_replaced_at_once(
    ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = await ada.api_token(expires_at=after(DAY))
    for module in ("api_tokens", "tokens.rotation"):
        late = lambda: utc_now() + 2 * DAY  # noqa: E731
        monkeypatch.setattr(f"symphony.domain.{module}.utc_now", late)
    assert code(await ada.using(old["token"]).get("/user-profiles/me")) == "401 unauthenticated"
    new = await rotate(ada, old, 600)
    assert set(await listed(ada)) == {new["id"]}
    assert await works(ada, new)


@pytest.mark.long
async def test_a_user_with_100_tokens_rotates_without_an_overlap(ada: User) -> None:
    tokens = [await ada.api_token() for _ in range(100)]
    path = f"/api-tokens/{tokens[0]['id']}/rotate"
    refused = await ada.post(path, {"overlap_seconds": 1})
    assert code(refused) == "409 api-token-limit-reached"
    assert (refused.json()["limit"], refused.json()["used"]) == (100, 100)
    assert await works(ada, tokens[0])
    await rotate(ada, tokens[0])
    assert len((await ada.get("/api-tokens?limit=200")).json()["items"]) == 100
    await ada.delete(f"/api-tokens/{tokens[1]['id']}")
    await rotate(ada, tokens[2], 600)


async def test_the_fields_of_a_rotation_are_validated(ada: User) -> None:
    token = await ada.api_token()

    async def refusal(**fields: object) -> list[tuple[str, str]]:
        given = {"overlap_seconds": 0, **fields}
        body = {name: value for name, value in given.items() if value is not ...}
        return faults(await ada.post(f"/api-tokens/{token['id']}/rotate", body))

    assert await refusal(overlap_seconds=...) == [("/overlap_seconds", "missing")]
    assert await refusal(overlap_seconds=-1) == [("/overlap_seconds", "too-small")]
    assert await refusal(overlap_seconds=86_401) == [("/overlap_seconds", "too-large")]
    for value in (None, "60", True, 0.5):
        assert await refusal(overlap_seconds=value) == [("/overlap_seconds", "integer-expected")]
    assert await refusal(expires_at="tomorrow") == [("/expires_at", "not-a-time")]
    past = after(timedelta(seconds=-1))
    assert await refusal(expires_at=past) == [("/expires_at", "in-the-past")]
    for field in ("name", "scopes", "token"):
        assert await refusal(**{field: None}) == [(f"/{field}", "unknown-field")]
    assert set(await listed(ada)) == {token["id"]}


async def test_parallel_rotations_of_one_token_produce_one_successor(ada: User) -> None:
    for overlap, refusals in ((0, {"401 unauthenticated"}), (600, {"409 api-token-rotated"})):
        old = await ada.api_token()
        program = ada.using(old["token"])
        before = set(await listed(ada)) - {old["id"]}
        path = f"/api-tokens/{old['id']}/rotate"
        answers = await asyncio.gather(
            *(program.post(path, {"overlap_seconds": overlap}) for _ in range(10))
        )
        assert sorted(each.status_code for each in answers)[0] == 201
        refused = [each for each in answers if each.status_code != 201]
        assert len(refused) == 9
        assert {code(each) for each in refused} == refusals
        assert len(set(await listed(ada)) - before) == (2 if overlap else 1)


async def test_the_token_of_the_request_is_returned_with_its_user(ada: User) -> None:
    token = await ada.api_token("read", name="ci", expires_at=after(DAY))
    program = ada.using(token["token"])
    answer = await program.get("/api-tokens/current")
    assert answer.status_code == 200
    shown = answer.json()
    assert utc(shown.pop("last_used_at")) >= utc(token["created_at"])
    expected = {name: token[name] for name in FIELDS - {"last_used_at"}}
    assert shown == {**expected, "user_profile_id": ada.id}
    headers = {"If-None-Match": answer.headers["etag"]}
    assert (await program.get("/api-tokens/current", headers=headers)).status_code == 304
    assert code(await ada.get("/api-tokens/current")) == "404 api-token-not-found"
    writer = await ada.api_token("write")
    assert (await ada.using(writer["token"]).get("/api-tokens/current")).status_code == 200
    wrong = await ada.delete("/api-tokens/current")
    assert code(wrong) == "405 method-not-allowed"
    assert set(wrong.headers["allow"].split(", ")) == {"GET", "HEAD", "OPTIONS"}


async def test_a_list_of_tokens_that_expire_soon(
    ada: User, eve: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    await eve.api_token(expires_at=after(DAY))
    await ada.api_token(name="never")
    expired = await ada.api_token(name="expired", expires_at=after(timedelta(seconds=0.2)))
    ends = {days: after(days * DAY) for days in (1, 3, 40)}
    tokens = {days: (await ada.api_token(expires_at=end))["id"] for days, end in ends.items()}

    async def has_expired() -> bool:
        return not await works(ada, expired)

    await until(has_expired)
    for days, found in ((1, {1}), (2, {1}), (4, {1, 3}), (3650, {1, 3, 40})):
        query = f"?expiring_within_days={days}"
        assert set(await listed(ada, query)) == {tokens[each] for each in found}
    query = "?expiring_within_days=100&limit=2"
    first = (await ada.get(f"/api-tokens{query}")).json()
    rest = (await ada.get(f"/api-tokens{query}&cursor={first['next_cursor']}")).json()
    assert [each["id"] for each in [*first["items"], *rest["items"]]] == list(tokens.values())
    other = f"/api-tokens?expiring_within_days=99&cursor={first['next_cursor']}"
    assert code(await ada.get(other)) == "400 invalid-cursor"
    for value, fault in (("0", "too-small"), ("3651", "too-large"), ("x", "integer-expected")):
        refused = await ada.get(f"/api-tokens?expiring_within_days={value}")
        assert faults(refused) == [("expiring_within_days", fault)]


async def test_tokens_that_expire_within_14_days_are_on_the_board(ada: User, eve: User) -> None:
    workspace_id = (await ada.workspace())["id"]
    await eve.api_token(expires_at=after(DAY))
    for name, end in (("never", None), ("later", after(15 * DAY))):
        await ada.api_token(name=name, expires_at=end)
    soon = await ada.api_token(name="ci/build", expires_at=after(13 * DAY))
    await rotate(ada, await ada.api_token(name="rotated"), 600)
    path = f"/user-profiles/{ada.id}/attention"
    answer = await ada.get(path)
    (item,) = answer.json()["items"]
    assert abs(utc(item.pop("observed_at")) - datetime.now(UTC)) < timedelta(minutes=1)
    told = {name: value for name, value in item.items() if value is not None}
    assert told == {
        "kind": "api-token",
        "id": soon["id"],
        "name": "ci/build",
        "reasons": ["token-expiring"],
        "at_risk": False,
        "checkouts": [],
    }
    headers = {"If-None-Match": answer.headers["etag"]}
    assert (await ada.get(path, headers=headers)).status_code == 304
    for query, count in (
        ("reason=token-expiring", 1),
        ("reason=unlocked", 0),
        ("at_risk=true", 0),
        (f"workspace_id={workspace_id}", 0),
    ):
        assert len((await ada.get(f"{path}?{query}")).json()["items"]) == count
    assert code(await eve.get(path)) == "404 user-profile-not-found"
    confined = await ada.api_token("read", workspace_ids=[workspace_id], expires_at=after(DAY))
    assert (await ada.using(confined["token"]).get(path)).json()["items"] == []
    await ada.delete(f"/api-tokens/{confined['id']}")
    await rotate(ada, soon, 600, expires_at=after(20 * DAY))
    changed = await ada.get(path, headers=headers)
    assert changed.json()["items"] == []
    assert attention.EXPIRES_SOON == 14 * DAY


@pytest.mark.long
async def test_parallel_requests_store_the_last_use_once(
    ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = await ada.api_token()
    program = ada.using(token["token"])
    start = utc_now()
    await asyncio.gather(*(program.get("/user-profiles/me") for _ in range(50)))
    first = utc((await listed(ada))[token["id"]]["last_used_at"])
    assert first >= start
    await program.get("/user-profiles/me")
    assert utc((await listed(ada))[token["id"]]["last_used_at"]) == first
    moved = "symphony.application.orchestrations.identification.utc_now"
    for module in (moved, "symphony.domain.api_tokens.utc_now"):
        monkeypatch.setattr(module, lambda: utc_now() + api_tokens.USE_RESOLUTION)
    await program.get("/user-profiles/me")
    assert utc((await listed(ada))[token["id"]]["last_used_at"]) > first
