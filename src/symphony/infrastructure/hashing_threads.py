"""Threads for Argon2: a fixed number, which bounds the memory of all hashes, with a fair queue."""

import asyncio
from collections.abc import Callable
from threading import Condition, Thread
from typing import TypeVar

from symphony.application.ports import Overloaded, Requester
from symphony.infrastructure.hashing_queue import HashingQueue, Job, QueueLimits

T = TypeVar("T")


def threads_per_process(cores: int, workers: int) -> int:
    """Return how many hashes a process may compute at the same time.

    All processes together leave a core for other requests, but each can compute one hash.
    """
    return max(1, (cores - 1) // workers)


class HashingThreads:
    """Threads that compute hashes outside the event loop.

    Argon2 takes tens of milliseconds of a core and releases Python's global lock, so a thread
    blocks nothing else. A hash that is being computed cannot be interrupted.
    """

    def __init__(self, threads: int, limits: QueueLimits | None = None) -> None:
        self._max_threads = threads
        self._queue = HashingQueue(limits or QueueLimits())
        self._changed = Condition()
        self._threads: list[Thread] = []
        self._is_closed = False

    async def run(self, work: Callable[[], T], requester: Requester, cost: int = 1) -> T:
        """Run work whose duration is `cost` times that of a password.

        A caller that is cancelled leaves the queue.

        Raises: Overloaded when too many requests wait, or when the service is stopping.
        """
        job = Job(work, requester, cost)
        with self._changed:
            if self._is_closed:
                raise Overloaded
            self._queue.add(job)
            self._start_thread()
            self._changed.notify()
        try:
            return await asyncio.wrap_future(job.result)
        finally:
            with self._changed:
                self._queue.discard(job)

    def remember(self, requester: Requester) -> None:
        """Give an address that has sent a right password a share apart from other addresses."""
        with self._changed:
            self._queue.remember(requester)

    def close(self) -> None:
        """Refuse what is waiting, and wait for the hashes that are being computed."""
        with self._changed:
            self._is_closed = True
            while self._queue:
                _fail(self._queue.take(), Overloaded())
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    def _start_thread(self) -> None:
        if len(self._threads) < self._max_threads:
            name = f"argon2-{len(self._threads)}"
            # A daemon, so that a process which ends without `close` does not wait for it.
            self._threads.append(Thread(target=self._work, name=name, daemon=True))
            self._threads[-1].start()

    def _work(self) -> None:
        while job := self._next():
            if job.result.set_running_or_notify_cancel():
                _run(job)
            del job  # it has a password, and its result may be a key

    def _next(self) -> Job | None:
        """Wait for a job; None when the service is stopping."""
        with self._changed:
            self._changed.wait_for(lambda: self._queue or self._is_closed)
            return self._queue.take() if self._queue else None


def _run(job: Job) -> None:
    try:
        job.result.set_result(job.work())
    except BaseException as error:
        job.result.set_exception(error)
        del job  # or the error would keep a reference to it, and it to the error


def _fail(job: Job, error: Exception) -> None:
    if not job.result.cancelled():
        job.result.set_exception(error)
