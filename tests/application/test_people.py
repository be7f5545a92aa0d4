"""Signing up and in, passwords, and API tokens, as use cases."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from symphony.application.api_tokens import (
    CreateApiToken,
    ListApiTokens,
    RevokeApiToken,
    create_api_token,
    list_api_tokens,
    revoke_api_token,
)
from symphony.application.app import Application, Policy
from symphony.application.orchestrations import identification
from symphony.application.orchestrations.identification import IdentifyCaller, identify_caller
from symphony.application.orchestrations.profile_update import UpdateProfile, update_profile
from symphony.application.orchestrations.sign_in import SignIn, sign_in
from symphony.application.orchestrations.sign_up import SignUp, create_user, sign_up
from symphony.application.user_profiles import (
    DeleteUserProfile,
    GetUserProfile,
    UpdateUserProfile,
    delete_user_profile,
    get_user_profile,
    update_user_profile,
)
from symphony.application.workspaces import CreateWorkspace, create_workspace
from symphony.domain import api_tokens
from symphony.domain.api_tokens import (
    SCOPES_OF_ACCESS_TOKENS,
    ApiToken,
    Scope,
    hash_token,
    new_api_token,
)
from symphony.domain.base import PageRequest, new_id, utc_now
from symphony.domain.errors import (
    AlreadyExists,
    DomainError,
    Forbidden,
    InUse,
    Invalid,
    InvalidCredentials,
    NotFound,
    PreconditionFailed,
    TokenRefused,
)
from symphony.domain.reach import Reach
from symphony.domain.user_profiles import ProfileUpdate
from tests.application.conftest import ADDRESS, PASSWORD
from tests.domain.examples import a_token

EVERY_SCOPE = SCOPES_OF_ACCESS_TOKENS


async def who(token: str, app: Application) -> tuple[UUID, frozenset[Scope]]:
    """The user and the scopes of a token."""
    caller, _ = await identify_caller(IdentifyCaller(token), app)
    return caller.user_id, caller.scopes


async def refuses(token: str, app: Application) -> None:
    """Require that a token identifies no caller."""
    with pytest.raises(TokenRefused):
        await identify_caller(IdentifyCaller(token), app)


OTHER = "another password"


def changing(user_id: UUID, password: str, current: str | None) -> UpdateProfile:
    update = UpdateUserProfile(user_id, user_id, ProfileUpdate({}))
    return UpdateProfile(update, password, current)


async def make_token(app: Application, actor: UUID, **values: Any) -> tuple[str, ApiToken]:
    token = new_api_token()
    known: dict[str, Any] = {"name": "ci", "scopes": (Scope.READ,)}
    command = CreateApiToken(actor=actor, token=token, **{**known, **values})
    return token, await app.run(create_api_token, command)


@pytest.mark.parametrize("login", ["ada", "ADA", "ada@example.org", "Ada@Example.Org"])
async def test_a_user_who_signed_up_can_sign_in(app: Application, ada: UUID, login: str) -> None:
    token = await sign_in(SignIn(login, PASSWORD, ADDRESS), app)
    assert await who(token, app) == (ada, EVERY_SCOPE)


@pytest.mark.parametrize(
    ("login", "password"),
    [
        ("ada", "wrong"),
        ("ada", ""),
        ("nobody", PASSWORD),
        ("nobody@example.org", PASSWORD),
        ("", PASSWORD),
        ("ada\0", PASSWORD),
        ("ada@\0", PASSWORD),
        ("\ud800", PASSWORD),
        ("ada", "\ud800"),
        ("a" * 100_000, PASSWORD),
    ],
)
async def test_a_wrong_login_and_a_wrong_password_have_the_same_error(
    app: Application, ada: UUID, login: str, password: str
) -> None:
    assert await app.ask(get_user_profile, GetUserProfile(ada, ada))
    with pytest.raises(InvalidCredentials):
        await sign_in(SignIn(login, password, ADDRESS), app)


@pytest.mark.parametrize("token", ["", "sym_", "sym_x", "sym_\ud800", "sym_\0", "a.b.c", "\ud800"])
async def test_an_unknown_token_identifies_no_caller(app: Application, token: str) -> None:
    await refuses(token, app)


@pytest.mark.parametrize(
    ("username", "email", "slug"),
    [
        ("ADA", "other@example.org", "username-taken"),
        ("other", "ADA@example.org", "email-taken"),
        ("ada", "ada@example.org", "username-taken"),
    ],
)
async def test_usernames_and_emails_are_taken_once(
    app: Application, ada: UUID, username: str, email: str, slug: str
) -> None:
    with pytest.raises(AlreadyExists) as refused:
        await sign_up(SignUp(username, email, PASSWORD), app)
    assert refused.value.slug == slug
    assert (await app.ask(get_user_profile, GetUserProfile(ada, ada))).username == "ada"


async def test_of_parallel_sign_ups_with_one_name_one_succeeds(app: Application) -> None:
    async def attempt(number: int) -> str:
        try:
            command = SignUp("Ada", f"ada{number}@example.org", PASSWORD)
            await sign_up(command, app)
        except DomainError as refused:
            return refused.slug
        return "done"

    assert (
        sorted(await asyncio.gather(*map(attempt, range(8)))) == ["done"] + ["username-taken"] * 7
    )


@pytest.mark.parametrize("password", ["short", "a" * 1025, "nul is \0 here", "\ud800" * 8])
async def test_an_invalid_password_is_refused_at_sign_up(app: Application, password: str) -> None:
    with pytest.raises(Invalid) as refused:
        await sign_up(SignUp("ada", "ada@example.org", password), app)
    assert [error.field for error in refused.value.errors] == ["password"]


async def test_while_registration_is_closed_only_the_operator_creates_users(
    app: Application,
) -> None:
    closed = replace(app, policy=Policy(registration="closed"))
    command = SignUp("ada", "ada@example.org", PASSWORD)
    with pytest.raises(Forbidden) as refused:
        await sign_up(command, closed)
    assert refused.value.slug == "registration-closed"
    await create_user(command, closed)


async def test_a_new_password_needs_the_current_one(app: Application, ada: UUID) -> None:
    for current in (None, "", "wrong", "\ud800"):
        with pytest.raises(Invalid) as refused:
            await update_profile(changing(ada, OTHER, current), app)
        assert [error.field for error in refused.value.errors] == ["current_password"]
    changed = await update_profile(changing(ada, OTHER, PASSWORD), app)
    assert changed.version == 2
    assert await sign_in(SignIn("ada", OTHER, ADDRESS), app)
    with pytest.raises(InvalidCredentials):
        await sign_in(SignIn("ada", PASSWORD, ADDRESS), app)


@pytest.mark.parametrize("password", ["", "short"])
async def test_an_invalid_new_password_is_refused(
    app: Application, ada: UUID, password: str
) -> None:
    command = changing(ada, password, PASSWORD)
    with pytest.raises(Invalid) as refused:
        await update_profile(command, app)
    assert [error.field for error in refused.value.errors] == ["password"]


async def test_of_parallel_password_updates_one_succeeds(app: Application, ada: UUID) -> None:
    async def change(password: str) -> str:
        command = changing(ada, password, PASSWORD)
        try:
            await update_profile(command, app)
        except Invalid as refused:
            return refused.errors[0].code
        return "done"

    passwords = [f"new password {number}" for number in range(4)]
    outcomes = await asyncio.gather(*map(change, passwords))
    assert sorted(outcomes) == ["done"] + ["wrong-password"] * 3
    assert await sign_in(SignIn("ada", passwords[outcomes.index("done")], ADDRESS), app)


async def test_a_profile_is_found_by_its_owner_only(app: Application, ada: UUID, eve: UUID) -> None:
    for target in (ada, new_id()):
        with pytest.raises(NotFound):
            await app.ask(get_user_profile, GetUserProfile(eve, target))
        update = UpdateUserProfile(eve, target, ProfileUpdate({"username": "mine"}))
        with pytest.raises(NotFound):
            await app.run(update_user_profile, update)
        with pytest.raises(NotFound):
            await app.run(delete_user_profile, DeleteUserProfile(eve, target))


async def test_a_profile_in_another_state_than_expected_is_not_updated(
    app: Application, ada: UUID
) -> None:
    command = UpdateUserProfile(ada, ada, ProfileUpdate({"username": "lovelace"}, is_recent=True))
    stale = (await app.ask(get_user_profile, GetUserProfile(ada, ada))).tag
    await app.run(update_user_profile, command)
    with pytest.raises(PreconditionFailed):
        await app.run(update_user_profile, replace(command, expected_tags=frozenset({stale})))


async def test_a_profile_is_deleted_with_its_tokens_and_not_with_workspaces(
    app: Application, ada: UUID, eve: UUID
) -> None:
    token, _ = await make_token(app, ada)
    others, _ = await make_token(app, eve)
    await identify_caller(IdentifyCaller(token), app)
    await app.run(delete_user_profile, DeleteUserProfile(ada, ada))
    await refuses(token, app)
    assert await who(others, app) == (eve, frozenset({Scope.READ}))
    await app.run(create_workspace, CreateWorkspace(Reach(eve), eve, "Thesis"))
    with pytest.raises(InUse) as refused:
        await app.run(delete_user_profile, DeleteUserProfile(eve, eve))
    assert refused.value.slug == "user-has-workspaces"
    with pytest.raises(InvalidCredentials):
        await sign_in(SignIn("ada", PASSWORD, ADDRESS), app)


async def test_an_api_token_is_valid_with_its_scopes_until_it_is_revoked(
    app: Application, ada: UUID, eve: UUID
) -> None:
    token, made = await make_token(app, ada, scopes=(Scope.WRITE, Scope.READ))
    assert await who(token, app) == (ada, frozenset({Scope.READ, Scope.WRITE}))
    with pytest.raises(NotFound):
        await app.run(revoke_api_token, RevokeApiToken(Reach(eve), made.id))
    await identify_caller(IdentifyCaller(token), app)
    await app.run(revoke_api_token, RevokeApiToken(Reach(ada), made.id))
    await refuses(token, app)


@pytest.mark.parametrize(
    "expires_at", [utc_now() - timedelta(seconds=1), utc_now() - timedelta(days=400)]
)
async def test_an_expired_api_token_identifies_no_caller(
    app: Application, ada: UUID, expires_at: datetime
) -> None:
    token = new_api_token()
    async with app.store.unit_of_work() as uow:
        stored = a_token(ada, token_hash=hash_token(token), expires_at=expires_at)
        await uow.api_tokens.add(stored)
        await uow.commit()
    await refuses(token, app)


async def test_an_api_token_may_expire_at_the_last_representable_time(
    app: Application, ada: UUID
) -> None:
    end = datetime.max.replace(tzinfo=utc_now().tzinfo)
    token, _ = await make_token(app, ada, expires_at=end)
    assert await who(token, app) == (ada, frozenset({Scope.READ}))


async def test_the_use_of_a_token_is_stored_once_a_minute(app: Application, ada: UUID) -> None:
    async def last_use() -> datetime | None:
        query = ListApiTokens(ada, PageRequest(limit=10))
        (token,) = (await app.ask(list_api_tokens, query)).items
        return token.last_used_at

    before = utc_now()
    token, _ = await make_token(app, ada)
    assert await last_use() is None
    await identify_caller(IdentifyCaller(token), app)
    first = await last_use()
    assert first
    assert before <= first <= utc_now()
    await asyncio.gather(*(identify_caller(IdentifyCaller(token), app) for _ in range(10)))
    assert await last_use() == first


async def test_the_use_of_a_token_is_stored_after_the_clock_was_set_back(
    app: Application, ada: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    token, _ = await make_token(app, ada)
    with monkeypatch.context() as ahead:
        for module in (identification, api_tokens):
            ahead.setattr(module, "utc_now", lambda: utc_now() + timedelta(days=30))
        await identify_caller(IdentifyCaller(token), app)
    await identify_caller(IdentifyCaller(token), app)
    (listed,) = (await app.ask(list_api_tokens, ListApiTokens(ada, PageRequest(limit=10)))).items
    assert listed.last_used_at is not None
    assert listed.last_used_at <= utc_now()
