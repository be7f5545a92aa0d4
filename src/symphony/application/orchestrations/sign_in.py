"""The sign-in: Argon2 verifies the password while no database connection is held."""

from dataclasses import dataclass, field

from symphony.application.app import Application
from symphony.application.throttling import check_password
from symphony.application.user_profiles import FindUserByLogin, find_user_by_login
from symphony.domain.errors import InvalidCredentials, RuleBroken
from symphony.domain.fields import comparison_key
from symphony.domain.json_objects import storable_text


@dataclass(frozen=True, slots=True)
class SignIn:
    """Sign in with `login`, a user name or an e-mail address."""

    login: str
    password: str = field(repr=False)


async def sign_in(command: SignIn, app: Application) -> str:
    """Return an access token. An unknown user takes the same time and gets the same errors.

    Raises: InvalidCredentials, TooManyAttempts, Overloaded.
    """
    try:
        storable_text(command.login)
    except RuleBroken:
        raise InvalidCredentials from None
    profile = await app.ask(find_user_by_login, FindUserByLogin(command.login))
    account = str(profile.id) if profile else comparison_key(command.login)
    password_hash = profile.password_hash if profile else None
    if not await check_password(account, command.password, password_hash, app):
        raise InvalidCredentials
    assert profile is not None  # noqa: S101 - no password matches the hash None
    return app.access_tokens.issue(profile.id)
