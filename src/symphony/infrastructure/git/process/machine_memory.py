"""The memory that this process may use (sysconf(3), cgroups(7))."""

import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

_CONTROL_GROUPS = Path("/proc/self/cgroup")
_MOUNT = Path("/sys/fs/cgroup")
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


def machine_memory(control_groups: Path = _CONTROL_GROUPS, mount: Path = _MOUNT) -> int:
    """Return the physical memory, or the lowest limit of the control groups of this process.

    In bytes. A container and `MemoryMax=` of systemd set such a limit.
    """
    physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return min([physical, *_limits(control_groups, mount)])


def _limits(control_groups: Path, mount: Path) -> Iterator[int]:
    """Yield the limits of the control groups of this process, and of all that contain them."""
    try:
        lines = control_groups.read_text().splitlines()
    except OSError:
        return  # another system than Linux
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if not controllers:
            top, name = mount, "memory.max"
        elif "memory" in controllers.split(","):
            top, name = mount / "memory", "memory.limit_in_bytes"
        else:
            continue
        inner = PurePosixPath(path.lstrip("/"))
        for group in (inner, *inner.parents):
            try:
                limit = (top / group / name).read_text().strip()
            except OSError:
                continue  # a container sees its own group as the top
            if limit.isdecimal():  # otherwise `max`
                yield int(limit)
