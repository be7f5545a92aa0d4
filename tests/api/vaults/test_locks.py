"""Vaults with a passphrase: locked without a valid session, which only its token can use."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from scripts.support.polling import until
from symphony.config.settings import Settings
from symphony.infrastructure.database.vaults import sessions
from tests.support.api import User, code, faults, running_api, sign_in, sign_up, utc
from tests.support.vaults import OpenVault

PASSPHRASE = "a horse, a battery and a staple"
OTHER = "a mare, a cell and a paper clip"


async def a_vault(owner: User, name: str = "secret", **fields: Any) -> OpenVault:
    workspace = (await owner.workspace(f"of {name}"))["id"]
    protected = {"protection": "passphrase", "passphrase": PASSPHRASE}
    created = await owner.vault(workspace, name, **protected, **fields)
    return OpenVault(owner, created["id"], PASSPHRASE)


@pytest.fixture
async def vault(ada: User) -> OpenVault:
    return await a_vault(ada)


async def test_a_vault_with_a_passphrase_is_created_locked(vault: OpenVault) -> None:
    shown = await vault.shown()
    assert (shown["protection"], shown["is_locked"], shown["version"]) == ("passphrase", True, 1)
    assert "passphrase" not in shown
    assert code(await vault.get()) == "423 vault-locked"


@pytest.mark.parametrize("store_kind", ["sqlite-memory"])
async def test_protection_and_passphrase_belong_together(ada: User) -> None:
    path = f"/workspaces/{(await ada.workspace())['id']}/vaults"
    for fields, expected in (
        ({"protection": "passphrase"}, ("/passphrase", "missing")),
        ({"passphrase": PASSPHRASE}, ("/passphrase", "unknown-field")),
        ({"protection": "none", "passphrase": PASSPHRASE}, ("/passphrase", "unknown-field")),
        (
            {"protection": "passphrase", "passphrase": "x" * 11},
            ("/passphrase", "passphrase-length"),
        ),
        (
            {"protection": "passphrase", "passphrase": "x" * 1025},
            ("/passphrase", "passphrase-length"),
        ),
        ({"protection": "passphrase", "passphrase": None}, ("/passphrase", "string-expected")),
        ({"protection": "password"}, ("/protection", "unknown-value")),
    ):
        answer = await ada.post(path, {"name": "keys", "path": "/k", **fields})
        assert faults(answer) == [expected], fields
    assert (await ada.get(path)).json()["items"] == []


async def test_a_session_opens_the_vault_for_its_holder(vault: OpenVault) -> None:
    before = datetime.now(UTC)
    answer = await vault.unlock(ttl_seconds=60)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    opened = answer.json()
    assert opened["is_locked"] is False
    assert opened["version"] == 2
    until_ = utc(opened.pop("unlocked_until"))
    assert timedelta(seconds=59) < until_ - before < timedelta(seconds=90)
    session = opened.pop("session")
    assert await vault.shown() == opened
    holder = replace(vault, session=session)
    assert (await holder.put(content="grüße")).status_code == 201
    assert (await holder.get()).json()["content"] == "grüße"
    assert (await holder.ask("GET", "/entries")).json()["items"][0]["key"] == "a"
    assert (await holder.ask("GET", "/versions/a")).status_code == 200
    assert (await holder.ask("POST", "/restore/a", {"version": 1})).json()["version"] == 2
    assert (await holder.ask("DELETE", "/entries/a")).status_code == 204


async def test_without_a_valid_session_of_the_token_every_access_is_a_423(
    vault: OpenVault, client: httpx.AsyncClient
) -> None:
    holder = await vault.opened()
    await holder.put()
    other = await a_vault(vault.owner, "other")
    others = await other.opened()
    second = vault.owner.using(await sign_in(client, "ada"))
    if second.token == vault.owner.token:  # both were created in the same second
        token = (await vault.owner.api_token())["token"]
        second = vault.owner.using(token)
    for caller in (
        vault,
        replace(vault, session="symv_unknown"),
        replace(vault, session=holder.session[:-1]),
        replace(vault, session=others.session),
        replace(holder, owner=second),
    ):
        for method, path, body in (
            ("GET", "/entries/a", None),
            ("GET", "/entries/nothing", None),
            ("GET", "/entries", None),
            ("GET", "/versions/a", None),
            ("PUT", "/entries/a", {"content": "x"}),
            ("DELETE", "/entries/a", None),
            ("POST", "/restore/a", {"version": 1}),
        ):
            assert code(await caller.ask(method, path, body)) == "423 vault-locked"
    assert (await holder.get()).json()["content"] == "kept"


async def test_a_session_header_with_any_bytes_is_an_unknown_session(vault: OpenVault) -> None:
    for value in (b"\xff\xfe", b"", b" ", b"x" * 5000, "💥".encode()):
        headers = {
            b"Authorization": f"Bearer {vault.owner.token}".encode(),
            b"Vault-Session": value,
        }
        answer = await vault.owner.client.get(f"/api/v1{vault.path}/entries/a", headers=headers)
        assert code(answer) == "423 vault-locked"


async def test_the_error_tells_a_missing_session_from_one_that_is_not_valid(
    ada: User, vault: OpenVault
) -> None:
    async def detail(holder: OpenVault) -> str:
        answer = await holder.get()
        assert code(answer) == "423 vault-locked"
        return answer.json()["detail"]

    assert await detail(vault) == "The vault is locked; unlock it first."
    holder = await vault.opened()
    assert "unlock it to get a session of your own" in await detail(vault)
    other_token = replace(holder, owner=ada.using((await ada.api_token())["token"]))
    other_vault = replace(holder, id=(await a_vault(ada, "other")).id)
    assert await detail(other_vault) == "The vault is locked; unlock it first."
    for wrong in (replace(holder, session="symv_nothing"), other_token):
        assert (await detail(wrong)).startswith("The session has expired, was revoked, or is bound")


async def test_locking_revokes_every_session(vault: OpenVault) -> None:
    holders = [await vault.opened() for _ in range(3)]
    await holders[0].put()
    assert [(await each.get()).status_code for each in holders] == [200] * 3
    locked = await vault.owner.post(f"{vault.path}/lock")
    assert (locked.json()["is_locked"], locked.json()["version"]) == (True, 3)
    for each in holders:
        assert code(await each.get()) == "423 vault-locked"
        assert code(await each.put()) == "423 vault-locked"
    assert (await vault.owner.post(f"{vault.path}/lock")).json() == locked.json()
    again = await vault.opened()
    assert (await again.get()).json()["content"] == "kept"
    assert code(await holders[0].get()) == "423 vault-locked"


@pytest.mark.long
async def test_the_vault_is_locked_when_its_session_expires(vault: OpenVault) -> None:
    holder = await vault.opened(ttl_seconds=1)
    assert (await holder.put()).status_code == 201
    open_state = await vault.owner.get(vault.path)
    assert open_state.json()["is_locked"] is False

    async def is_locked() -> bool:
        return (await vault.shown())["is_locked"]

    await until(is_locked)
    assert code(await holder.get()) == "423 vault-locked"
    locked_state = await vault.owner.get(vault.path)
    assert locked_state.json() == open_state.json() | {"is_locked": True}
    assert locked_state.headers["etag"] != open_state.headers["etag"]
    known = {"If-None-Match": open_state.headers["etag"]}
    assert (await vault.owner.get(vault.path, headers=known)).status_code == 200
    stale = {"If-Match": open_state.headers["etag"]}
    answer = await vault.owner.patch(vault.path, {"path": "/new"}, headers=stale)
    assert code(answer) == "412 precondition-failed"
    assert code(await vault.owner.patch(vault.path, {"path": "/new"})) == "423 vault-locked"
    assert (await (await vault.opened()).get()).status_code == 200
    assert (await vault.shown())["version"] == 3


@pytest.mark.long
async def test_lists_filter_by_what_is_locked_now(ada: User, vault: OpenVault) -> None:
    workspace = (await vault.shown())["workspace_id"]
    plain = await ada.vault(workspace, "plain")

    async def listed(*, is_locked: bool, sort: str = "name") -> list[str]:
        path = f"/workspaces/{workspace}/vaults"
        parameters = {"is_locked": str(is_locked).lower(), "sort": sort}
        items = (await ada.get(path, params=parameters)).json()["items"]
        assert {each["is_locked"] for each in items} <= {is_locked}
        return [each["name"] for each in items]

    assert (await listed(is_locked=True), await listed(is_locked=False)) == (["secret"], ["plain"])
    await ada.post(f"/vaults/{plain['id']}/lock")
    await vault.opened(ttl_seconds=1)
    assert (await listed(is_locked=True), await listed(is_locked=False)) == (["plain"], ["secret"])

    async def is_over() -> bool:
        return await listed(is_locked=True, sort="-name") == ["secret", "plain"]

    await until(is_over)
    assert await listed(is_locked=False) == []


async def test_the_record_can_be_changed_while_the_vault_is_open(vault: OpenVault) -> None:
    changes: list[dict[str, Any]] = [{"path": "/new"}, {"metadata": {}}]
    for change in changes:
        assert code(await vault.owner.patch(vault.path, change)) == "423 vault-locked"
    await vault.opened()
    changed = (await vault.owner.patch(vault.path, {"path": "/new"})).json()
    assert (changed["path"], changed["is_locked"], changed["version"]) == ("/new", False, 3)
    assert await vault.shown() == changed
    assert (await vault.owner.delete(vault.path)).status_code == 204


async def test_a_locked_vault_is_deleted_only_by_force(vault: OpenVault) -> None:
    assert code(await vault.owner.delete(vault.path)) == "423 vault-locked"
    assert (await vault.owner.delete(f"{vault.path}?force=true")).status_code == 204
    for answer in (await vault.unlock(), await vault.get()):
        assert code(answer) == "404 vault-not-found"


@pytest.mark.parametrize("store_kind", ["sqlite-memory"])
async def test_unlocking_validates_its_fields(ada: User, vault: OpenVault) -> None:
    for body, expected in (
        (None, ("/passphrase", "missing")),
        ({}, ("/passphrase", "missing")),
        ({"ttl_seconds": 5}, ("/passphrase", "missing")),
        ({"passphrase": "short"}, ("/passphrase", "passphrase-length")),
        ({"passphrase": None}, ("/passphrase", "string-expected")),
        ({"passphrase": PASSPHRASE, "ttl_seconds": 0}, ("/ttl_seconds", "too-small")),
        ({"passphrase": PASSPHRASE, "ttl_seconds": 3601}, ("/ttl_seconds", "too-large")),
        ({"passphrase": PASSPHRASE, "ttl_seconds": True}, ("/ttl_seconds", "integer-expected")),
        ({"passphrase": PASSPHRASE, "ttl_seconds": "5"}, ("/ttl_seconds", "integer-expected")),
        ({"passphrase": PASSPHRASE, "colour": "x"}, ("/colour", "unknown-field")),
    ):
        options = {} if body is None else {"json": body}
        answer = await ada.request("POST", f"{vault.path}/unlock", **options)
        assert faults(answer) == [expected], body
    assert (await vault.shown())["is_locked"] is True
    bad = await ada.request("POST", f"{vault.path}/unlock", content=b"{")
    assert code(bad) == "415 unsupported-media-type"


@pytest.mark.parametrize("store_kind", ["sqlite-memory"])
async def test_the_body_null_is_the_same_as_no_body_where_no_body_is_needed(ada: User) -> None:
    plain = await ada.vault((await ada.workspace())["id"])
    path = f"/vaults/{plain['id']}"
    await ada.post(f"{path}/lock")
    answer = await ada.request(
        "POST", f"{path}/unlock", content=b"null", headers={"Content-Type": "application/json"}
    )
    assert (answer.status_code, answer.json()["is_locked"]) == (200, False)
    refused = await ada.request(
        "PATCH", path, content=b"null", headers={"Content-Type": "application/json"}
    )
    assert code(refused) == "422 validation-error"


async def test_a_vault_without_a_passphrase_refuses_one(ada: User) -> None:
    plain = await ada.vault((await ada.workspace())["id"])
    path = f"/vaults/{plain['id']}"
    for body in ({"passphrase": PASSPHRASE}, {"ttl_seconds": 60}):
        answer = await ada.post(f"{path}/unlock", body)
        assert faults(answer) == [(f"/{next(iter(body))}", "unknown-field")]
    changed = await ada.put(f"{path}/passphrase", {"old": PASSPHRASE, "new": OTHER})
    assert code(changed) == "409 vault-without-passphrase"
    assert (await ada.post(f"{path}/unlock", {})).json()["session"] is None


async def test_if_match_guards_locking_and_unlocking(vault: OpenVault) -> None:
    etag = (await vault.owner.get(vault.path)).headers["etag"]
    body, stale = {"passphrase": PASSPHRASE}, {"If-Match": '"stale"'}
    answer = await vault.owner.post(f"{vault.path}/unlock", body, headers=stale)
    assert code(answer) == "412 precondition-failed"
    opened = await vault.owner.post(f"{vault.path}/unlock", body, headers={"If-Match": etag})
    assert opened.status_code == 200
    locked = await vault.owner.post(f"{vault.path}/lock", headers={"If-Match": etag})
    assert code(locked) == "412 precondition-failed"
    now = {"If-Match": opened.headers["etag"]}
    assert (await vault.owner.post(f"{vault.path}/lock", headers=now)).status_code == 200


async def test_a_session_expires_no_later_than_its_token(settings: Settings) -> None:
    async with running_api(settings.model_copy(update={"access_token_ttl": 30})) as client:
        ada = await sign_up(client, "ada")
        vault = await a_vault(ada)
        ends_at = utc((await vault.unlock()).json()["unlocked_until"])
        assert ends_at - datetime.now(UTC) <= timedelta(seconds=30)
        soon = (datetime.now(UTC) + timedelta(seconds=60)).isoformat()
        token = await ada.api_token(expires_at=soon)
        by_token = replace(vault, owner=ada.using(token["token"]))
        assert (await by_token.unlock()).json()["unlocked_until"] == token["expires_at"]


async def test_revoking_a_token_revokes_its_sessions(ada: User, vault: OpenVault) -> None:
    token = await ada.api_token()
    by_token = replace(vault, owner=ada.using(token["token"]))
    holder = await by_token.opened()
    assert (await holder.put()).status_code == 201
    assert (await vault.shown())["is_locked"] is False
    assert (await ada.delete(f"/api-tokens/{token['id']}")).status_code == 204
    assert (await vault.shown())["is_locked"] is True
    assert code(await holder.get()) == "401 unauthenticated"
    assert code(await replace(holder, owner=ada).get()) == "423 vault-locked"


async def test_revoking_the_creator_of_a_token_revokes_its_sessions(
    ada: User, vault: OpenVault
) -> None:
    creator = await ada.api_token()
    token = await ada.using(creator["token"]).api_token()
    holder = await replace(vault, owner=ada.using(token["token"])).opened()
    assert (await vault.shown())["is_locked"] is False
    assert (await ada.delete(f"/api-tokens/{creator['id']}")).status_code == 204
    assert (await vault.shown())["is_locked"] is True
    assert code(await replace(holder, owner=ada).get()) == "423 vault-locked"


@pytest.mark.long
async def test_with_too_many_sessions_those_that_expire_first_are_revoked(
    vault: OpenVault, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert sessions.MAX_SESSIONS == 100
    holders = [await vault.opened(ttl_seconds=600 + number) for number in range(101)]
    await holders[-1].put()
    assert code(await holders[0].get()) == "423 vault-locked"
    assert (await holders[1].get()).status_code == 200


async def test_sessions_survive_a_restart(settings: Settings, store_kind: str) -> None:
    if store_kind == "sqlite-memory":
        pytest.skip("a database in memory does not outlive anything")
    async with running_api(settings) as client:
        vault = await a_vault(await sign_up(client, "ada"))
        holder = await vault.opened()
        await holder.put()
    async with running_api(settings) as client:
        holder = replace(holder, owner=replace(holder.owner, client=client))
        assert (await holder.get()).json()["content"] == "kept"
