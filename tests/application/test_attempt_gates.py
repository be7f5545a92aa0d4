"""Attempts of one counter wait for one another in this process."""

import asyncio

import pytest

from symphony.application.attempt_gates import MAX_WAITING, AttemptGates
from symphony.application.ports import Overloaded
from symphony.domain.attempts import MAX_FAILURES, Counter

ADA, EVE = Counter(b"ada", b"ada"), Counter(b"eve", b"eve")


class Attempts:
    """Attempts that pass the gates and then last until they are released."""

    def __init__(self) -> None:
        self.gates = AttemptGates()
        self.released = asyncio.Event()
        self.running = 0

    async def attempt(self, counter: Counter) -> None:
        async with self.gates.passed(counter):
            self.running += 1
            await self.released.wait()

    async def started(self, counter: Counter, number: int) -> list[asyncio.Task[None]]:
        tasks = [asyncio.create_task(self.attempt(counter)) for _ in range(number)]
        await asyncio.sleep(0)
        return tasks


async def test_five_attempts_of_a_counter_run_at_the_same_time_and_the_others_wait() -> None:
    attempts = Attempts()
    tasks = await attempts.started(ADA, 12)
    assert attempts.running == MAX_FAILURES
    tasks += await attempts.started(EVE, 1)
    assert attempts.running == MAX_FAILURES + 1
    attempts.released.set()
    await asyncio.gather(*tasks)
    assert attempts.running == 13


async def test_more_attempts_than_can_wait_are_refused() -> None:
    attempts = Attempts()
    tasks = await attempts.started(ADA, MAX_WAITING)
    with pytest.raises(Overloaded):
        await attempts.attempt(ADA)
    for waiting in tasks[MAX_FAILURES:]:
        waiting.cancel()
    await asyncio.gather(*tasks[MAX_FAILURES:], return_exceptions=True)
    tasks += await attempts.started(ADA, 1)
    attempts.released.set()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert attempts.running == MAX_FAILURES + 1
