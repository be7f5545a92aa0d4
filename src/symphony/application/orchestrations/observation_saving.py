"""The storage of observations during a request that only reads."""

import asyncio
from contextlib import suppress

from symphony.application.app import Application
from symphony.application.attention import SaveObservations, save_observations
from symphony.domain.unit_of_work import StoreUnavailable

SAVE_LIMIT = 3.0  # seconds


async def try_to_save_observations(command: SaveObservations, app: Application) -> None:
    """Save observations, unless the database is unavailable or slow.

    The request does not fail in that case, because the observations that it returns are correct. It
    waits for the database, so the next request finds the observations.
    """
    if command.observations:
        with suppress(StoreUnavailable, TimeoutError):
            async with asyncio.timeout(SAVE_LIMIT):
                await app.run(save_observations, command)
