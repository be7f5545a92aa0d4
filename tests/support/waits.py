"""How long answers take because of what the server has to do, and not because of the machine."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import httpx

Ask = Callable[[], Awaitable[httpx.Response]]

_PAUSE = 0.02  # seconds between two looks


async def waits_beyond_idle(busy: Ask, idle: Ask, meanwhile: asyncio.Future[Any]) -> list[float]:
    """By how many seconds each answer of the busy server came later than that of an idle one.

    Both are asked the same at the same moment, again and again until `meanwhile` is done: other
    work on the machine delays both, the server's own work only the one.
    """
    beyond: list[float] = []
    while not meanwhile.done():
        waits = await asyncio.gather(_wait(busy), _wait(idle))
        beyond.append(waits[0] - waits[1])
        await asyncio.sleep(_PAUSE)
    return sorted(beyond)


async def _wait(ask: Ask) -> float:
    begun = time.perf_counter()
    answer = await ask()
    assert answer.status_code == 200
    return time.perf_counter() - begun
