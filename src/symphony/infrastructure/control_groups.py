"""The limits that containers and systemd set: control groups (cgroups(7)), of both versions."""

import math
import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

CONTROL_GROUPS = Path("/proc/self/cgroup")
MOUNT = Path("/sys/fs/cgroup")


def memory_limits(control_groups: Path = CONTROL_GROUPS, mount: Path = MOUNT) -> Iterator[int]:
    """Yield the limits of the control groups of this process, and of all that contain them.

    In bytes. A container and `MemoryMax=` of systemd set such a limit.
    """
    names = ("memory.max", "memory.limit_in_bytes")
    for (limit,) in _settings("memory", names[:1], names[1:], control_groups, mount):
        if limit.isdecimal():  # otherwise `max`
            yield int(limit)


def usable_cores(control_groups: Path = CONTROL_GROUPS, mount: Path = MOUNT) -> int:
    """Return the number of cores that this process may use, at least 1.

    It is that of the machine, or less if the process is bound to some of them (`CPUAffinity=`, a
    cpuset) or if a control group limits its processor time (`CPUQuota=`, the CPU limit of a
    container); a part of a core counts as one.
    """
    return min([_bound_to(), *_quotas(control_groups, mount)])


def _bound_to() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1  # macOS


def _quotas(control_groups: Path, mount: Path) -> Iterator[int]:
    version_1 = ("cpu.cfs_quota_us", "cpu.cfs_period_us")
    for values in _settings("cpu", ("cpu.max",), version_1, control_groups, mount):
        quota, period = " ".join(values).split()
        if quota.isdecimal():  # otherwise `max`, or -1 in version 1
            yield max(1, math.ceil(int(quota) / int(period)))


def _settings(
    controller: str,
    names: tuple[str, ...],
    names_in_version_1: tuple[str, ...],
    control_groups: Path,
    mount: Path,
) -> Iterator[list[str]]:
    """Yield the contents of files of each control group of this process, from the inside out."""
    try:
        lines = control_groups.read_text().splitlines()
    except OSError:
        return  # another system than Linux
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if not controllers:
            top, files = mount, names
        elif controller in controllers.split(","):
            top, files = mount / controller, names_in_version_1
        else:
            continue
        inner = PurePosixPath(path.lstrip("/"))
        for group in (inner, *inner.parents):
            try:
                yield [(top / group / name).read_text().strip() for name in files]
            except OSError:
                continue  # a container sees its own group as the top
