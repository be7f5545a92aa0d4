"""Response times that other work on the machine does not distort."""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from typing import Any

import httpx

Ask = Callable[[], Awaitable[httpx.Response]]

_PAUSE = 0.02  # seconds between two measurements


async def waits_beyond_idle(busy: Ask, idle: Ask, meanwhile: asyncio.Future[Any]) -> list[float]:
    """The seconds by which each response of a busy server was slower than that of an idle one.

    Both get the same request at the same time, repeatedly until `meanwhile` is done: other
    work on the machine delays both, the work of the busy server delays only its own.
    """
    beyond: list[float] = []
    while not meanwhile.done():
        waits = await asyncio.gather(_wait(busy), _wait(idle))
        beyond.append(waits[0] - waits[1])
        await asyncio.sleep(_PAUSE)
    return sorted(beyond)


async def _wait(ask: Ask) -> float:
    start = time.perf_counter()
    answer = await ask()
    assert answer.status_code == 200
    return time.perf_counter() - start


def results_by(elapsed: float) -> int:
    """The most wrong guesses that can have got a result after some seconds.

    Five, and one more after each pause of 1, 2, 4 seconds and so on that is over.
    """
    return 5 + int(math.log2(elapsed + 1))
