"""Looking at processes that may end meanwhile."""

from collections.abc import Callable
from typing import TypeVar

import psutil

T = TypeVar("T")


def children(pid: int | None = None) -> list[psutil.Process]:
    """Those that a process, or this one, has begun, and those that these have."""
    return _unless_ended(lambda: psutil.Process(pid).children(recursive=True), [])


def name(process: psutil.Process) -> str:
    """Empty for one that has ended."""
    return _unless_ended(process.name, "")


def command_line(process: psutil.Process) -> list[str]:
    """Empty for one that has ended."""
    return _unless_ended(process.cmdline, [])


def environment(process: psutil.Process) -> dict[str, str]:
    """Empty for one that has ended."""
    return _unless_ended(process.environ, {})


def has_ended(pid: int) -> bool:
    """In the arms of whoever adopts it, it may stay a zombie for a while."""
    zombie = psutil.STATUS_ZOMBIE
    return _unless_ended(lambda: psutil.Process(pid).status(), zombie) == zombie


def _unless_ended(look: Callable[[], T], otherwise: T) -> T:
    try:
        return look()
    except psutil.Error:
        return otherwise
