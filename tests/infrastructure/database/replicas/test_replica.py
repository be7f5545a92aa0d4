"""What a reading on a replica requires, and what it does with errors.

A primary stands in for the replica: it has whatever the test has written.
"""

from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from typing import cast
from uuid import UUID

import pytest
from sqlalchemy import Table, func, select
from structlog.testing import capture_logs

from symphony.domain.base import new_id
from symphony.domain.errors import NotFound
from symphony.domain.reach import Reach
from symphony.domain.unit_of_work import ReplicaUnusable, Store
from symphony.domain.user_profiles import LastWrite
from symphony.infrastructure.database.engine import DatabaseLimits, Engines
from symphony.infrastructure.database.models import HeartbeatModel
from symphony.infrastructure.database.postgresql.url import parse_postgresql_url
from symphony.infrastructure.database.replicas import routing
from symphony.infrastructure.database.replicas.heartbeat import Heartbeats
from symphony.infrastructure.database.replicas.replica import SqlAlchemyReplica
from symphony.infrastructure.database.replicas.routing import (
    SqlAlchemyReplicas,
    parse_replica_url,
)
from symphony.infrastructure.database.sqlalchemy_internals import upsert
from symphony.infrastructure.database.user_profiles import SqlAlchemyUserProfiles
from symphony.infrastructure.metrics import Metrics
from tests.infrastructure.database.kept import Household, committed
from tests.infrastructure.database.test_plans import recorded

pytestmark = pytest.mark.parametrize("store_kind", ["postgresql"])

_SLOW = select(func.pg_sleep(5))
BEATS = cast("Table", HeartbeatModel.__table__)
PRIMARY = datetime(2026, 11, 1, 8, tzinfo=UTC)
NEXT_PRIMARY = datetime(2026, 11, 2, 9, tzinfo=UTC)
NOWHERE = "postgresql://symphony@127.0.0.1:1/symphony?sslmode=disable"


@pytest.fixture
def heartbeats() -> Heartbeats:
    return Heartbeats()


@pytest.fixture
async def unchecked(database_url: str, heartbeats: Heartbeats) -> AsyncGenerator[SqlAlchemyReplica]:
    """A replica that has shown nothing yet."""
    address = parse_postgresql_url(database_url)
    replica = SqlAlchemyReplica(address, DatabaseLimits(), heartbeats, Metrics())
    yield replica
    await replica.dispose()


@pytest.fixture
async def replica(
    unchecked: SqlAlchemyReplica, engines: Engines, heartbeats: Heartbeats
) -> SqlAlchemyReplica:
    """A replica that has shown a beat of the primary."""
    await beat(engines, heartbeats)
    await unchecked.check()
    return unchecked


async def beat(engines: Engines, heartbeats: Heartbeats, server: datetime = PRIMARY) -> None:
    """Let a primary write a beat, after one that it may have from another primary."""
    heartbeats.saw(new_id(), server)
    written = new_id()
    statement = upsert(BEATS).values(number=1, beat=written)
    async with engines.write.begin() as connection:
        await connection.execute(
            statement.on_conflict_do_update(
                index_elements=[BEATS.c.number], set_={"beat": statement.excluded.beat}
            )
        )
    heartbeats.saw(written, server)


def last_write(mark: UUID | None, server: datetime = PRIMARY) -> LastWrite:
    return LastWrite(mark, server)


async def read(
    replica: SqlAlchemyReplica, ada: Household, mark: UUID | None, server: datetime = PRIMARY
) -> str:
    async with replica.reading(ada.user.id, last_write(mark, server)) as repositories:
        return (await repositories.user_profiles.get(Reach(ada.user.id), ada.user.id)).username


async def reason(
    replica: SqlAlchemyReplica, ada: Household, mark: UUID | None, server: datetime = PRIMARY
) -> str:
    with pytest.raises(ReplicaUnusable) as refused:
        await read(replica, ada, mark, server)
    return refused.value.reason


async def test_a_reading_has_exactly_the_last_write_or_is_refused(
    store: Store, ada: Household, replica: SqlAlchemyReplica
) -> None:
    earlier, mark, later = new_id(), new_id(), new_id()
    assert await read(replica, ada, None) == "ada"
    async with committed(store) as uow:
        await uow.last_writes.record(ada.user.id, mark)
    assert await read(replica, ada, mark) == "ada"
    assert await reason(replica, ada, later) == "behind"
    # The primary has lost it in a failover, or does not show it yet.
    assert await reason(replica, ada, earlier) == "ahead"
    assert await reason(replica, ada, None) == "ahead"


async def test_a_user_who_is_not_there_yet_is_behind(
    ada: Household, replica: SqlAlchemyReplica
) -> None:
    with pytest.raises(ReplicaUnusable) as refused:
        async with replica.reading(new_id(), last_write(None)):
            pytest.fail("the user does not exist")
    assert refused.value.reason == "behind"


async def test_a_connection_looks_for_each_write_once(
    store: Store, ada: Household, replica: SqlAlchemyReplica
) -> None:
    numbers: list[int] = []
    for _ in range(2):
        mark = new_id()
        async with committed(store) as uow:
            await uow.last_writes.record(ada.user.id, mark)
        for _ in range(3):
            with recorded() as statements:
                await read(replica, ada, mark)
            numbers.append(len(statements))
    assert numbers == [2, 1, 1, 2, 1, 1]


async def test_what_decides_about_access_is_not_read(
    ada: Household, replica: SqlAlchemyReplica
) -> None:
    with capture_logs() as logs, pytest.raises(ReplicaUnusable) as refused:
        async with replica.reading(ada.user.id, last_write(None)) as repositories:
            await repositories.vault_sessions.access(Reach(ada.user.id), new_id(), None)
    assert refused.value.reason == "failed"
    assert logs[0]["error"] == "vault_sessions.access is never read from a replica"


async def test_the_answer_of_the_domain_is_an_answer(
    ada: Household, replica: SqlAlchemyReplica
) -> None:
    with pytest.raises(NotFound):
        async with replica.reading(ada.user.id, last_write(None)) as repositories:
            await repositories.user_profiles.get(Reach(ada.user.id), new_id())


async def test_a_server_that_cannot_be_reached_is_not_used_and_costs_no_error(
    engines: Engines, ada: Household
) -> None:
    replicas = SqlAlchemyReplicas(parse_replica_url(NOWHERE), engines.limits, engines, Metrics())
    with pytest.raises(ReplicaUnusable):
        replicas.choose(ada.user.id)  # before the first check
    with capture_logs() as logs:
        for _ in range(2):
            await replicas.check()
    await replicas.close()
    assert [each["event"] for each in logs] == ["the replica is not used: it does not answer"]
    assert logs[0]["replica"] == "127.0.0.1:1"
    with pytest.raises(ReplicaUnusable):
        replicas.choose(ada.user.id)


async def test_a_primary_is_no_replica(engines: Engines, database_url: str) -> None:
    metrics = Metrics()
    replicas = SqlAlchemyReplicas(parse_replica_url(database_url), engines.limits, engines, metrics)
    await replicas.check()
    await replicas.close()
    with pytest.raises(ReplicaUnusable):
        replicas.choose(new_id())


async def test_a_fault_of_the_heartbeat_does_not_end_the_checks(
    engines: Engines, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(*_: object) -> None:
        raise RuntimeError("unexpected")

    monkeypatch.setattr(routing, "read_beat", fails)
    replicas = SqlAlchemyReplicas(parse_replica_url(NOWHERE), engines.limits, engines, Metrics())
    with capture_logs() as logs:
        await replicas.check()
    await replicas.close()
    assert [each["event"] for each in logs] == [
        "the heartbeat failed",
        "the replica is not used: it does not answer",
    ]


async def test_a_slow_query_is_ended_by_the_server_and_takes_the_replica_from_nobody(
    ada: Household, replica: SqlAlchemyReplica
) -> None:
    async def read_slowly() -> None:
        async with replica.reading(ada.user.id, last_write(None)) as repositories:
            profiles = cast("SqlAlchemyUserProfiles", repositories.user_profiles)
            connection = profiles._connection  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
            await connection.fetch(_SLOW, {})

    with capture_logs() as logs, pytest.raises(ReplicaUnusable) as refused:
        await read_slowly()
    assert refused.value.reason == "failed"
    assert logs == []
    assert await read(replica, ada, None) == "ada"


async def test_a_replica_is_asked_by_the_primary_that_it_has_followed_only(
    unchecked: SqlAlchemyReplica, engines: Engines, ada: Household, heartbeats: Heartbeats
) -> None:
    replica = unchecked
    await beat(engines, heartbeats)
    assert await reason(replica, ada, None) == "unusable"  # not checked yet
    await replica.check()
    assert await read(replica, ada, None) == "ada"
    # The primary fails. The standby that is promoted may lack what this replica has.
    assert await reason(replica, ada, None, NEXT_PRIMARY) == "unusable"
    await replica.check()
    assert await reason(replica, ada, None, NEXT_PRIMARY) == "unusable"
    await beat(engines, heartbeats, NEXT_PRIMARY)
    await replica.check()
    assert await read(replica, ada, None, NEXT_PRIMARY) == "ada"
    assert await reason(replica, ada, None) == "unusable"
