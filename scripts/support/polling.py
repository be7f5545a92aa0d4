"""Waiting for what nothing in this process could announce."""

import asyncio
from collections.abc import Awaitable, Callable

_PAUSE = 0.05  # seconds


async def until(happened: Callable[[], Awaitable[bool]], within: float = 10) -> None:
    """Wait until `happened` returns True. Raises: TimeoutError."""
    async with asyncio.timeout(within):
        while not await happened():  # noqa: ASYNC110 - nothing in this process could set an event
            await asyncio.sleep(_PAUSE)
