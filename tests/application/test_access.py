"""Access tokens end with the password, also for what runs while the password is changed."""

import asyncio
from typing import Any
from uuid import UUID

import pytest

from symphony.application.api_tokens import CreateApiToken, create_api_token
from symphony.application.app import Application
from symphony.application.callers import Caller
from symphony.application.orchestrations.identification import IdentifyCaller, identify_caller
from symphony.application.orchestrations.password_reset import SetPassword, set_password
from symphony.application.orchestrations.sign_in import SignIn, sign_in
from symphony.application.ports import Requester
from symphony.application.user_profiles import (
    DeleteUserProfile,
    GetUserProfile,
    UpdateUserProfile,
    delete_user_profile,
    get_user_profile,
    update_user_profile,
)
from symphony.application.vaults.vaults import AddVaultSession, add_vault_session
from symphony.domain.api_tokens import Scope, new_api_token
from symphony.domain.errors import TokenRefused
from symphony.domain.user_profiles import FIRST_GENERATION, ProfileUpdate
from symphony.infrastructure.passwords import Argon2Passwords
from tests.application.conftest import ADDRESS, PASSWORD

NEW = "another horse, another battery"


async def test_a_sign_in_that_verified_the_old_password_gets_no_token_of_the_new_one(
    app: Application, ada: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    verify, was_verified, is_changed = Argon2Passwords.verify, asyncio.Event(), asyncio.Event()

    async def slowly(
        self: Argon2Passwords, password: str, password_hash: str | None, requester: Requester
    ) -> bool:
        matches = await verify(self, password, password_hash, requester)
        was_verified.set()
        await is_changed.wait()
        return matches

    monkeypatch.setattr(Argon2Passwords, "verify", slowly)
    signing_in = asyncio.create_task(sign_in(SignIn("ada", PASSWORD, ADDRESS), app))
    await was_verified.wait()
    await set_password(SetPassword(ada, NEW), app)
    is_changed.set()
    token = await signing_in
    caller, allowed = await identify_caller(IdentifyCaller(token), app)
    assert caller.generation == FIRST_GENERATION
    with pytest.raises(TokenRefused):
        await allowed.ask(get_user_profile, GetUserProfile(ada, ada))


async def test_every_command_and_query_of_a_request_checks_the_access_token(
    app: Application, ada: UUID
) -> None:
    _, allowed = await identify_caller(
        IdentifyCaller(await sign_in(SignIn("ada", PASSWORD, ADDRESS), app)), app
    )
    rename = UpdateUserProfile(ada, ada, ProfileUpdate({"username": "countess"}, is_recent=True))
    assert (await allowed.ask(get_user_profile, GetUserProfile(ada, ada))).username == "ada"
    await set_password(SetPassword(ada, NEW), app)
    with pytest.raises(TokenRefused):
        await allowed.run(update_user_profile, rename)
    with pytest.raises(TokenRefused):
        await allowed.ask(get_user_profile, GetUserProfile(ada, ada))
    with pytest.raises(TokenRefused):
        await allowed.require_access()
    assert (await app.ask(get_user_profile, GetUserProfile(ada, ada))).username == "ada"


async def test_what_outlives_a_request_compares_the_generation_on_the_locked_profile(
    app: Application, ada: UUID
) -> None:
    """Even if the password was changed after the first check of the request."""
    outdated = FIRST_GENERATION
    await set_password(SetPassword(ada, NEW), app)
    update = ProfileUpdate({"email": "thief@example.org"}, is_recent=True, generation=outdated)
    create = CreateApiToken(
        ada,
        new_api_token(),
        "thief",
        (Scope.READ,),
        actor_generation=outdated,
    )
    thief = Caller(ada, frozenset(Scope), b"", None, generation=outdated)
    unused: Any = None  # the session and the key are not used before the check
    with pytest.raises(TokenRefused):
        await app.run(add_vault_session, AddVaultSession(thief, unused, unused))
    with pytest.raises(TokenRefused):
        await app.run(create_api_token, create)
    with pytest.raises(TokenRefused):
        await app.run(update_user_profile, UpdateUserProfile(ada, ada, update))
    with pytest.raises(TokenRefused):
        await app.run(delete_user_profile, DeleteUserProfile(ada, ada, generation=outdated))
    assert (await app.ask(get_user_profile, GetUserProfile(ada, ada))).email == "ada@example.org"
