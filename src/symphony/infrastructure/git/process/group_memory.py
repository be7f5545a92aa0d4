"""The resident memory of process groups (proc(5))."""

import os
import threading
import time
from contextlib import suppress

_PROCESSES = "/proc"
_MAX_STAT = 4096  # bytes
_PAGE_SIZE = os.sysconf("SC_PAGE_SIZE")
_VALID_FOR = 0.1  # seconds: one scan serves all programs that are watched at the same time
# Positions in `/proc/<pid>/stat` after the name, which may contain any character.
_GROUP, _RESIDENT_PAGES = 2, 21


class GroupMemory:
    """The memory of all process groups of the machine, from one scan for all callers.

    Without `/proc`, which only Linux has, nothing is known, and every group has 0 bytes.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._valid_until = 0.0
        self._sizes = dict[int, int]()

    def of(self, group: int) -> int:
        """Return the resident memory of a process group, in bytes."""
        with self._lock:
            if time.monotonic() >= self._valid_until:
                self._sizes = _scan()
                self._valid_until = time.monotonic() + _VALID_FOR
            return self._sizes.get(group, 0)


def _scan() -> dict[int, int]:
    sizes = dict[int, int]()
    with suppress(OSError):  # there is none, or this process may not read it
        for name in os.listdir(_PROCESSES):
            if name.isdecimal():
                with suppress(OSError):  # it has terminated
                    fields = _stat(name)
                    group = int(fields[_GROUP])
                    size = int(fields[_RESIDENT_PAGES]) * _PAGE_SIZE
                    sizes[group] = sizes.get(group, 0) + size
    return sizes


def _stat(process: str) -> list[bytes]:
    """Return the fields of `/proc/<pid>/stat` after the name. Raises: OSError."""
    file = os.open(f"{_PROCESSES}/{process}/stat", os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.read(file, _MAX_STAT).rpartition(b")")[2].split()
    finally:
        os.close(file)
