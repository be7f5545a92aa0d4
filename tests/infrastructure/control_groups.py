"""Control groups of a process, as the kernel shows them, written to a directory."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class WrittenControlGroups:
    """`listed` is in place of `/proc/self/cgroup`, `mount` of `/sys/fs/cgroup`."""

    listed: Path
    mount: Path


def write_control_groups(
    directory: Path, listed: str, limits: Mapping[str, str]
) -> WrittenControlGroups:
    """Write the list of groups, and the files with their limits by their names."""
    written = WrittenControlGroups(directory / "listed", directory / "mount")
    written.listed.write_text(listed)
    for name, limit in limits.items():
        file = written.mount / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(limit)
    return written
