"""Since when something is changed, by the times of files.

A file that was written again hides when its change began, and an archive or a copy brings older
times with it. The index says nothing: git writes it again without a change.
"""

import os
from collections.abc import Iterable
from datetime import datetime

from symphony.domain.base import utc_now
from symphony.domain.git.since import earliest, plausible
from symphony.infrastructure.git.files.untrusted_directory import UntrustedDirectory
from symphony.infrastructure.git.history.commits import to_time
from symphony.infrastructure.git.status.porcelain import ChangedPath

_NANOSECONDS = 1_000_000_000


def files_changed_since(
    work_tree: UntrustedDirectory, changed: Iterable[ChangedPath]
) -> datetime | None:
    """Return the earliest time of changed files; None when none is known.

    Raises: Unreadable (refused), Stopped, OSError.
    """
    times = list[int]()
    for each in changed:
        work_tree.check_stopped()
        times.append(_time_of(work_tree, each))
    return earliest_of(times)


def earliest_of(nanoseconds: Iterable[int]) -> datetime | None:
    """Return the earliest of times since 1970 that can be true."""
    now = utc_now()
    return earliest(plausible(to_time(each // _NANOSECONDS), now) for each in nanoseconds)


def _time_of(work_tree: UntrustedDirectory, changed: ChangedPath) -> int:
    name = os.fsdecode(changed.path)
    times = work_tree.times(name)
    if times is not None:
        return max(times) if changed.keeps_time else times[0]
    # It was removed, which changed its directory, or that of this one if it was removed as well.
    while "/" in name:
        name = name.rpartition("/")[0]
        times = work_tree.times(name)
        if times is not None:
            return times[0]
    return work_tree.own_modified_at
