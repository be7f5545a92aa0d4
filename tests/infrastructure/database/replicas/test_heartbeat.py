"""How far a replica is behind, told from the heartbeats of the primary."""

import math
from dataclasses import dataclass
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


@dataclass
class Clock:
    now: float = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_replica_with_the_last_beat_is_not_behind_however_idle_the_primary_is() -> None:
    clock = Clock()
    heartbeats = Heartbeats(clock)
    lag = Lag(heartbeats, clock)
    heartbeats.saw(FIRST)
    lag.saw(FIRST)
    clock.now += 3600
    lag.saw(FIRST)
    assert lag.seconds == 0


def test_a_replica_is_behind_since_the_primary_had_the_first_beat_that_it_lacks() -> None:
    clock = Clock()
    heartbeats = Heartbeats(clock)
    lag = Lag(heartbeats, clock)
    for beat in (FIRST, SECOND, THIRD):
        heartbeats.saw(beat)
        heartbeats.saw(beat)  # is read more often than it changes
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
    heartbeats.saw(FIRST)
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
    heartbeats.saw(FIRST)
    for _ in range(10):
        clock.now += BEAT_INTERVAL
        heartbeats.saw(new_id())
    assert heartbeats.since(FIRST) == 9 * BEAT_INTERVAL
    for _ in range(1000):
        heartbeats.saw(new_id())
    assert heartbeats.since(FIRST) is None


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
