"""Throttling of attempts to guess a password or a passphrase."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from enum import Enum, auto
from typing import TypeVar
from uuid import UUID

from symphony.application.app import Application
from symphony.application.attempts import (
    CheckAttempt,
    FinishAttempt,
    ReserveAttempt,
    ReserveSignIn,
    check_attempt,
    finish_attempt,
    reserve_attempt,
    reserve_sign_in,
)
from symphony.application.ports import Requester
from symphony.domain.attempts import Counter, Outcome, StrangerAttempts, TooManyAttempts
from symphony.domain.fields import comparison_key
from symphony.domain.passwords.passwords import password_forms
from symphony.domain.unit_of_work import StoreUnavailable
from symphony.domain.user_profiles import UserProfile

ResultT = TypeVar("ResultT")
ReservationT = TypeVar("ReservationT")

_POLL = 0.05  # seconds until it is checked again whether pending attempts are finished
_LONGEST_WAIT = 10.0  # seconds for pending attempts


class PasswordMatch(Enum):
    """The form in which a password matches its hash."""

    NORMALIZED = auto()
    AS_TYPED = auto()
    """The hash is from before passwords were normalized."""


def login_subject(login: str, app: Application) -> bytes:
    """Return the subject of a login as sent; no profile need have it."""
    return _hash(app, "login", comparison_key(login))


def account_subject(account: str, app: Application) -> bytes:
    """Return the subject of a profile, by its id, whose password a caller with a token sends."""
    return _hash(app, "account", account)


def vault_counter(vault_id: UUID, app: Application) -> Counter:
    """Return the counter of a vault's passphrase, over all tokens of its owner."""
    return _counter(_hash(app, "vault", str(vault_id)))


async def throttled(
    counter: Counter,
    attempt: Callable[[], Awaitable[ResultT]],
    app: Application,
    on_success: Outcome = Outcome.SUCCEEDED,
) -> ResultT:
    """Run an attempt, and count a failure if the result is falsy.

    Raises: TooManyAttempts during a pause, Overloaded.
    """

    async def reserve() -> bool:
        return await app.run(reserve_attempt, ReserveAttempt(counter))

    async with app.gates.passed(counter):
        await _reserved(counter, reserve, app)
        return await _finished((counter,), attempt, app, on_success)


async def check_password(
    account: str,
    password: str,
    password_hash: str | None,
    requester: Requester,
    app: Application,
) -> PasswordMatch | None:
    """Return how the password of a caller with a token matches; count it and return None if not.

    `account` is the id of the token's owner. Raises: TooManyAttempts, Overloaded.
    """

    async def verify() -> PasswordMatch | None:
        return await _match(password, password_hash, requester, app)

    return await throttled(_counter(account_subject(account, app)), verify, app)


async def check_sign_in(
    login: str, client_address: str, password: str, profile: UserProfile | None, app: Application
) -> PasswordMatch | None:
    """Return how the password of a sign-in matches; count it and return None if not.

    Failures are counted by the login as sent and the address, so the name and the e-mail address of
    one account have nothing in common. Strangers, at addresses that are not known, share a limit as
    well. Beyond it, an attempt takes the same time and is refused whether it is right or wrong,
    unless the account has signed in from its address, by whichever login.

    An unknown login gets the same answers after the same time. Raises: TooManyAttempts, Overloaded.
    """
    login = comparison_key(login)
    subject = login_subject(login, app)
    own = Counter(_hash(app, "login and address", login, client_address), subject)
    account = str(profile.id) if profile else ""
    requester = Requester.address(client_address)
    command = ReserveSignIn(
        own,
        strangers=Counter(_hash(app, "login of strangers", login), subject, StrangerAttempts),
        known=_hash(app, "address of login", login, client_address),
        known_to_account=_hash(app, "address of account", account, client_address),
    )
    # By address: a client with many logins would otherwise fill the queue of the database.
    async with app.gates.passed(requester):
        reserved = await _reserved(own, lambda: app.run(reserve_sign_in, command), app)
        may_succeed = reserved.refusal is None or reserved.is_known_to_account
        password_hash = profile.password_hash if profile and may_succeed else None

        async def verify() -> PasswordMatch | None:
            return await _match(password, password_hash, requester, app)

        known = (command.known, command.known_to_account)
        match = await _finished(reserved.counters, verify, app, known=known)
    if match is None and reserved.refusal:
        raise reserved.refusal
    return match


async def _match(
    password: str, password_hash: str | None, requester: Requester, app: Application
) -> PasswordMatch | None:
    """Compare; without a hash it takes the same time as for a wrong password."""
    for form, match in zip(password_forms(password), PasswordMatch, strict=False):
        if await app.passwords.verify(form, password_hash, requester):
            return match
    return None


async def _reserved(
    counter: Counter, reserve: Callable[[], Awaitable[ReservationT | None]], app: Application
) -> ReservationT:
    """Reserve an attempt; wait while the results of others decide about it.

    Raises: TooManyAttempts.
    """
    until = time.monotonic() + _LONGEST_WAIT
    while time.monotonic() < until:
        if await app.ask(check_attempt, CheckAttempt(counter)) and (reserved := await reserve()):
            return reserved
        await asyncio.sleep(_POLL)
    raise TooManyAttempts(timedelta(seconds=1))


async def _finished(
    counters: tuple[Counter, ...],
    attempt: Callable[[], Awaitable[ResultT]],
    app: Application,
    on_success: Outcome = Outcome.SUCCEEDED,
    known: tuple[bytes, ...] = (),
) -> ResultT:
    """Run a reserved attempt, and count its result before it is returned."""
    try:
        result = await attempt()
    except BaseException:
        with suppress(StoreUnavailable):  # then it counts as a failure
            await app.run(finish_attempt, FinishAttempt(counters, Outcome.WITHDRAWN))
        raise
    if result:
        await app.run(finish_attempt, FinishAttempt(counters, on_success, known))
    else:
        await app.run(finish_attempt, FinishAttempt(counters, Outcome.FAILED))
    return result


def _counter(subject: bytes) -> Counter:
    """Return the only counter of a subject."""
    return Counter(subject, subject)


def _hash(app: Application, kind: str, *parts: str) -> bytes:
    """Hash parts of which no part but the last one contains NUL."""
    return app.keyed_hash("\0".join((kind, *parts)).encode())
