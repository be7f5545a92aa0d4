"""The heartbeat of the primary, by which each process tells how far a replica is behind.

It is a row that is replaced every two seconds, by one of the processes. Positions in the log are
not compared, since those of different timelines cannot be; nor are clocks of different machines.
"""

import math
import time
from collections import deque
from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple, cast
from uuid import UUID

from sqlalchemy import Table, bindparam, column, func, select, table

from symphony.domain.base import new_id
from symphony.infrastructure.database.checks.schema import (
    COMPATIBILITY_TABLE,
    SchemaState,
    reason_against,
)
from symphony.infrastructure.database.connection import Connection
from symphony.infrastructure.database.models import HeartbeatModel
from symphony.infrastructure.database.replicas.server_start import SERVER_START
from symphony.infrastructure.database.sqlalchemy_internals import upsert

BEAT_INTERVAL = 2.0  # seconds
_REMEMBERED = 64  # beats, of two minutes

_heartbeats = cast("Table", HeartbeatModel.__table__)
_beat = _heartbeats.c.beat
_NEW = bindparam("new_beat", type_=_beat.type)
_READ = select(_beat, SERVER_START)
# Of several processes that find the same beat too old, the first one replaces it.
_BEAT = (
    upsert(_heartbeats)
    .values(number=1, beat=_NEW)
    .on_conflict_do_update(
        index_elements=[_heartbeats.c.number],
        set_={"beat": _NEW},
        where=_beat == bindparam("old_beat", type_=_beat.type),
    )
)
_revision = table("alembic_version", column("version_num"))
_compatibility = table(COMPATIBILITY_TABLE, column("revision"), column("compatible_with"))
_PROBE = select(
    func.pg_is_in_recovery(),
    select(_beat).scalar_subquery(),
    _revision.c.version_num,
    _compatibility.c.compatible_with,
).select_from(
    _revision.outerjoin(_compatibility, _compatibility.c.revision == _revision.c.version_num)
)


class Beat(NamedTuple):
    """A beat, the time at which this process saw it first, and the start of the primary that wrote
    it; None if an earlier primary may have written it."""

    beat: UUID
    seen_at: float
    server: datetime | None


class Heartbeats:
    """The beats that this process has seen on the primary."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seen: deque[Beat] = deque(maxlen=_REMEMBERED)
        self.primary: datetime | None = None
        """The start of the server that was the primary at the last beat."""

    def saw(self, beat: UUID, server: datetime | None) -> None:
        """Remember the current beat of the primary, and the start of that server."""
        writer = server if server == self.primary else None
        self.primary = server
        if not self._seen or self._seen[-1].beat != beat:
            self._seen.append(Beat(beat, self._clock(), writer))

    def writer(self, beat: UUID | None) -> datetime | None:
        """Return the start of the primary that wrote a beat; None if it is unknown.

        A standby with this beat has nothing that this primary did not have.
        """
        return next(
            (each.server for each in reversed(self._seen) if each.beat == beat and each.server),
            None,
        )

    @property
    def due(self) -> UUID | None:
        """The beat that is to be replaced; None if it is too new for that."""
        if not self._seen or self._clock() - self._seen[-1].seen_at < BEAT_INTERVAL:
            return None
        return self._seen[-1].beat

    def since(self, beat: UUID | None) -> float | None:
        """Return for how many seconds the primary has had a later beat; None if it is unknown."""
        later: float | None = None
        for each in reversed(self._seen):
            if each.beat == beat:
                return 0.0 if later is None else self._clock() - later
            later = each.seen_at
        return None


class Lag:
    """How many seconds a replica is behind at most; infinite until it is known."""

    def __init__(self, heartbeats: Heartbeats, clock: Callable[[], float] = time.monotonic) -> None:
        self._heartbeats = heartbeats
        self._clock = clock
        self._began = clock()
        self._known_at: float | None = None
        """The time at which the replica had all that the primary had."""

    def saw(self, beat: UUID | None) -> None:
        """Take a beat that was read from the replica.

        An unknown one says nothing: the primary has just written it, long ago, or never.
        """
        since = self._heartbeats.since(beat)
        if since is not None:
            self._known_at = self._clock() - since

    @property
    def is_awaited(self) -> bool:
        """Whether the first beats are still to be seen, shortly after the start."""
        return self._known_at is None and self._clock() - self._began < 3 * BEAT_INTERVAL

    @property
    def seconds(self) -> float:
        return math.inf if self._known_at is None else self._clock() - self._known_at


async def current_beat(connection: Connection) -> UUID | None:
    """Return the beat of a server; None before the first one.

    Raises: StoreUnavailable, TransactionConflict.
    """
    rows = await connection.fetch(_READ, {})
    return rows[0][0] if rows else None


async def read_beat(primary: Connection, heartbeats: Heartbeats) -> None:
    """Read the beat of the primary, and replace it if that is due.

    Raises: StoreUnavailable, TransactionConflict.
    """
    rows = await primary.fetch(_READ, {})
    if rows:
        heartbeats.saw(*rows[0])
    old = heartbeats.due
    if old is not None or not rows:
        new = new_id()
        await primary.fetch(_BEAT, {"new_beat": new, "old_beat": old or new})


async def probe(replica: Connection) -> tuple[str | None, UUID | None]:
    """Return why a server is no replica for this program, or None; and its beat.

    Raises: StoreUnavailable, TransactionConflict, UnexpectedDatabaseError without the schema.
    """
    rows = await replica.fetch(_PROBE, {})
    is_standby, beat, revision, compatible_with = rows[0] if rows else (True, None, None, None)
    if not is_standby:
        return "it is not a standby", beat
    reason = reason_against(SchemaState(revision, compatible_with))
    return ("its schema is not the one of this program" if reason else None), beat
