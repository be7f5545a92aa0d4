"""Recent failures to sign in to an account, or to unlock a vault."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

from symphony.domain.base import utc_now
from symphony.domain.errors import DomainError

MAX_FAILURES = 5
WINDOW = timedelta(minutes=1)
CLOCK_DIFFERENCE = timedelta(seconds=10)
"""How far the clocks of the processes may differ. A failure that is further in the future was
counted before the clock was set back."""


class TooManyAttempts(DomainError):
    """Every attempt is refused for `retry_after` seconds, even with the right password."""

    def __init__(self, retry_after: int) -> None:
        seconds = "1 second" if retry_after == 1 else f"{retry_after} seconds"
        super().__init__(
            "too-many-attempts", f"There were too many failed attempts; retry in {seconds}."
        )
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class RecentFailures:
    """The number of failures since the first one of the current minute, at `since`."""

    count: int
    since: datetime

    def require_fewer_than(self, count: int) -> None:
        """Raise an error until the minute is over; a minute that begins later than now is over.

        So a clock that is set back never prolongs it. Raises: TooManyAttempts.
        """
        remaining = self.since + WINDOW - utc_now()
        if self.count >= count and timedelta(0) < remaining <= WINDOW:
            raise TooManyAttempts(ceil(remaining.total_seconds()))


class SignInFailureRepository(ABC):
    """The failures of each account, shared by all processes. An account need not exist."""

    @abstractmethod
    async def recent(self, account: bytes) -> RecentFailures:
        """The failures of the current minute."""

    @abstractmethod
    async def add(self, account: bytes) -> RecentFailures:
        """Count one more failure, and return the new number."""

    @abstractmethod
    async def clear(self, account: bytes) -> None:
        """Forget the failures of an account."""
