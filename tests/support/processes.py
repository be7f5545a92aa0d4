"""Information about processes that may exit at any time."""

from collections.abc import Callable
from typing import TypeVar

import psutil

T = TypeVar("T")


def children(pid: int | None = None) -> list[psutil.Process]:
    """The descendants of a process, or of this one."""
    return _unless_ended(lambda: psutil.Process(pid).children(recursive=True), [])


def name(process: psutil.Process) -> str:
    """Empty if the process has exited."""
    return _unless_ended(process.name, "")


def command_line(process: psutil.Process) -> list[str]:
    """Empty if the process has exited."""
    return _unless_ended(process.cmdline, [])


def environment(process: psutil.Process) -> dict[str, str]:
    """Empty if the process has exited."""
    return _unless_ended(process.environ, {})


def resident_memory(process: psutil.Process) -> int:
    """In bytes; 0 if the process has exited."""
    return _unless_ended(lambda: process.memory_info().rss, 0)


def has_ended(pid: int) -> bool:
    """True also for a zombie, which its new parent may not have reaped yet."""
    zombie = psutil.STATUS_ZOMBIE
    return _unless_ended(lambda: psutil.Process(pid).status(), zombie) == zombie


def _unless_ended(read: Callable[[], T], otherwise: T) -> T:
    try:
        return read()
    except psutil.Error:
        return otherwise
