"""A wait for work in a thread that watches what the work uses."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from symphony.infrastructure.git.process.threads import start_thread

T = TypeVar("T")


async def wait_watched(work: "asyncio.Future[T]", check: Callable[[], None], interval: float) -> T:
    """Return the result of the work; meanwhile call `check`, in a thread, every `interval` seconds.

    An exception of `check` ends the wait, but not the work.
    """
    try:
        while not (await asyncio.wait([work], timeout=interval))[0]:
            await asyncio.wrap_future(start_thread(check, "watch"))
        return work.result()
    finally:
        work.cancel()
