"""No user holds up another one, and a thread is occupied until its work finishes."""

import asyncio
import threading
from collections.abc import Generator
from uuid import UUID

import pytest

from symphony.application.ports import Overloaded
from symphony.infrastructure.git.process.fair_queue import FairQueue
from tests.support.repositories import USER

OTHER = UUID(int=2)


@pytest.fixture
def queue() -> Generator[FairQueue]:
    queue = FairQueue("test", per_user=1, total=2)
    yield queue
    queue.close()


async def test_a_thread_is_occupied_until_its_work_finishes_though_nobody_waits_for_it(
    queue: FairQueue,
) -> None:
    finish = threading.Event()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await queue.for_user(USER).run(lambda: finish.wait(60))
    second = asyncio.create_task(queue.for_user(USER).run(lambda: "second"))
    assert await queue.for_user(OTHER).run(lambda: "other") == "other"
    assert not second.done()
    finish.set()
    assert await second == "second"


async def test_a_cancelled_caller_leaves_the_queue(queue: FairQueue) -> None:
    finish = threading.Event()
    user_queue = queue.for_user(USER)
    first = asyncio.create_task(user_queue.run(lambda: finish.wait(60)))
    await asyncio.sleep(0)
    for _ in range(3):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await user_queue.run(lambda: pytest.fail("nobody waits for this"))
    finish.set()
    assert await first
    assert await user_queue.run(lambda: "next") == "next"


async def test_work_that_is_queued_when_the_service_stops_is_overloaded(queue: FairQueue) -> None:
    queue.close()
    with pytest.raises(Overloaded):
        await queue.for_user(USER).run(lambda: None)
