"""The contract of counted sign-in failures, over every store."""

import asyncio
from datetime import timedelta

import pytest
from symphony.domain.sign_in_failures import (
    MAX_FAILURES,
    WINDOW,
    RecentFailures,
    TooManyAttempts,
)

from symphony.domain.base import utc_now
from symphony.domain.unit_of_work import Store
from symphony.infrastructure.database.engine import Engines
from symphony.infrastructure.database.unit_of_work import SqlAlchemyStore
from tests.infrastructure.database.kept import committed

ADA, EVE = b"ada".ljust(32), b"eve".ljust(32)
SECOND = timedelta(seconds=1)


async def fail(store: Store, account: bytes) -> RecentFailures:
    async with committed(store) as uow:
        return await uow.sign_in_failures.add(account)


async def failures(store: Store, account: bytes) -> RecentFailures:
    async with store.reading() as repositories:
        return await repositories.sign_in_failures.recent(account)


def after(engines: Engines, time: timedelta) -> Store:
    """The same store at a later time."""
    return SqlAlchemyStore(engines, clock=lambda: utc_now() + time)


async def test_failures_are_counted_from_the_first_one_on(store: Store) -> None:
    before = utc_now()
    counted = [await fail(store, ADA) for _ in range(3)]
    assert [each.count for each in counted] == [1, 2, 3]
    assert len({each.since for each in counted}) == 1
    assert before <= counted[0].since <= utc_now()
    assert await failures(store, ADA) == counted[-1]


async def test_each_account_has_its_own_count(store: Store) -> None:
    await fail(store, ADA)
    assert (await failures(store, EVE)).count == 0
    assert (await fail(store, EVE)).count == 1
    assert (await failures(store, ADA)).count == 1


async def test_parallel_failures_are_all_counted_and_each_gets_its_own_number(store: Store) -> None:
    counted = await asyncio.gather(*(fail(store, ADA) for _ in range(20)))
    assert sorted(each.count for each in counted) == list(range(1, 21))


async def test_what_is_not_committed_does_not_count(store: Store) -> None:
    async with store.unit_of_work() as uow:
        await uow.sign_in_failures.add(ADA)
    assert (await failures(store, ADA)).count == 0


async def test_after_a_minute_the_count_starts_again(store: Store, engines: Engines) -> None:
    first = [await fail(store, ADA) for _ in range(4)][-1]
    within = after(engines, WINDOW - SECOND * 10)
    assert await failures(within, ADA) == first
    assert (await fail(within, ADA)).count == 5
    later = after(engines, WINDOW + SECOND)
    assert (await failures(later, ADA)).count == 0
    second = await fail(later, ADA)
    assert second.count == 1
    assert second.since > first.since + WINDOW


async def test_old_failures_are_removed_when_others_are_counted(
    store: Store, engines: Engines
) -> None:
    await fail(store, ADA)
    await fail(after(engines, WINDOW * 3), EVE)
    assert (await failures(store, ADA)).count == 0


async def test_the_failures_of_one_account_are_cleared(store: Store) -> None:
    await fail(store, ADA)
    await fail(store, EVE)
    async with committed(store) as uow:
        await uow.sign_in_failures.clear(ADA)
    assert (await failures(store, ADA)).count == 0
    assert (await failures(store, EVE)).count == 1
    assert (await fail(store, ADA)).count == 1


@pytest.mark.parametrize("step", [SECOND * 2, SECOND * 30, WINDOW * 60, WINDOW * 60 * 24 * 365])
async def test_a_clock_that_is_set_back_does_not_prolong_a_lock_out(
    step: timedelta, store: Store, engines: Engines
) -> None:
    ahead = after(engines, step)  # until the clock is set back to the right time
    for _ in range(MAX_FAILURES):
        await fail(ahead, ADA)
    (await failures(store, ADA)).require_fewer_than(MAX_FAILURES)


async def test_after_the_clock_was_set_back_the_count_starts_again(
    store: Store, engines: Engines
) -> None:
    for _ in range(MAX_FAILURES):
        await fail(after(engines, WINDOW * 60), ADA)
    counted = await fail(store, ADA)
    assert counted.count == 1
    assert counted.since <= utc_now()


async def test_clocks_of_processes_that_differ_a_little_do_not_reset_the_count(
    store: Store, engines: Engines
) -> None:
    for _ in range(MAX_FAILURES):
        await fail(after(engines, SECOND * 2), ADA)
    counted = await fail(store, ADA)
    assert counted.count == MAX_FAILURES + 1
    with pytest.raises(TooManyAttempts) as refused:
        counted.require_fewer_than(MAX_FAILURES)
    assert refused.value.retry_after <= WINDOW.total_seconds()


async def test_a_clock_that_is_set_forward_ends_a_lock_out(store: Store, engines: Engines) -> None:
    for _ in range(MAX_FAILURES):
        await fail(store, ADA)
    assert (await failures(after(engines, WINDOW * 60), ADA)).count == 0
