"""Threads for Argon2: a fixed number, with a queue of limited length."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from symphony.application.ports import Overloaded

T = TypeVar("T")


class HashingThreads:
    """Threads that compute hashes outside the event loop.

    Argon2 takes tens of milliseconds of a core and releases Python's global lock, so a thread
    blocks nothing else. One thread fewer than cores leaves a core for all other requests.
    """

    def __init__(self, threads: int, max_queued: int = 200) -> None:
        """Limit the total cost of running and queued work to `max_queued`.

        A password has the cost 1; 200 passwords are a few seconds of work.
        """
        self._queued = 0
        self._max_queued = max_queued
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="argon2")

    async def run(self, work: Callable[[], T], cost: int = 1) -> T:
        """Run work whose duration is `cost` times that of a password. Raises: Overloaded."""
        if self._queued + cost > self._max_queued:
            raise Overloaded
        self._queued += cost
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._queued -= cost

    def close(self) -> None:
        self._threads.shutdown(cancel_futures=True)
