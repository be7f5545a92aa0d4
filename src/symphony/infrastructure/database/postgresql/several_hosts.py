"""Connecting to the first of several hosts that fits, also while another one does not answer.

asyncpg accepts a list of hosts, but tries them one after the other within one time limit: a host
that accepts connections and never answers, as a frozen one does, uses it up.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import asyncpg

from symphony.infrastructure.database.postgresql.address import PostgresqlAddress
from symphony.infrastructure.database.postgresql.connecting import CannotConnect, open_connection

_DriverConnection: TypeAlias = "asyncpg.Connection[Any]"

_HEAD_START = 0.25  # seconds; as in RFC 8305, section 5
# libpq looks for a standby first, and takes any server when there is none.
_IN_TURN = {"prefer-standby": ("standby", "any")}


async def open_first_connection(
    address: PostgresqlAddress, settings: Mapping[str, str], time_limit: float
) -> _DriverConnection:
    """Open a connection to the first host that is what `target_session_attrs` requires.

    The hosts have the time limit each. Each one is tried as soon as the one before it has failed,
    or has not answered for 250 ms; connections to all others are aborted.

    Raises: CannotConnect with the reason of each host, DatabaseUrlError.
    """
    wanted = address.target_session_attrs
    *preferred, last = _IN_TURN.get(wanted, (wanted,))
    for each in preferred:
        try:
            return await _first(address.of_each_host(each), settings, time_limit)
        except CannotConnect:
            continue
    return await _first(address.of_each_host(last), settings, time_limit)


async def _first(
    addresses: Sequence[PostgresqlAddress], settings: Mapping[str, str], time_limit: float
) -> _DriverConnection:
    waiting = list(addresses)
    tasks: list[asyncio.Task[_DriverConnection]] = []
    chosen: asyncio.Task[_DriverConnection] | None = None
    try:
        while chosen is None:
            if waiting:
                tasks.append(
                    asyncio.create_task(open_connection(waiting.pop(0), settings, time_limit))
                )
            running = [task for task in tasks if not task.done()]
            if not running:
                raise CannotConnect("; ".join(str(task.exception()) for task in tasks))
            await asyncio.wait(
                running,
                timeout=_HEAD_START if waiting else None,
                return_when=asyncio.FIRST_COMPLETED,
            )
            chosen = next((task for task in tasks if task.done() and _is_chosen(task)), None)
        return chosen.result()
    finally:
        await _abort([task for task in tasks if task is not chosen])


def _is_chosen(task: "asyncio.Task[_DriverConnection]") -> bool:
    """Return whether a host fits; raise an error that is not that of one host."""
    error = task.exception()
    if error is not None and not isinstance(error, CannotConnect):
        raise error
    return error is None


async def _abort(tasks: "Sequence[asyncio.Task[_DriverConnection]]") -> None:
    for task in tasks:
        task.cancel()
    for result in await asyncio.gather(*tasks, return_exceptions=True):
        if not isinstance(result, BaseException):
            result.terminate()
