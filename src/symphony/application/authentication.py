"""Who is calling: signing in with a password, and what a bearer token stands for."""

import hashlib
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar
from uuid import UUID

from symphony.application.app import Application, Services
from symphony.domain.api_tokens import ApiToken, Scope
from symphony.domain.base import utc_now
from symphony.domain.errors import InvalidCredentials, RuleBroken
from symphony.domain.fields import comparison_key
from symphony.domain.json_objects import storable_text
from symphony.domain.sign_in_failures import MAX_FAILURES, Failures
from symphony.domain.unit_of_work import Repositories
from symphony.domain.user_profiles import UserProfile

ResultT = TypeVar("ResultT")

API_TOKEN_PREFIX = "sym_"  # noqa: S105 - what tokens begin with, so that scanners can find them
_USE_RESOLUTION = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Caller:
    """A known user, and what the token at hand allows."""

    user_id: UUID
    scopes: frozenset[Scope]
    token_hash: bytes = field(repr=False)
    token_ends_at: datetime | None
    api_token_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class SignIn:
    """`login` is a user name or an e-mail address; the one cannot look like the other."""

    login: str
    password: str = field(repr=False)


async def sign_in(command: SignIn, app: Application) -> str:
    """An access token.

    An unknown user costs the same time and gets the same answers. Raises: InvalidCredentials,
    TooManyAttempts.
    """
    try:
        storable_text(command.login)
    except RuleBroken:
        raise InvalidCredentials from None
    profile = await app.ask(find_by_login, command.login)
    account = str(profile.id) if profile else comparison_key(command.login)
    password_hash = profile.password_hash if profile else None
    if not await check_password(account, command.password, password_hash, app):
        raise InvalidCredentials
    assert profile is not None  # noqa: S101 - against no hash no password is right
    return app.access_tokens.issue(profile.id)


async def check_password(
    account: str, password: str, password_hash: str | None, app: Application
) -> bool:
    """Whether a password is right; wrong ones are counted, and after five nobody gets in.

    Raises: TooManyAttempts.
    """
    verified = partial(app.passwords.verify, password, password_hash)
    return await throttled(account.encode(), verified, app)


async def throttled(
    account: bytes, attempt: Callable[[], Awaitable[ResultT]], app: Application
) -> ResultT:
    """What an attempt to get in gives: something false for a failure, which is counted.

    Raises: TooManyAttempts.
    """
    key = app.keyed_hash(account)
    (await app.ask(_failures, key)).require_fewer_than(MAX_FAILURES)
    result = await attempt()
    # Judged after the counting: of many attempts at once no more than five are told apart, and
    # those that are being tried at that moment in all processes.
    if result:
        (await app.ask(_failures, key)).require_fewer_than(MAX_FAILURES)
    else:
        (await app.run(_count_sign_in_failure, key)).require_fewer_than(MAX_FAILURES + 1)
    return result


async def identify(token: str, app: Application) -> Caller | None:
    """The caller whom a bearer token stands for; None when it stands for nobody (any more)."""
    if token.startswith(API_TOKEN_PREFIX):
        return await _identify_by_api_token(token, app)
    read = app.access_tokens.read(token)
    if read is None:
        return None
    user_id, ends_at = read
    return Caller(user_id, frozenset(Scope), hash_token(token), ends_at)


def new_api_token() -> str:
    """A token with 256 random bits."""
    return API_TOKEN_PREFIX + secrets.token_urlsafe(32)


def hash_token(token: str) -> bytes:
    """What is kept of a token. It is random and long, so a fast hash cannot be searched."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


async def find_by_login(login: str, repositories: Repositories) -> UserProfile | None:
    profiles = repositories.user_profiles
    return await (profiles.get_by_email(login) if "@" in login else profiles.get_by_username(login))


async def _failures(account: bytes, repositories: Repositories) -> Failures:
    return await repositories.sign_in_failures.of(account)


async def _count_sign_in_failure(account: bytes, services: Services) -> Failures:
    return await services.sign_in_failures.add(account)


async def _find_by_hash(token_hash: bytes, repositories: Repositories) -> ApiToken | None:
    return await repositories.api_tokens.get_by_hash(token_hash)


async def _identify_by_api_token(token: str, app: Application) -> Caller | None:
    found = await app.ask(_find_by_hash, hash_token(token))
    if found is None or found.is_expired:
        return None
    if found.last_used_at is None or utc_now() - found.last_used_at > _USE_RESOLUTION:
        await app.run(_mark_token_used, found)
    return Caller(
        found.user_profile_id,
        frozenset(found.scopes),
        found.token_hash,
        found.expires_at,
        found.id,
    )


async def _mark_token_used(token: ApiToken, services: Services) -> None:
    await services.api_tokens.mark_used(token)
