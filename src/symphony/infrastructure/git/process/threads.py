"""Threads for what nothing can end: a disk that does not answer, a name that is looked up."""

from collections.abc import Callable
from concurrent.futures import Future
from threading import Thread
from typing import TypeVar

T = TypeVar("T")


def start_thread(work: Callable[[], T], name: str) -> Future[T]:
    """What comes of it, done in a thread of its own, which keeps no process from ending."""
    future = Future[T]()
    future.set_running_or_notify_cancel()  # so that it goes on when nobody waits any more
    Thread(target=_do, args=(work, future), name=name, daemon=True).start()
    return future


def _do(work: Callable[[], T], future: Future[T]) -> None:
    try:
        future.set_result(work())
    except BaseException as error:
        future.set_exception(error)
        del work, future  # which the error would keep, and they the error
