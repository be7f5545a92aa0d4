"""The memory that this process may use (sysconf(3), control groups)."""

import os
from pathlib import Path

from symphony.infrastructure.control_groups import CONTROL_GROUPS, MOUNT, memory_limits

_MIN_CONCURRENCY = 2  # or one job that never finishes would keep all users waiting


def concurrency_within(
    memory: int, per_job: int, highest: int, highest_per_user: int
) -> tuple[int, int]:
    """Return how many jobs may run at the same time, in total and of one user.

    All of them together take no more than `memory` bytes, except that at least two may run. One
    user gets at most half of the threads.
    """
    total = max(_MIN_CONCURRENCY, min(highest, memory // per_job))
    return total, min(highest_per_user, total // 2)


def machine_memory(control_groups: Path = CONTROL_GROUPS, mount: Path = MOUNT) -> int:
    """Return the physical memory in bytes, or the lowest limit of the control groups."""
    physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return min([physical, *memory_limits(control_groups, mount)])
