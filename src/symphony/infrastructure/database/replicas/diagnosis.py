"""A check of all replicas for the operator, beside the service: may it ask them, and why not.

The service measures how far a replica is behind with its heartbeat, which it writes. A check writes
nothing: it reads the position of the primary's log, and waits until a replica has replayed that.
Then the replica must also have a heartbeat that the primary had meanwhile, since a position of
another timeline says nothing.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from sqlalchemy import text

from symphony.domain.unit_of_work import TransactionConflict
from symphony.infrastructure.database.checks.explanations import (
    DatabaseUnusable,
    explained_errors,
)
from symphony.infrastructure.database.connection import Connection
from symphony.infrastructure.database.engine import (
    DEFAULT_LIMITS,
    Engines,
    create_postgresql_engines,
)
from symphony.infrastructure.database.postgresql.address import PostgresqlAddress
from symphony.infrastructure.database.replicas.heartbeat import current_beat, probe
from symphony.infrastructure.database.replicas.replica import (
    AWAY,
    BEHIND,
    MAX_LAG,
    limits_for_replicas,
)

T = TypeVar("T")

_PAUSE = 0.05  # seconds
_WITHIN = MAX_LAG + 5.0  # seconds for all of a check; the server may stop answering meanwhile
_IS_STANDBY = text("SELECT pg_is_in_recovery()")
_POSITION = text("SELECT CAST(pg_current_wal_lsn() AS text)")
_HAS_REPLAYED = text("SELECT pg_last_wal_replay_lsn() >= CAST(CAST(:position AS text) AS pg_lsn)")
_OTHER_PRIMARY = "it does not follow this primary"


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Why the service does not ask a replica, None if it does; and how many seconds the replica is
    behind at most, if that is known."""

    name: str
    reason: str | None
    lag: float | None = None


async def diagnose(primary: Engines, addresses: Sequence[PostgresqlAddress]) -> Sequence[Diagnosis]:
    """Check each replica, all at the same time.

    Raises: DatabaseUnusable when the primary cannot be asked.
    """
    with explained_errors(None):
        async with primary.read.connect() as connection:
            if await connection.scalar(_IS_STANDBY):
                raise DatabaseUnusable("the database is a standby; its replicas need the primary")
            position = await connection.scalar(_POSITION)
        started = time.monotonic()
        beats = {await _answer(primary, current_beat)}

    async def diagnosed(address: PostgresqlAddress) -> Diagnosis:
        # A promoted server is to be named as such, not as one that cannot be reached.
        engines = create_postgresql_engines(
            replace(address, target_session_attrs="any"), limits_for_replicas(DEFAULT_LIMITS)
        )
        try:
            with explained_errors(None):
                async with asyncio.timeout(_WITHIN):
                    return await judged(address.authority, engines)
        except DatabaseUnusable as unusable:
            return Diagnosis(address.authority, str(unusable))
        except TransactionConflict:
            return Diagnosis(address.authority, AWAY)
        finally:
            await engines.dispose()

    async def judged(name: str, replica: Engines) -> Diagnosis:
        reason = await _refusal(replica)
        if reason is None and not await _replays(replica, position, started + MAX_LAG):
            reason = BEHIND
        if reason is not None:
            return Diagnosis(name, reason)
        lag = time.monotonic() - started
        beat = await _answer(replica, current_beat)
        if beat not in beats:  # the service has written another one meanwhile
            beats.add(await _answer(primary, current_beat))
        return Diagnosis(name, None if beat in beats else _OTHER_PRIMARY, lag)

    return await asyncio.gather(*map(diagnosed, addresses))


async def _refusal(replica: Engines) -> str | None:
    """Return why the service refuses a replica that answers."""
    async with replica.read.connect() as opened:
        if not await opened.scalar(_IS_STANDBY):  # perhaps one without the schema
            return "it is not a standby"
    reason, _ = await _answer(replica, probe)
    return reason


async def _replays(replica: Engines, position: str, deadline: float) -> bool:
    """Wait until a replica has replayed a position; return whether it has in time."""
    while True:
        async with replica.read.connect() as connection:
            if await connection.scalar(_HAS_REPLAYED, {"position": position}):
                return True
        if time.monotonic() >= deadline:
            return False
        await asyncio.sleep(_PAUSE)


async def _answer(engines: Engines, ask: Callable[[Connection], Awaitable[T]]) -> T:
    """Ask on a connection, once more if it was lost since its last use."""
    try:
        return await _asked(engines, ask)
    except TransactionConflict:
        return await _asked(engines, ask)


async def _asked(engines: Engines, ask: Callable[[Connection], Awaitable[T]]) -> T:
    connection = Connection(engines.read, answer_timeout=engines.limits.answer_timeout)
    await connection.open()
    try:
        return await ask(connection)
    finally:
        await connection.close()
