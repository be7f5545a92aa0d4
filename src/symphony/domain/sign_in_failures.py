"""How often somebody has failed to get in lately: into an account, or into a vault."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

from symphony.domain.base import utc_now
from symphony.domain.errors import DomainError

MAX_FAILURES = 5
WINDOW = timedelta(minutes=1)


class TooManyAttempts(DomainError):
    """Nobody gets in for a while, not even with the right password."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(
            "too-many-attempts",
            f"Too many failed attempts; try again in {retry_after} seconds.",
        )
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Failures:
    """`count` failures since the first one of the present minute."""

    count: int
    since: datetime

    def require_fewer_than(self, count: int) -> None:
        """Raises: TooManyAttempts, until the minute is over."""
        remaining = (self.since + WINDOW - utc_now()).total_seconds()
        if self.count >= count and remaining > 0:
            raise TooManyAttempts(ceil(remaining))


class SignInFailures(ABC):
    """Failures by account, for all processes. An account need not exist."""

    @abstractmethod
    async def of(self, account: bytes) -> Failures:
        """Those of the present minute."""

    @abstractmethod
    async def add(self, account: bytes) -> Failures:
        """Counts one more, and gives what it then is."""
