"""Attempts to guess a password or a passphrase: the count of failures, and the pauses after them.

A counter is a row that all processes share. An attempt is reserved before the slow comparison and
finished after it, so parallel attempts get no more results than consecutive ones.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum, auto
from math import ceil
from typing import Self

from symphony.domain.errors import DomainError

MAX_FAILURES = 5
"""The first failure with a pause after it; each further failure doubles the pause."""
FIRST_PAUSE = timedelta(seconds=1)
LONGEST_PAUSE = timedelta(minutes=15)
MAX_FAILURES_OF_STRANGERS = 100
"""Failures of one login within an hour, from all addresses that never signed in with it."""
KNOWN_FOR = timedelta(days=30)
"""How long an address is known after a sign-in."""
CLOCK_DIFFERENCE = timedelta(seconds=10)
"""How far the clocks of the processes may differ. A time that is further in the future was stored
before the clock was set back."""
LONGEST_ATTEMPT = timedelta(seconds=30)
"""After this time an attempt without a result has failed: its process was killed, for example."""

_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)
_DOUBLINGS = 20  # more would overflow a time; the longest pause is reached long before


class TooManyAttempts(DomainError):
    """Every attempt is refused for `retry_after` seconds, even with the right password."""

    def __init__(self, remaining: timedelta) -> None:
        self.retry_after = max(1, ceil(remaining.total_seconds()))
        seconds = "1 second" if self.retry_after == 1 else f"{self.retry_after:,} seconds"
        super().__init__(
            "too-many-attempts", f"There were too many failed attempts; retry in {seconds}."
        )


class Outcome(Enum):
    """How an attempt ended."""

    FAILED = auto()
    SUCCEEDED = auto()
    WITHDRAWN = auto()
    """There is no result, or one that neither counts nor ends the count."""


@dataclass(frozen=True, slots=True)
class Attempts:
    """The failures of one counter, and its pending attempts.

    `failed_at` is the time of the last failure, `reserved_at` that of the last reservation.
    """

    failures: int
    pending: int
    failed_at: datetime
    reserved_at: datetime

    @classmethod
    def none(cls, now: datetime) -> Self:
        return cls(0, 0, now, now)

    def at(self, now: datetime) -> Self:
        """Return what counts at a time: abandoned attempts have failed, old failures are gone."""
        if self.pending and not _is_within(now - self.reserved_at, LONGEST_ATTEMPT):
            failures, failed_at = (
                self.failures + self.pending,
                max(self.failed_at, self.reserved_at),
            )
            return replace(self, failures=failures, pending=0, failed_at=failed_at).at(now)
        return self if self.pending or now < self.expires_at else self.none(now)

    @property
    def expires_at(self) -> datetime:
        """When the row is worth nothing. With pauses, a day after the last failure.

        Without pauses an hour: four guesses an hour are no more than one in each longest pause, and
        such rows are the ones that an attacker with many logins or addresses leaves.
        """
        kept = _HOUR if self.failures + self.pending < MAX_FAILURES else _DAY
        return max(self.failed_at, self.reserved_at) + kept

    def may_start(self, now: datetime) -> bool:
        """Return False while the results of pending attempts decide about further ones.

        Raises: TooManyAttempts during a pause.
        """
        if self.failures < MAX_FAILURES:
            return self.failures + self.pending < MAX_FAILURES
        doublings = min(self.failures - MAX_FAILURES, _DOUBLINGS)
        pause = min(FIRST_PAUSE * 2**doublings, LONGEST_PAUSE)
        # A pause from before the clock was set back is over: it would last too long.
        passed = now - self.failed_at
        if _is_within(passed, pause):
            raise TooManyAttempts(pause - max(passed, timedelta(0)))
        return self.pending == 0

    def reserved(self, now: datetime) -> Self:
        return replace(self, pending=self.pending + 1, reserved_at=now)

    def finished(self, outcome: Outcome, now: datetime) -> Self:
        left = replace(self, pending=max(0, self.pending - 1))
        if outcome is Outcome.FAILED:
            return replace(left, failures=self.failures + 1, failed_at=now)
        return replace(left, failures=0) if outcome is Outcome.SUCCEEDED else left


class StrangerAttempts(Attempts):
    """The attempts with one login from all addresses that never signed in with it, for an hour.

    `failed_at` is the time of the first failure. A success is no reason to forget the failures of
    others.
    """

    __slots__ = ()

    def at(self, now: datetime) -> Self:
        return self if _is_within(now - self.failed_at, _HOUR) else self.none(now)

    @property
    def expires_at(self) -> datetime:
        return self.failed_at + _HOUR

    def may_start(self, now: datetime) -> bool:
        """Raises: TooManyAttempts until the hour is over."""
        if self.failures + self.pending >= MAX_FAILURES_OF_STRANGERS:
            raise TooManyAttempts(min(self.expires_at - now, _HOUR))
        return True

    def finished(self, outcome: Outcome, now: datetime) -> Self:
        left = replace(self, pending=max(0, self.pending - 1))
        if outcome is not Outcome.FAILED:
            return left
        failed_at = self.failed_at if self.failures else now
        return replace(left, failures=self.failures + 1, failed_at=failed_at)


@dataclass(frozen=True, slots=True)
class Counter:
    """What is counted together; keyed hashes, so that no login or address can be read.

    `subject` is the login, account or vault. `key` identifies the counter: several counters can
    have the same subject, one for each address.
    """

    key: bytes
    subject: bytes
    attempts: type[Attempts] = Attempts


class AttemptRepository(ABC):
    """The counters, and the known addresses, shared by all processes.

    A subject need not exist.
    """

    @abstractmethod
    async def may_start(self, counter: Counter) -> bool:
        """Return whether an attempt may start; False if it has to wait for pending ones.

        Raises: TooManyAttempts.
        """

    @abstractmethod
    async def reserve(self, counter: Counter) -> bool:
        """Lock the counter and add a pending attempt, if `may_start`. Raises: TooManyAttempts."""

    @abstractmethod
    async def finish(self, counter: Counter, outcome: Outcome) -> None:
        """End a pending attempt."""

    @abstractmethod
    async def clear(self, subject: bytes) -> None:
        """Forget all attempts with a subject, from every address."""

    @abstractmethod
    async def is_known(self, address: bytes) -> bool:
        """Return whether an address, a keyed hash together with its subject, is known."""

    @abstractmethod
    async def remember(self, address: bytes) -> None:
        """Make an address known from now on."""


def _is_within(passed: timedelta, limit: timedelta) -> bool:
    """Return whether a time that has passed is below a limit; clocks may differ a little."""
    return -CLOCK_DIFFERENCE <= passed < limit
