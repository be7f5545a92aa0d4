"""How far a replica is behind, told from the heartbeats of the primary."""

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import pytest

from symphony.domain.base import new_id
from symphony.infrastructure.database.connection import Connection
from symphony.infrastructure.database.engine import Engines
from symphony.infrastructure.database.replicas.heartbeat import (
    BEAT_INTERVAL,
    Heartbeats,
    Lag,
    read_beat,
)

FIRST, SECOND, THIRD, FOREIGN = (new_id() for _ in range(4))
PRIMARY = datetime(2026, 11, 1, 8, tzinfo=UTC)
NEXT_PRIMARY = datetime(2026, 11, 2, 9, tzinfo=UTC)


@dataclass
class Clock:
    now: float = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_replica_with_the_last_beat_is_not_behind_however_idle_the_primary_is() -> None:
    clock = Clock()
    heartbeats = Heartbeats(clock)
    lag = Lag(heartbeats, clock)
    heartbeats.saw(FIRST, PRIMARY)
    lag.saw(FIRST)
    clock.now += 3600
    lag.saw(FIRST)
    assert lag.seconds == 0


def test_a_replica_is_behind_since_the_primary_had_the_first_beat_that_it_lacks() -> None:
    clock = Clock()
    heartbeats = Heartbeats(clock)
    lag = Lag(heartbeats, clock)
    for beat in (FIRST, SECOND, THIRD):
        heartbeats.saw(beat, PRIMARY)
        heartbeats.saw(beat, PRIMARY)  # is read more often than it changes
        clock.now += 2
    lag.saw(FIRST)
    assert lag.seconds == 4
    clock.now += 5
    lag.saw(FIRST)
    assert lag.seconds == 9
    lag.saw(SECOND)
    assert lag.seconds == 7
    lag.saw(THIRD)
    assert lag.seconds == 0


@pytest.mark.parametrize("unknown", [FOREIGN, None])
def test_an_unknown_beat_proves_nothing_so_the_lag_grows(unknown: UUID | None) -> None:
    """It may be newer than what this process has read, or of a primary that has failed."""
    clock = Clock()
    heartbeats = Heartbeats(clock)
    lag = Lag(heartbeats, clock)
    heartbeats.saw(FIRST, PRIMARY)
    lag.saw(unknown)
    assert lag.seconds == math.inf
    assert lag.is_awaited
    lag.saw(FIRST)
    assert not lag.is_awaited
    clock.now += 30
    lag.saw(unknown)
    assert lag.seconds == 30


def test_a_replica_that_never_has_a_known_beat_is_not_awaited_for_ever() -> None:
    clock = Clock()
    lag = Lag(Heartbeats(clock), clock)
    clock.now += 60
    lag.saw(FOREIGN)
    assert not lag.is_awaited
    assert lag.seconds == math.inf


def test_beats_are_remembered_for_longer_than_a_replica_may_be_behind() -> None:
    clock = Clock()
    heartbeats = Heartbeats(clock)
    heartbeats.saw(FIRST, PRIMARY)
    for _ in range(10):
        clock.now += BEAT_INTERVAL
        heartbeats.saw(new_id(), PRIMARY)
    assert heartbeats.since(FIRST) == 9 * BEAT_INTERVAL
    for _ in range(1000):
        heartbeats.saw(new_id(), PRIMARY)
    assert heartbeats.since(FIRST) is None


def test_the_first_beat_that_is_seen_on_a_primary_may_be_of_the_one_before() -> None:
    heartbeats = Heartbeats(Clock())
    heartbeats.saw(FIRST, PRIMARY)
    heartbeats.saw(FIRST, PRIMARY)
    assert heartbeats.writer(FIRST) is None
    heartbeats.saw(SECOND, PRIMARY)
    assert heartbeats.writer(SECOND) == PRIMARY
    # A failover to a standby that lacks the last beat.
    heartbeats.saw(FIRST, NEXT_PRIMARY)
    assert heartbeats.primary == NEXT_PRIMARY
    assert heartbeats.writer(FIRST) is None
    assert heartbeats.writer(SECOND) == PRIMARY
    heartbeats.saw(THIRD, NEXT_PRIMARY)
    assert heartbeats.writer(THIRD) == NEXT_PRIMARY
    assert heartbeats.writer(SECOND) == PRIMARY
    assert heartbeats.writer(FOREIGN) is None
    assert heartbeats.writer(None) is None


def test_a_beat_that_the_next_primary_has_too_is_still_of_the_one_that_wrote_it() -> None:
    heartbeats = Heartbeats(Clock())
    for beat, server in (
        (FIRST, PRIMARY),
        (SECOND, PRIMARY),
        (SECOND, NEXT_PRIMARY),
        (SECOND, NEXT_PRIMARY),
    ):
        heartbeats.saw(beat, server)
        assert heartbeats.writer(beat) == (None if beat == FIRST else PRIMARY)


async def beat(engines: Engines, heartbeats: Heartbeats) -> None:
    connection = Connection(engines.write)
    await connection.open()
    try:
        await read_beat(connection, heartbeats)
    finally:
        await connection.close()


async def test_of_several_processes_one_replaces_a_beat_that_is_old(engines: Engines) -> None:
    clock = Clock()
    processes = [Heartbeats(clock) for _ in range(3)]
    for each in processes:
        await beat(engines, each)  # the first one writes the row
        await beat(engines, each)
    assert all(each.due is None for each in processes)
    clock.now += BEAT_INTERVAL
    (old,) = {each.due for each in processes}
    assert old is not None
    for each in processes:
        await beat(engines, each)
    for each in processes:
        await beat(engines, each)
    for each in processes:
        assert each.due is None
        assert each.since(old) == 0.0  # they all know a later one, from this moment
        clock.now += 1
        assert each.since(old) == 1.0
        clock.now -= 1
