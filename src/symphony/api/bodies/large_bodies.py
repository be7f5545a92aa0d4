"""The thread that parses and validates large bodies, so that the event loop answers others.

One after the other: threads that compute share Python's global lock, so several bodies at once
would all be ready when the last one is, and each would slow down the event loop.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar, TypeVarTuple

_Arguments = TypeVarTuple("_Arguments")
_Result = TypeVar("_Result")

_thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="large-bodies")


async def in_turn(function: Callable[[*_Arguments], _Result], *arguments: *_Arguments) -> _Result:
    """Call a function that takes some milliseconds or more, when those before it have ended."""
    return await asyncio.get_running_loop().run_in_executor(_thread, function, *arguments)
