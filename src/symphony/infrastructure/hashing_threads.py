"""Threads for what is slow by intent: so many at a time, and an end to the line before them."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from symphony.application.ports import Overloaded

T = TypeVar("T")
MAX_WAITING = 200  # units of cost, one being a password: a few seconds of work


class HashingThreads:
    """Runs work away from the event loop.

    Argon2 takes tens of milliseconds of a core and releases Python's lock: in a thread it stops
    nobody, and with one thread less than cores it leaves room for everybody else.
    """

    def __init__(self, threads: int) -> None:
        self._waiting = 0
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="argon2")

    async def run(self, work: Callable[[], T], cost: int = 1) -> T:
        """`cost` is how long it takes, a password being 1. Raises: Overloaded."""
        if self._waiting + cost > MAX_WAITING:
            raise Overloaded
        self._waiting += cost
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._waiting -= cost

    def close(self) -> None:
        self._threads.shutdown(cancel_futures=True)
