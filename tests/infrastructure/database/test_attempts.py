"""The contract of counted attempts and known addresses, over every store."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from symphony.domain.attempts import (
    KNOWN_FOR,
    LONGEST_ATTEMPT,
    MAX_FAILURES,
    MAX_FAILURES_OF_STRANGERS,
    Counter,
    Outcome,
    StrangerAttempts,
    TooManyAttempts,
)
from symphony.domain.base import utc_now
from symphony.domain.unit_of_work import Store
from symphony.infrastructure.database.engine import Engines
from symphony.infrastructure.database.models import AttemptCounterModel, KnownAddressModel
from symphony.infrastructure.database.unit_of_work import SqlAlchemyStore
from tests.infrastructure.database.kept import committed


def a_counter(name: str, subject: str = "") -> Counter:
    return Counter(name.encode().ljust(32), (subject or name).encode().ljust(32))


ADA, EVE = a_counter("ada"), a_counter("eve")
SECOND, HOUR, DAY = timedelta(seconds=1), timedelta(hours=1), timedelta(days=1)


async def reserve(store: Store, counter: Counter) -> bool:
    async with committed(store) as uow:
        return await uow.attempts.reserve(counter)


async def finish(store: Store, counter: Counter, outcome: Outcome = Outcome.FAILED) -> None:
    async with committed(store) as uow:
        await uow.attempts.finish(counter, outcome)


async def fail(store: Store, counter: Counter, times: int = 1) -> None:
    for _ in range(times):
        assert await reserve(store, counter)
        await finish(store, counter)


async def may_start(store: Store, counter: Counter) -> bool | None:
    """None during a pause."""
    async with store.reading() as repositories:
        try:
            return await repositories.attempts.may_start(counter)
        except TooManyAttempts:
            return None


async def count(engines: Engines, model: type[AttemptCounterModel | KnownAddressModel]) -> int:
    async with engines.read.connect() as connection:
        return (await connection.execute(select(func.count()).select_from(model))).scalar_one()


def after(engines: Engines, time: timedelta) -> Store:
    """The same store at a later time."""
    return SqlAlchemyStore(engines, clock=lambda: utc_now() + time)


async def test_five_failures_cause_a_pause_of_their_counter_only(store: Store) -> None:
    await fail(store, ADA, MAX_FAILURES - 1)
    assert await may_start(store, ADA) is True
    await fail(store, ADA)
    assert await may_start(store, ADA) is None
    with pytest.raises(TooManyAttempts):
        await reserve(store, ADA)
    assert await may_start(store, EVE) is True


async def test_of_many_parallel_reservations_five_succeed(store: Store) -> None:
    reserved = await asyncio.gather(*(reserve(store, ADA) for _ in range(20)))
    assert reserved.count(True) == MAX_FAILURES
    assert await may_start(store, ADA) is False
    await asyncio.gather(*(finish(store, ADA) for _ in range(MAX_FAILURES)))
    assert await may_start(store, ADA) is None


async def test_what_is_not_committed_does_not_count(store: Store) -> None:
    async with store.unit_of_work() as uow:
        for _ in range(MAX_FAILURES):
            assert await uow.attempts.reserve(ADA)
    assert await may_start(store, ADA) is True


async def test_attempts_that_fail_nobody_leave_no_row(store: Store, engines: Engines) -> None:
    for outcome in (Outcome.SUCCEEDED, Outcome.WITHDRAWN):
        assert await reserve(store, ADA)
        assert await count(engines, AttemptCounterModel) == 1
        await finish(store, ADA, outcome)
        assert await count(engines, AttemptCounterModel) == 0


async def test_a_success_forgets_the_failures_of_its_counter(store: Store) -> None:
    await fail(store, ADA, MAX_FAILURES - 1)
    await reserve(store, ADA)
    await finish(store, ADA, Outcome.SUCCEEDED)
    await fail(store, ADA, MAX_FAILURES - 1)
    assert await may_start(store, ADA) is True


async def test_an_attempt_that_takes_too_long_is_counted_once(
    store: Store, engines: Engines
) -> None:
    late = after(engines, LONGEST_ATTEMPT * 2)
    for _ in range(MAX_FAILURES - 1):
        assert await reserve(store, ADA)
        await finish(late, ADA)
    assert await may_start(late, ADA) is True
    assert await reserve(store, ADA)  # and one that never ends
    assert await may_start(late, ADA) is None


async def test_all_counters_of_a_subject_are_cleared(store: Store, engines: Engines) -> None:
    of_ada = [a_counter(name, "login") for name in ("here", "there")]
    for counter in (*of_ada, EVE):
        await fail(store, counter, MAX_FAILURES)
    async with committed(store) as uow:
        await uow.attempts.clear(of_ada[0].subject)
    assert [await may_start(store, each) for each in (*of_ada, EVE)] == [True, True, None]
    assert await count(engines, AttemptCounterModel) == 1


@pytest.mark.long
async def test_strangers_are_refused_after_100_failures_until_the_hour_is_over(
    store: Store, engines: Engines
) -> None:
    strangers = Counter(ADA.key, ADA.subject, StrangerAttempts)
    async with committed(store) as uow:
        for _ in range(MAX_FAILURES_OF_STRANGERS):
            await uow.attempts.reserve(strangers)
            await uow.attempts.finish(strangers, Outcome.FAILED)
    assert await may_start(store, strangers) is None
    assert await may_start(after(engines, HOUR - SECOND * 30), strangers) is None
    assert await may_start(after(engines, HOUR), strangers) is True


async def test_rows_that_are_worth_nothing_are_removed_when_others_fail(
    store: Store, engines: Engines
) -> None:
    await fail(store, ADA)
    await fail(store, EVE, MAX_FAILURES)
    await fail(after(engines, HOUR), a_counter("third"))
    assert await count(engines, AttemptCounterModel) == 2  # that of Eve has a pause
    await fail(after(engines, DAY + HOUR), a_counter("fourth"))
    assert await count(engines, AttemptCounterModel) == 1


async def test_rows_of_a_clock_that_was_far_ahead_are_removed(
    store: Store, engines: Engines
) -> None:
    await fail(after(engines, DAY * 1000), ADA, MAX_FAILURES)
    assert await may_start(store, ADA) is True
    await fail(store, EVE)
    assert await count(engines, AttemptCounterModel) == 1


async def test_an_address_is_known_for_30_days_after_the_last_sign_in(
    store: Store, engines: Engines
) -> None:
    async def is_known(time: timedelta) -> bool:
        async with after(engines, time).reading() as repositories:
            return await repositories.attempts.is_known(ADA.key)

    async def remember(time: timedelta, address: bytes) -> None:
        async with committed(after(engines, time)) as uow:
            await uow.attempts.remember(address)

    assert not await is_known(SECOND)
    await remember(SECOND, ADA.key)
    assert await is_known(KNOWN_FOR - HOUR)
    assert not await is_known(KNOWN_FOR + HOUR)
    await remember(KNOWN_FOR - HOUR, ADA.key)
    assert await is_known(KNOWN_FOR + HOUR)
    assert await count(engines, KnownAddressModel) == 1
    await remember(KNOWN_FOR * 2, EVE.key)
    assert await count(engines, KnownAddressModel) == 1
