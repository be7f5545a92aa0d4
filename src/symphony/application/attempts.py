"""Use cases of attempts to guess a password or a passphrase, for `throttling`."""

from dataclasses import dataclass, field

from symphony.application.app import Queries, Services
from symphony.domain.attempts import Counter, Outcome, TooManyAttempts


@dataclass(frozen=True, slots=True)
class CheckAttempt:
    """Check whether an attempt may start, before it takes a lock to reserve it."""

    counter: Counter = field(repr=False)


@dataclass(frozen=True, slots=True)
class ReserveAttempt:
    counter: Counter = field(repr=False)


@dataclass(frozen=True, slots=True)
class ReserveSignIn:
    """Reserve a sign-in with a login from an address.

    `strangers` counts the login from all addresses that never signed in with it. `known` identifies
    the address together with the login, `known_to_account` together with the login's account.
    """

    own: Counter = field(repr=False)
    strangers: Counter = field(repr=False)
    known: bytes = field(repr=False)
    known_to_account: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class ReservedSignIn:
    """The counters of a sign-in, and why it is refused, unless the account knows the address."""

    counters: tuple[Counter, ...] = field(repr=False)
    refusal: TooManyAttempts | None
    is_known_to_account: bool


@dataclass(frozen=True, slots=True)
class FinishAttempt:
    """End an attempt; after a sign-in, the addresses in `known` are known."""

    counters: tuple[Counter, ...] = field(repr=False)
    outcome: Outcome
    known: tuple[bytes, ...] = field(default=(), repr=False)


async def check_attempt(query: CheckAttempt, queries: Queries) -> bool:
    """Return False if the attempt has to wait for others. Raises: TooManyAttempts."""
    return await queries.repositories.attempts.may_start(query.counter)


async def reserve_attempt(command: ReserveAttempt, services: Services) -> bool:
    """Return False if the attempt has to wait for others. Raises: TooManyAttempts."""
    return await services.attempts.reserve(command.counter)


async def reserve_sign_in(command: ReserveSignIn, services: Services) -> ReservedSignIn | None:
    """Return None if the sign-in has to wait for others. Raises: TooManyAttempts."""
    attempts = services.attempts
    if not await attempts.reserve(command.own):
        return None
    is_known_to_account = await attempts.is_known(command.known_to_account)
    if await attempts.is_known(command.known):
        return ReservedSignIn((command.own,), None, is_known_to_account)
    try:
        await attempts.reserve(command.strangers)
    except TooManyAttempts as refusal:
        return ReservedSignIn((command.own,), refusal, is_known_to_account)
    return ReservedSignIn((command.own, command.strangers), None, is_known_to_account)


async def finish_attempt(command: FinishAttempt, services: Services) -> None:
    for counter in command.counters:
        await services.attempts.finish(counter, command.outcome)
    for address in command.known:
        await services.attempts.remember(address)
