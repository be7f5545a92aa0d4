"""A queue for threads in which no user delays another one."""

import asyncio
from collections.abc import Callable, Generator
from concurrent import futures
from contextlib import contextmanager, suppress
from typing import Any, TypeVar
from uuid import UUID
from weakref import WeakValueDictionary

from symphony.application.ports import Overloaded
from symphony.infrastructure.git.process.threads import start_thread

T = TypeVar("T")
CLOSE_TIMEOUT = 1.0  # seconds for the running work to finish when the service stops


class QueueTimeout(Overloaded):
    """The work waited too long for a free thread, and was not started."""


class FairQueue:
    """Threads with a concurrency limit in total and one per user; each user has a queue.

    A user with much work, or with work that never finishes, does not delay other users.
    """

    def __init__(self, name: str, *, per_user: int, total: int) -> None:
        self._name = name
        self._per_user = per_user
        self._running = set[futures.Future[Any]]()
        self._is_closed = False
        # Each queue exists while a request waits in it, or one of its threads works.
        self._queues = WeakValueDictionary[UUID, UserQueue]()
        self.free = asyncio.Semaphore(total)

    def for_user(self, user_id: UUID) -> "UserQueue":
        queue = self._queues.get(user_id)
        if queue is None:
            queue = self._queues[user_id] = UserQueue(self, self._per_user)
        return queue

    def start(self, work: Callable[[], T]) -> futures.Future[T]:
        """Start the work in a thread.

        Raises: Overloaded when the service is stopping, or the system starts no more threads.
        """
        if self._is_closed:
            raise Overloaded
        try:
            future = start_thread(work, self._name)
        except RuntimeError:
            raise Overloaded from None
        self._running.add(future)
        future.add_done_callback(self._running.discard)
        return future

    def close(self) -> None:
        """Wait up to `CLOSE_TIMEOUT` for the running work; queued work is not started."""
        self._is_closed = True
        futures.wait(set(self._running), CLOSE_TIMEOUT)


class UserQueue:
    """The queue of one user."""

    def __init__(self, queue: FairQueue, concurrency: int) -> None:
        self._queue = queue
        self._free = asyncio.Semaphore(concurrency)
        self._length = 0

    @contextmanager
    def slot(self, max_length: int) -> Generator[None]:
        """Occupy a slot in the queue; requests that are being served count too.

        Raises: Overloaded when `max_length` slots are occupied.
        """
        if self._length >= max_length:
            raise Overloaded
        self._length += 1
        try:
            yield
        finally:
            self._length -= 1

    async def submit(
        self, work: Callable[[], T], max_wait: float | None = None
    ) -> "asyncio.Future[T]":
        """Wait for a free thread and start the work in it; the future has its result.

        The caller may stop waiting, but the thread is occupied until the work finishes: a disk that
        does not answer occupies no more threads than one user may have.

        Raises: QueueTimeout when no thread is free within `max_wait` seconds, Overloaded when the
        service is stopping.
        """
        try:
            async with asyncio.timeout(max_wait):
                await self._acquire()
        except TimeoutError:
            raise QueueTimeout from None
        loop = asyncio.get_running_loop()
        try:
            future = self._queue.start(work)
        except BaseException:
            self._release()
            raise
        future.add_done_callback(lambda _: self._release_in(loop))
        return asyncio.wrap_future(future)

    async def run(self, work: Callable[[], T]) -> T:
        """Submit the work and return its result. Raises: what the work and `submit` raise."""
        return await (await self.submit(work))

    async def _acquire(self) -> None:
        await self._free.acquire()
        try:
            await self._queue.free.acquire()
        except BaseException:
            self._free.release()
            raise

    def _release_in(self, loop: asyncio.AbstractEventLoop) -> None:
        with suppress(RuntimeError):  # the loop is closed, so no task waits for a thread
            loop.call_soon_threadsafe(self._release)

    def _release(self) -> None:
        self._queue.free.release()
        self._free.release()
