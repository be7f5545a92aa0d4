"""Threads in which users take turns."""

import asyncio
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar
from uuid import UUID
from weakref import WeakValueDictionary

from symphony.application.ports import Overloaded

T = TypeVar("T")


class Turns:
    """Threads of which each user has no more than some at once, and a line of their own for these.

    So whoever has much to look at, or something that never ends, is in nobody else's way.
    """

    def __init__(self, name: str, *, of_one: int, in_all: int) -> None:
        self._of_one = of_one
        self._threads = ThreadPoolExecutor(in_all, thread_name_prefix=name)
        # Each is there for as long as somebody is in it, or a thread of its is busy.
        self._lines = WeakValueDictionary[UUID, Line]()

    def line(self, user: UUID) -> "Line":
        line = self._lines.get(user)
        if line is None:
            line = self._lines[user] = Line(self._threads, self._of_one)
        return line

    def close(self) -> None:
        """Waits for what is being done; what is still in line is not done."""
        self._threads.shutdown(cancel_futures=True)


class Line:
    """The line of one user."""

    def __init__(self, threads: ThreadPoolExecutor, at_once: int) -> None:
        self._threads = threads
        self._turns = asyncio.Semaphore(at_once)
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

    async def run(self, work: Callable[[], T]) -> T:
        """Does it in a thread when it is this user's turn.

        Whoever waits may give up, but the turn ends with the work: no disk that does not answer
        takes more threads than one user has.

        Raises: what the work raises, Overloaded when the service is being stopped.
        """
        await self._turns.acquire()
        loop = asyncio.get_running_loop()
        try:
            begun = self._threads.submit(work)
        except RuntimeError:
            self._turns.release()
            raise Overloaded from None
        begun.add_done_callback(lambda _: loop.call_soon_threadsafe(self._turns.release))
        return await asyncio.wrap_future(begun)
