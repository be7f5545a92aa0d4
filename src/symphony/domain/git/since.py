"""Since when work is unfinished, at least: the earliest time that is known of it.

A file that was changed again, or a commit that was amended, hides an earlier time, so the work may
be older than that, and is never younger.
"""

from collections.abc import Iterable
from datetime import UTC, datetime

FIRST = datetime(2005, 4, 7, tzinfo=UTC)
"""git's own first commit. An earlier time is of a clock that was never set, or of an archive."""


def earliest(times: Iterable[datetime | None]) -> datetime | None:
    """Return the earliest of the known times."""
    return min((each for each in times if each is not None), default=None)


def plausible(at: datetime | None, now: datetime) -> datetime | None:
    """Return a time of work; None for one that cannot be true, because a clock was wrong."""
    return at if at is not None and FIRST <= at <= now else None
