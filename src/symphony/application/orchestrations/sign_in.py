"""The sign-in: Argon2 verifies the password while no database connection is held."""

from contextlib import suppress
from dataclasses import dataclass, field

from symphony.application.app import Application
from symphony.application.ports import Overloaded, Requester
from symphony.application.throttling import PasswordMatch, check_sign_in
from symphony.application.user_profiles import (
    FindUserByLogin,
    ReplacePasswordHash,
    find_user_by_login,
    replace_password_hash,
)
from symphony.domain.errors import InvalidCredentials, RuleBroken
from symphony.domain.fields import opaque_text
from symphony.domain.json_objects import storable_text
from symphony.domain.unit_of_work import StoreUnavailable
from symphony.domain.user_profiles import PasswordChange, UserProfile


@dataclass(frozen=True, slots=True)
class SignIn:
    """Sign in with `login`, a user name or an e-mail address."""

    login: str
    password: str = field(repr=False)
    client_address: str


async def sign_in(command: SignIn, app: Application) -> str:
    """Return an access token. An unknown user takes the same time and gets the same errors.

    Raises: InvalidCredentials, TooManyAttempts, Overloaded.
    """
    try:
        storable_text(command.login)
    except RuleBroken:
        raise InvalidCredentials from None
    profile = await app.ask(find_user_by_login, FindUserByLogin(command.login))
    match = await check_sign_in(
        command.login, command.client_address, command.password, profile, app
    )
    if match is None:
        raise InvalidCredentials
    assert profile is not None  # noqa: S101 - no password matches the hash None
    if match is PasswordMatch.AS_TYPED:
        requester = Requester.address(command.client_address)
        await _normalize(profile, command.password, requester, app)
    # The generation that was read together with the hash: if the password has been changed since,
    # the token is refused.
    return app.access_tokens.issue(profile.id, profile.token_generation)


async def _normalize(
    profile: UserProfile, password: str, requester: Requester, app: Application
) -> None:
    """Replace the hash of a password as typed, so that every keyboard can produce it from now on.

    If that is not possible now, it is tried again at the next sign-in.
    """
    with suppress(Overloaded, StoreUnavailable):
        new_hash = await app.passwords.hash(opaque_text(password), requester)
        change = PasswordChange(profile.password_hash, new_hash)
        await app.run(replace_password_hash, ReplacePasswordHash(profile.id, change))
