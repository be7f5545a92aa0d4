"""What operators do to accounts, as use cases."""

from uuid import UUID

import pytest

from symphony.application.api_tokens import FindApiTokenById, find_api_token_by_id
from symphony.application.app import Application
from symphony.application.orchestrations.password_reset import SetPassword, set_password
from symphony.application.orchestrations.sign_in import SignIn, sign_in
from symphony.application.throttling import check_password
from symphony.application.user_profiles import (
    CheckUserProfileCreation,
    CountWorkspaces,
    DeleteUserProfile,
    check_user_profile_creation,
    count_workspaces,
    delete_user_profile,
)
from symphony.application.workspaces import (
    CreateWorkspace,
    GetWorkspace,
    create_workspace,
    get_workspace,
)
from symphony.domain import attempts
from symphony.domain.attempts import MAX_FAILURES, TooManyAttempts
from symphony.domain.base import new_id
from symphony.domain.errors import AlreadyExists, Invalid, InvalidCredentials, NotFound
from symphony.domain.reach import Reach
from tests.application.conftest import ADDRESS, PASSWORD
from tests.application.test_people import OTHER, make_token
from tests.support.hashing import REQUESTER


@pytest.mark.long
@pytest.mark.usefixtures("long_pauses")
async def test_a_reset_replaces_the_password_and_ends_a_lock_out_of_this_user(
    app: Application, ada: UUID, eve: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempts, "MAX_FAILURES_OF_STRANGERS", MAX_FAILURES + 1)
    new = "198.51.100.1"
    for login in ("ada", "ada@example.org", "eve@example.org"):
        for address in (*[ADDRESS] * MAX_FAILURES, new):
            with pytest.raises(InvalidCredentials):
                await sign_in(SignIn(login, "wrong", address), app)
        for address in (ADDRESS, new):
            with pytest.raises(TooManyAttempts):
                await sign_in(SignIn(login, PASSWORD, address), app)
    await set_password(SetPassword(ada, OTHER), app)
    for login in ("ada", "ada@example.org"):
        for address in (ADDRESS, new):
            await sign_in(SignIn(login, OTHER, address), app)
        with pytest.raises(InvalidCredentials):
            await sign_in(SignIn(login, PASSWORD, ADDRESS), app)
    with pytest.raises(TooManyAttempts):
        await sign_in(SignIn("eve@example.org", PASSWORD, ADDRESS), app)


@pytest.mark.usefixtures("long_pauses")
async def test_a_reset_ends_the_pause_of_the_current_password(app: Application, ada: UUID) -> None:
    for _ in range(MAX_FAILURES):
        assert await check_password(str(ada), "wrong", None, REQUESTER, app) is None
    with pytest.raises(TooManyAttempts):
        await check_password(str(ada), "wrong", None, REQUESTER, app)
    await set_password(SetPassword(ada, OTHER), app)
    assert await check_password(str(ada), "wrong", None, REQUESTER, app) is None


async def test_a_reset_needs_a_valid_password_and_a_user(app: Application, ada: UUID) -> None:
    with pytest.raises(Invalid):
        await set_password(SetPassword(ada, "short"), app)
    with pytest.raises(NotFound):
        await set_password(SetPassword(new_id(), OTHER), app)
    await sign_in(SignIn("ada", PASSWORD, ADDRESS), app)


async def test_by_force_a_profile_is_deleted_with_its_workspaces_only(
    app: Application, ada: UUID, eve: UUID
) -> None:
    workspaces = {
        owner: await app.run(create_workspace, CreateWorkspace(Reach(owner), owner, "Thesis"))
        for owner in (ada, eve)
    }
    assert await app.ask(count_workspaces, CountWorkspaces(ada)) == 1
    await app.run(delete_user_profile, DeleteUserProfile(ada, ada, force=True))
    with pytest.raises(NotFound):
        await app.ask(get_workspace, GetWorkspace(Reach(ada), workspaces[ada].id))
    assert (
        await app.ask(get_workspace, GetWorkspace(Reach(eve), workspaces[eve].id))
        == workspaces[eve]
    )


@pytest.mark.parametrize(
    ("username", "email", "error"),
    [
        ("1ada", "new@example.org", Invalid),
        ("new", "new", Invalid),
        ("ADA", "new@example.org", AlreadyExists),
        ("new", "ADA@example.org", AlreadyExists),
    ],
)
async def test_a_name_and_an_address_are_checked_before_there_is_a_password(
    app: Application, ada: UUID, username: str, email: str, error: type[Exception]
) -> None:
    assert ada
    await app.ask(check_user_profile_creation, CheckUserProfileCreation("new", "new@example.org"))
    with pytest.raises(error):
        await app.ask(check_user_profile_creation, CheckUserProfileCreation(username, email))


async def test_the_token_of_any_user_is_found_by_its_id(app: Application, ada: UUID) -> None:
    _, token = await make_token(app, ada)
    assert await app.ask(find_api_token_by_id, FindApiTokenById(token.id)) == token
    assert await app.ask(find_api_token_by_id, FindApiTokenById(new_id())) is None
