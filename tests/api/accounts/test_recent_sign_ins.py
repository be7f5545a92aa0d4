"""What concerns the account itself requires the current password, or a recent sign-in."""

from typing import Any

import pytest

from symphony.domain.base import new_id
from tests.api.accounts.tokens import signed_in_before
from tests.support.api import PASSWORD, User, code, faults, sign_in

OTHER_EMAIL = {"email": "other@example.org"}
MISSING = [("/current_password", "missing")]


def _path(user: User) -> str:
    return f"/user-profiles/{user.id}"


async def _without_recent_sign_in(user: User) -> list[User]:
    """The user with an API token, and with access tokens that are too old or from the future."""
    program = user.using((await user.api_token())["token"])
    return [program, signed_in_before(user, 301), signed_in_before(user, -3600)]


@pytest.mark.parametrize("body", [OTHER_EMAIL, {"username": "countess"}])
async def test_another_name_or_address_requires_the_current_password(
    ada: User, body: dict[str, Any]
) -> None:
    before = (await ada.get(_path(ada))).json()
    callers = await _without_recent_sign_in(ada)
    for caller in callers:
        assert faults(await caller.patch(_path(ada), body)) == MISSING
        assert faults(await caller.patch(_path(ada), body | {"preferences": {"a": 1}})) == MISSING
        wrong = await caller.patch(_path(ada), body | {"current_password": "not this one"})
        assert faults(wrong) == [("/current_password", "wrong-password")]
    assert (await ada.get(_path(ada))).json() == before
    for number, caller in enumerate(callers):
        values = {name: f"{number}{value}"[::-1] for name, value in body.items()}
        values = {"username": f"countess{number}"} if "username" in body else values
        values = {"email": f"other{number}@example.org"} if "email" in body else values
        changed = await caller.patch(_path(ada), values | {"current_password": PASSWORD})
        assert changed.status_code == 200


async def test_after_a_recent_sign_in_the_current_password_is_not_required(ada: User) -> None:
    # A clock that is ahead by up to a minute makes no difference.
    for number, seconds in enumerate((290, 0, -50)):
        caller = signed_in_before(ada, seconds)
        body = {"email": f"other{number}@example.org", "username": f"countess{number}"}
        assert (await caller.patch(_path(ada), body)).status_code == 200


async def test_a_current_password_that_is_given_must_be_right(ada: User) -> None:
    wrong = {"current_password": "not this one"}
    refused = await ada.patch(_path(ada), OTHER_EMAIL | wrong)
    assert faults(refused) == [("/current_password", "wrong-password")]
    assert (await ada.patch(_path(ada), {"preferences": {"a": 1}} | wrong)).status_code == 200


async def test_values_that_stay_the_same_require_no_password(ada: User) -> None:
    profile = (await ada.get(_path(ada))).json()
    same = {name: profile[name] for name in ("username", "email")}
    for number, caller in enumerate(await _without_recent_sign_in(ada)):
        answer = await caller.patch(_path(ada), same | {"preferences": {"number": number}})
        assert answer.status_code == 200
        assert answer.json()["preferences"] == {"number": number}
        assert faults(await caller.patch(_path(ada), same | {"username": "ADA"})) == MISSING


async def test_a_new_password_always_requires_the_current_one(ada: User) -> None:
    body = {"password": "another horse, another battery"}
    for caller in (ada, *await _without_recent_sign_in(ada)):
        assert faults(await caller.patch(_path(ada), body)) == MISSING
        assert faults(await caller.patch(_path(ada), body | OTHER_EMAIL)) == MISSING
    assert await sign_in(ada.client, "ada")


async def test_the_missing_password_is_reported_before_the_profile_and_its_state(
    ada: User, eve: User
) -> None:
    """Content (422) before existence (404) and condition (412)."""
    program = ada.using((await ada.api_token())["token"])
    for target in (eve.id, str(new_id())):
        path = f"/user-profiles/{target}"
        assert faults(await program.patch(path, OTHER_EMAIL)) == MISSING
        confirmed = await program.patch(path, OTHER_EMAIL | {"current_password": PASSWORD})
        assert code(confirmed) == "404 user-profile-not-found"
        assert code(await ada.patch(path, OTHER_EMAIL)) == "404 user-profile-not-found"
    stale = {"If-Match": '"stale"'}
    assert faults(await program.patch(_path(ada), OTHER_EMAIL, headers=stale)) == MISSING
    confirmed = await program.patch(
        _path(ada), OTHER_EMAIL | {"current_password": PASSWORD}, headers=stale
    )
    assert code(confirmed) == "412 precondition-failed"


async def test_a_profile_is_deleted_after_a_recent_sign_in_only(ada: User, eve: User) -> None:
    await ada.workspace()
    for caller in await _without_recent_sign_in(ada):
        for target in (ada.id, eve.id, str(new_id())):
            for headers in ({}, {"If-Match": '"stale"'}):
                refused = await caller.delete(f"/user-profiles/{target}", headers=headers)
                assert code(refused) == "403 recent-sign-in-required"
    reader = ada.using((await ada.api_token("read"))["token"])
    assert code(await reader.delete(_path(ada))) == "403 insufficient-scope"
    assert code(await ada.delete(_path(ada))) == "409 user-has-workspaces"
    assert (await signed_in_before(eve, 290).delete(_path(eve))).status_code == 204
