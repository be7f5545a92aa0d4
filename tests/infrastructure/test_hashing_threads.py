"""Hashes are computed by a fixed number of threads, and callers can leave the queue."""

import asyncio
import threading
from collections.abc import Callable, Generator
from functools import partial

import pytest

from symphony.application.ports import Overloaded, Requester
from symphony.infrastructure.hashing_queue import QueueLimits
from symphony.infrastructure.hashing_threads import HashingThreads, threads_per_process
from symphony.infrastructure.passwords import Argon2Passwords
from tests.support.hashing import CHEAP, REQUESTER

HOME = Requester.address("198.51.100.7")
OTHER = Requester.address("203.0.113.1")
STOPS_WITHIN = 60  # seconds; work that is never released would take this long


@pytest.fixture
def release() -> Generator[threading.Event]:
    release = threading.Event()
    yield release
    release.set()


@pytest.fixture
def threads(release: threading.Event) -> Generator[HashingThreads]:
    threads = HashingThreads(1, QueueLimits(per_requester=1))
    yield threads
    release.set()
    threads.close()


async def occupied(threads: HashingThreads, release: threading.Event) -> "asyncio.Task[bool]":
    """Occupy a thread until `release` is set."""
    loop, started = asyncio.get_running_loop(), asyncio.Event()

    def work() -> bool:
        loop.call_soon_threadsafe(started.set)
        return release.wait(STOPS_WITHIN)

    task = asyncio.create_task(threads.run(work, REQUESTER))
    await started.wait()
    return task


async def queued(run: Callable[[], "asyncio.Task[str]"]) -> "asyncio.Task[str]":
    task = run()
    await asyncio.sleep(0)  # the task runs until it waits
    return task


async def test_results_and_errors_are_those_of_the_work(threads: HashingThreads) -> None:
    assert await threads.run(lambda: "hash", HOME) == "hash"
    with pytest.raises(ZeroDivisionError):
        await threads.run(lambda: 1 // 0, HOME)
    assert await threads.run(lambda: "again", HOME) == "again"


async def test_a_caller_that_is_cancelled_frees_its_place(
    threads: HashingThreads, release: threading.Event
) -> None:
    first = await occupied(threads, release)
    run = partial(threads.run, lambda: "hash", HOME)
    for _ in range(3):
        waiting = await queued(lambda: asyncio.create_task(run()))
        with pytest.raises(Overloaded):
            await run()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    last = await queued(lambda: asyncio.create_task(run()))
    release.set()
    assert await first
    assert await last == "hash"


async def test_a_thread_is_occupied_until_its_hash_is_computed_though_nobody_waits_for_it(
    threads: HashingThreads, release: threading.Event
) -> None:
    first = await occupied(threads, release)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    second = await queued(lambda: asyncio.create_task(threads.run(lambda: "second", HOME)))
    await asyncio.sleep(0.02)
    assert not second.done()
    release.set()
    assert await second == "second"


async def test_no_more_hashes_than_threads_are_computed_at_the_same_time() -> None:
    """Each one has its memory, so this bounds the memory of all."""
    threads, running, most, lock = HashingThreads(2), 0, 0, threading.Lock()

    def work() -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        threading.Event().wait(0.002)
        with lock:
            running -= 1

    requesters = [REQUESTER, HOME, OTHER]
    threads.remember(HOME)
    await asyncio.gather(
        *(threads.run(work, each, cost) for each in requesters for cost in (1, 5) * 8)
    )
    threads.close()
    assert most == 2


async def test_a_service_that_stops_refuses_what_is_waiting(release: threading.Event) -> None:
    threads = HashingThreads(1)
    first = await occupied(threads, release)
    waiting = await queued(lambda: asyncio.create_task(threads.run(lambda: "hash", HOME)))
    closing = asyncio.create_task(asyncio.to_thread(threads.close))
    with pytest.raises(Overloaded):
        await waiting
    with pytest.raises(Overloaded):
        await threads.run(lambda: "hash", HOME)
    release.set()
    assert await first
    await closing


async def test_the_address_of_a_right_password_is_not_delayed_by_other_addresses(
    threads: HashingThreads, release: threading.Event
) -> None:
    passwords = Argon2Passwords(threads, CHEAP.password)
    password_hash = await passwords.hash("password", HOME)
    assert not await passwords.verify("wrong", password_hash, OTHER)
    assert await passwords.verify("password", password_hash, HOME)
    first = await occupied(threads, release)
    served: list[str] = []
    others = [Requester.address(f"203.0.113.{number}") for number in range(20)]
    tasks = [
        asyncio.create_task(threads.run(partial(served.append, name), each))
        for each, name in (*((each, "other") for each in others), (HOME, "home"))
    ]
    await asyncio.sleep(0)
    release.set()
    await asyncio.gather(first, *tasks)
    assert served.index("home") <= 1


@pytest.mark.parametrize(
    ("cores", "workers", "threads"),
    [(1, 1, 1), (2, 1, 1), (2, 2, 1), (4, 1, 3), (4, 2, 1), (8, 2, 3), (64, 8, 7), (2, 64, 1)],
)
def test_all_processes_together_leave_a_core_or_compute_one_hash_each(
    cores: int, workers: int, threads: int
) -> None:
    assert threads_per_process(cores, workers) == threads
    assert threads * workers <= max(workers, cores - 1)
