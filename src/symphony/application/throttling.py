"""Throttling of attempts to guess a password or a passphrase."""

from collections.abc import Awaitable, Callable
from enum import Enum, auto
from typing import TypeVar

from symphony.application.app import Application
from symphony.application.ports import Requester
from symphony.application.sign_in_failures import (
    CountSignInFailure,
    GetSignInFailures,
    count_sign_in_failure,
    get_sign_in_failures,
)
from symphony.domain.sign_in_failures import MAX_FAILURES
from symphony.domain.user_profiles import password_forms

ResultT = TypeVar("ResultT")


def account_key(account: str, app: Application) -> bytes:
    """Return the key under which the failures of an account are counted.

    `account` is the id of a user profile, or a login that no profile has.
    """
    return app.keyed_hash(account.encode())


async def throttled(
    key: bytes, attempt: Callable[[], Awaitable[ResultT]], app: Application
) -> ResultT:
    """Run an attempt, and count a failure under `key`, a keyed hash, if the result is falsy.

    Raises: TooManyAttempts after five failures within a minute.
    """
    recent = await app.ask(get_sign_in_failures, GetSignInFailures(key))
    recent.require_fewer_than(MAX_FAILURES)
    result = await attempt()
    # Checked again after the attempt: of many parallel attempts, no more than five get a result,
    # plus the attempts that are running in all processes at that time.
    if result:
        recent = await app.ask(get_sign_in_failures, GetSignInFailures(key))
        recent.require_fewer_than(MAX_FAILURES)
    else:
        recent = await app.run(count_sign_in_failure, CountSignInFailure(key))
        recent.require_fewer_than(MAX_FAILURES + 1)
    return result


class PasswordMatch(Enum):
    """The form in which a password matches its hash."""

    NORMALIZED = auto()
    AS_TYPED = auto()
    """The hash is from before passwords were normalized."""


async def check_password(
    account: str,
    password: str,
    password_hash: str | None,
    requester: Requester,
    app: Application,
) -> PasswordMatch | None:
    """Return how a password matches; count it and return None if it is wrong.

    Without a hash it takes the same time as a wrong password. Raises: TooManyAttempts, Overloaded.
    """

    async def verify() -> PasswordMatch | None:
        forms = password_forms(password)
        for form, match in zip(forms, PasswordMatch, strict=False):
            if await app.passwords.verify(form, password_hash, requester):
                return match
        return None

    return await throttled(account_key(account, app), verify, app)
