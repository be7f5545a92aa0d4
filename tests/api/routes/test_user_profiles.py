"""User profiles: create, get, update and delete them."""

import httpx

from symphony.config.settings import Settings
from tests.support.api import (
    API,
    PASSWORD,
    User,
    code,
    created_resource,
    faults,
    running_api,
    sign_in,
    sign_up,
)

FIELDS = {"id", "version", "created_at", "updated_at", "username", "email", "preferences"}
NEW_PASSWORD = "another horse, another battery"


async def _sign_up(client: httpx.AsyncClient, **fields: object) -> httpx.Response:
    body = {"username": "ada", "email": "ada@example.org", "password": PASSWORD, **fields}
    return await client.post(f"{API}/user-profiles", json=body)


async def test_a_sign_up_creates_a_profile_and_returns_its_location(
    client: httpx.AsyncClient,
) -> None:
    answer = await _sign_up(client, username="Ada_1", preferences={"theme": {"name": "dark"}})
    ada = User(client, answer.json()["id"], "Ada_1", await sign_in(client, "Ada_1"))
    profile = await created_resource(ada, answer, "/user-profiles")
    assert set(profile) == FIELDS
    assert profile["username"] == "Ada_1"
    assert profile["email"] == "ada@example.org"
    assert profile["preferences"] == {"theme": {"name": "dark"}}


async def test_preferences_are_empty_by_default(client: httpx.AsyncClient) -> None:
    assert (await _sign_up(client)).json()["preferences"] == {}


async def test_me_is_the_profile_of_the_caller(ada: User) -> None:
    me, by_id = await ada.get("/user-profiles/me"), await ada.get(f"/user-profiles/{ada.id}")
    assert me.status_code == by_id.status_code == 200
    assert me.json() == by_id.json()
    assert me.headers["etag"] == by_id.headers["etag"]


async def test_usernames_and_addresses_are_unique_without_regard_to_case(ada: User) -> None:
    by_name = await _sign_up(ada.client, username="ADA", email="other@example.org")
    assert code(by_name) == "409 username-taken"
    by_email = await _sign_up(ada.client, username="other", email="ADA@Example.ORG")
    assert code(by_email) == "409 email-taken"
    assert (await _sign_up(ada.client, username="other", email="other@example.org")).is_success


async def test_an_update_to_a_taken_name_or_address_is_refused(ada: User, eve: User) -> None:
    path = f"/user-profiles/{ada.id}"
    before = (await ada.get(path)).json()
    assert code(await ada.patch(path, {"username": eve.name.upper()})) == "409 username-taken"
    assert code(await ada.patch(path, {"email": "EVE@example.org"})) == "409 email-taken"
    assert (await ada.get(path)).json() == before


async def test_a_user_can_change_the_case_of_the_own_name(ada: User) -> None:
    answer = await ada.patch(f"/user-profiles/{ada.id}", {"username": "ADA", "email": "A@b.org"})
    assert answer.status_code == 200
    assert set(answer.json()) == FIELDS
    assert (answer.json()["username"], answer.json()["email"]) == ("ADA", "A@b.org")
    assert answer.json()["version"] == 2


async def test_a_new_password_requires_the_current_one(ada: User) -> None:
    path = f"/user-profiles/{ada.id}"
    before = (await ada.get(path)).json()
    body = {"password": NEW_PASSWORD, "username": "anna"}
    missing = await ada.patch(path, body)
    assert faults(missing) == [("/current_password", "missing")]
    assert missing.json()["detail"] == "`/current_password` must be given to update the password."
    for wrong in ("", "x" * 8):
        refused = await ada.patch(path, body | {"current_password": wrong})
        assert faults(refused) == [("/current_password", "wrong-password")]
    assert (await ada.get(path)).json() == before
    assert await sign_in(ada.client, "ada")


async def test_after_an_update_of_the_password_only_the_new_one_is_accepted(ada: User) -> None:
    path = f"/user-profiles/{ada.id}"
    body = {"password": NEW_PASSWORD, "current_password": PASSWORD}
    changed = await ada.patch(path, body)
    assert changed.status_code == 200
    assert set(changed.json()) == FIELDS
    assert await sign_in(ada.client, "ada", NEW_PASSWORD)
    form = {"username": "ada", "password": PASSWORD}
    old = await ada.client.post(f"{API}/auth/token", data=form)
    assert code(old) == "401 invalid-credentials"


async def test_the_current_password_alone_changes_nothing(ada: User) -> None:
    path = f"/user-profiles/{ada.id}"
    before = (await ada.get(path)).json()
    assert (await ada.patch(path, {"current_password": PASSWORD})).json() == before


async def test_a_user_with_workspaces_cannot_be_deleted(ada: User) -> None:
    workspace = await ada.workspace()
    refused = await ada.delete(f"/user-profiles/{ada.id}")
    assert code(refused) == "409 user-has-workspaces"
    assert (await ada.get(f"/workspaces/{workspace['id']}")).status_code == 200
    await ada.delete(f"/workspaces/{workspace['id']}")
    assert (await ada.delete(f"/user-profiles/{ada.id}")).status_code == 204


async def test_deleting_a_user_deletes_the_profile_and_its_api_tokens(ada: User) -> None:
    program = ada.using((await ada.api_token())["token"])
    assert (await program.get("/user-profiles/me")).status_code == 200
    gone = await ada.delete(f"/user-profiles/{ada.id}")
    assert (gone.status_code, gone.content) == (204, b"")
    assert code(await program.get("/user-profiles/me")) == "401 unauthenticated"
    form = {"username": "ada", "password": PASSWORD}
    signed_in = await ada.client.post(f"{API}/auth/token", data=form)
    assert code(signed_in) == "401 invalid-credentials"


async def test_the_name_of_a_deleted_user_is_free_again(ada: User) -> None:
    await ada.delete(f"/user-profiles/{ada.id}")
    assert (await sign_up(ada.client, "ada")).id != ada.id


async def test_no_response_contains_a_password_or_a_hash(ada: User) -> None:
    path = f"/user-profiles/{ada.id}"
    change = {"password": NEW_PASSWORD, "current_password": PASSWORD}
    for answer in (
        await ada.get(path),
        await ada.patch(path, change),
        await _sign_up(ada.client, username="bob", email="bob@example.org"),
    ):
        assert answer.is_success
        for secret in (PASSWORD, NEW_PASSWORD, "password", "hash", "argon2"):
            assert secret not in answer.text


async def test_nobody_signs_up_while_registration_is_closed(settings: Settings) -> None:
    closed = settings.model_copy(update={"registration": "closed"})
    async with running_api(closed) as client:
        assert code(await _sign_up(client)) == "403 registration-closed"
        form = {"username": "ada", "password": PASSWORD}
        signed_in = await client.post(f"{API}/auth/token", data=form)
        assert code(signed_in) == "401 invalid-credentials"


async def test_only_the_first_user_signs_up_when_the_operator_says_so(settings: Settings) -> None:
    first = settings.model_copy(update={"registration": "first"})
    async with running_api(first) as client:
        ada = await sign_up(client, "ada")
        for name in ("ada", "eve"):  # taken or not
            refused = await _sign_up(client, username=name, email=f"{name}@example.org")
            assert code(refused) == "403 registration-closed"
        await ada.delete(f"/user-profiles/{ada.id}")
        await sign_up(client, "eve")
