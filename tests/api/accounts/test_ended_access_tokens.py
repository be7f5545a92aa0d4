"""Access tokens are refused once the password was changed, or the user deleted."""

import asyncio
from typing import Any

import pytest

from tests.api.accounts.tokens import signed_in_before
from tests.support.api import API, PASSWORD, User, code, sign_in
from tests.support.vaults import OpenVault

NEW = "another horse, another battery"
CHANGE = {"password": NEW, "current_password": PASSWORD}
PASSPHRASE = "a horse, a battery and a staple"


async def _change_password(user: User, **fields: Any) -> None:
    answer = await user.patch(f"/user-profiles/{user.id}", CHANGE | fields)
    assert answer.status_code == 200, answer.text
    assert "token" not in answer.text  # the client signs in again


async def _is_refused(user: User) -> None:
    """Require that every kind of request is refused because of the token, before anything else."""
    profile = f"/user-profiles/{user.id}"
    for answer in (
        await user.get("/user-profiles/me"),
        await user.get(profile),
        await user.get("/api-tokens"),
        await user.post("/api-tokens", {"name": "laptop", "scopes": ["read"]}),
        await user.post(f"{profile}/workspaces", {"name": "Thesis"}),
        await user.patch(profile, {"email": "thief@example.org"}),
        await user.patch(profile, {"unknown": True}),
        await user.request("PATCH", profile, content="no JSON"),
        await user.delete(profile),
        await user.get("/workspaces/no-id"),
    ):
        assert code(answer) == "401 unauthenticated"
        assert 'error="invalid_token"' in answer.headers["www-authenticate"]
        assert "sign in again" in answer.json()["detail"]


@pytest.mark.every_store
async def test_a_new_password_ends_the_access_tokens_of_before_and_no_api_token(
    ada: User, eve: User
) -> None:
    stolen = ada.using(await sign_in(ada.client, "ada"))
    program = ada.using((await ada.api_token())["token"])
    await _change_password(ada)
    await _is_refused(stolen)
    await _is_refused(ada)
    again = ada.using(await sign_in(ada.client, "ada", NEW))
    for user in (again, program, eve):
        assert (await user.get("/user-profiles/me")).status_code == 200


async def test_tokens_of_one_second_differ_when_the_password_was_changed_between_them(
    ada: User,
) -> None:
    before, after = signed_in_before(ada, 0.0), signed_in_before(ada, 0.0, generation=2)
    assert before.token != after.token
    assert code(await after.get("/user-profiles/me")) == "401 unauthenticated"
    await _change_password(ada)
    assert (await after.get("/user-profiles/me")).status_code == 200
    assert code(await before.get("/user-profiles/me")) == "401 unauthenticated"


async def test_a_refused_update_ends_no_access_token(ada: User, eve: User) -> None:
    path = f"/user-profiles/{ada.id}"
    for body, headers in (
        (CHANGE | {"current_password": "not this one"}, {}),
        (CHANGE | {"username": eve.name}, {}),
        (CHANGE, {"If-Match": '"stale"'}),
    ):
        assert (await ada.patch(path, body, headers=headers)).is_client_error
    assert (await ada.patch(path, {"preferences": {"theme": "dark"}})).status_code == 200
    assert (await ada.get(path)).status_code == 200


async def test_the_access_token_of_a_deleted_user_is_refused(ada: User) -> None:
    assert (await ada.delete(f"/user-profiles/{ada.id}")).status_code == 204
    await _is_refused(ada)


@pytest.mark.long
@pytest.mark.every_store
async def test_a_new_password_revokes_the_sessions_of_access_tokens_only(ada: User) -> None:
    workspace = (await ada.workspace())["id"]
    program = ada.using((await ada.api_token())["token"])
    vault = await OpenVault.created(ada, workspace, "keys", PASSPHRASE)
    other = await OpenVault.created(program, workspace, "other", PASSPHRASE)
    opened, by_program = await vault.opened(), await other.opened()
    assert (await opened.put()).status_code == 201
    assert (await by_program.put()).status_code == 201
    await _change_password(ada)
    assert (await program.get(vault.path)).json()["is_locked"] is True
    assert (await by_program.get()).status_code == 200


@pytest.mark.long
@pytest.mark.every_store
async def test_a_new_password_revokes_api_tokens_on_request(ada: User, eve: User) -> None:
    workspace = (await ada.workspace())["id"]
    program, others = [user.using((await user.api_token())["token"]) for user in (ada, eve)]
    vault = await OpenVault.created(program, workspace, "keys", PASSPHRASE)
    await vault.opened()
    await _change_password(ada, revoke_api_tokens=False)
    assert (await program.get("/user-profiles/me")).status_code == 200
    again = ada.using(await sign_in(ada.client, "ada", NEW))
    body = {"password": PASSWORD, "current_password": NEW, "revoke_api_tokens": True}
    assert (await again.patch(f"/user-profiles/{ada.id}", body)).status_code == 200
    assert code(await program.get("/user-profiles/me")) == "401 unauthenticated"
    assert (await others.get("/user-profiles/me")).status_code == 200
    last = ada.using(await sign_in(ada.client, "ada"))
    assert (await last.get(vault.path)).json()["is_locked"] is True
    assert (await last.get("/api-tokens")).json()["items"] == []


async def test_of_requests_that_run_during_the_change_none_leaves_anything_behind(
    ada: User,
) -> None:
    """A thief's requests that have passed the check create nothing that outlives the token."""
    path = f"/user-profiles/{ada.id}"
    answers = await asyncio.gather(
        ada.patch(path, CHANGE | {"revoke_api_tokens": True}),
        *(
            ada.post("/api-tokens", {"name": f"thief {number}", "scopes": ["read", "write"]})
            for number in range(20)
        ),
        *(
            ada.client.post(f"{API}/auth/token", data={"username": "ada", "password": PASSWORD})
            for _ in range(3)
        ),
    )
    assert answers[0].status_code == 200
    tokens = [answer.json().get("token") for answer in answers[1:21]]
    tokens += [answer.json().get("access_token") for answer in answers[21:]]
    for token in filter(None, tokens):
        assert code(await ada.using(token).get("/user-profiles/me")) == "401 unauthenticated"
