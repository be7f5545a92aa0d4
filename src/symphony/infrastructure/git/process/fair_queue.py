"""Threads in which users take turns."""

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
ENDING_LIMIT = 1.0  # seconds for what is being done to end when the service is stopped


class QueueTimeout(Overloaded):
    """It has not been this user's turn in time, so nothing was begun."""


class FairQueue:
    """Threads of which each user has no more than some at once, and a line of their own for these.

    So whoever has much to look at, or something that never ends, is in nobody else's way.
    """

    def __init__(self, name: str, *, of_one: int, in_all: int) -> None:
        self._name = name
        self._of_one = of_one
        self._working = set[futures.Future[Any]]()
        self._is_closed = False
        # Each is there for as long as somebody is in it, or a thread of its is busy.
        self._lines = WeakValueDictionary[UUID, UserQueue]()
        self.free = asyncio.Semaphore(in_all)

    def line(self, user: UUID) -> "UserQueue":
        line = self._lines.get(user)
        if line is None:
            line = self._lines[user] = UserQueue(self, self._of_one)
        return line

    def start(self, work: Callable[[], T]) -> futures.Future[T]:
        """Does it in a thread. Raises: Overloaded when the service is being stopped."""
        if self._is_closed:
            raise Overloaded
        future = start_thread(work, self._name)
        self._working.add(future)
        future.add_done_callback(self._working.discard)
        return future

    def close(self) -> None:
        """Gives what is being done a moment to end; what is still in line is not done."""
        self._is_closed = True
        futures.wait(set(self._working), ENDING_LIMIT)


class UserQueue:
    """The line of one user."""

    def __init__(self, turns: FairQueue, at_once: int) -> None:
        self._queue = turns
        self._own = asyncio.Semaphore(at_once)
        self._length = 0

    @contextmanager
    def place(self, longest: int) -> Generator[None]:
        """Raises: Overloaded when the line is as long as that already."""
        if self._length >= longest:
            raise Overloaded
        self._length += 1
        try:
            yield
        finally:
            self._length -= 1

    async def begin(
        self, work: Callable[[], T], within: float | None = None
    ) -> "asyncio.Future[T]":
        """Begins it in a thread when it is this user's turn; what will come of it.

        Whoever waits may give up, but the turn ends with the work: no disk that does not answer
        takes more threads than one user has.

        Raises: QueueTimeout when it has not started `within` seconds, Overloaded when the service
        is stopping.
        """
        try:
            async with asyncio.timeout(within):
                await self._turn()
        except TimeoutError:
            raise QueueTimeout from None
        loop = asyncio.get_running_loop()
        try:
            future = self._queue.start(work)
        except BaseException:
            self._end()
            raise
        future.add_done_callback(lambda _: self._end_in(loop))
        return asyncio.wrap_future(future)

    async def run(self, work: Callable[[], T]) -> T:
        """What comes of it. Raises: what the work raises, Overloaded as `begin` does."""
        return await (await self.begin(work))

    async def _turn(self) -> None:
        await self._own.acquire()
        try:
            await self._queue.free.acquire()
        except BaseException:
            self._own.release()
            raise

    def _end_in(self, loop: asyncio.AbstractEventLoop) -> None:
        with suppress(RuntimeError):  # it has ended, and nobody waits for a turn
            loop.call_soon_threadsafe(self._end)

    def _end(self) -> None:
        self._queue.free.release()
        self._own.release()
