"""Work that the database rolled back because of other work runs again."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

from symphony.domain.unit_of_work import StoreUnavailable, TransactionConflict

ResultT = TypeVar("ResultT")

MAX_ATTEMPTS = 10
_LONGEST_PAUSE = 0.1  # seconds


async def retried(attempt: Callable[[], Awaitable[ResultT]]) -> ResultT:
    """Run something until it has no conflict, up to ten times. Raises: StoreUnavailable."""
    for number in range(MAX_ATTEMPTS):
        try:
            return await attempt()
        except TransactionConflict:
            # Random, so that two commands do not conflict again; never zero, because the one
            # that was not rolled back needs its locks before this one requests them again.
            pause = min(_LONGEST_PAUSE, 0.004 * 2**number)
            await asyncio.sleep(random.uniform(pause / 2, pause))  # noqa: S311 - not a secret
    raise StoreUnavailable("conflicts")
