"""Stopping of work in a thread: no thread can be interrupted, so its loops ask."""

from collections.abc import Callable

CheckStopped = Callable[[], None]
"""Raises Stopped when the result of the work is no longer needed.

Every loop over what a repository contains calls it: such a loop may be of any length.
"""


class Stopped(Exception):
    """The work was stopped, because its result is no longer needed."""


class StopSignal:
    """Stops the work that calls `check`; any thread may call `stop`."""

    def __init__(self) -> None:
        self._is_stopped = False

    def stop(self) -> None:
        self._is_stopped = True

    def check(self) -> None:
        """Raises: Stopped."""
        if self._is_stopped:
            raise Stopped
