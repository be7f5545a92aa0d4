"""Threads for work that cannot be interrupted: a disk or a resolver may not answer."""

from collections.abc import Callable
from concurrent.futures import Future
from threading import Thread
from typing import TypeVar

T = TypeVar("T")


def start_thread(work: Callable[[], T], name: str) -> Future[T]:
    """Run `work` in a daemon thread, which does not keep the process alive."""
    future = Future[T]()
    future.set_running_or_notify_cancel()  # so that the work continues when no task awaits it
    Thread(target=_run, args=(work, future), name=name, daemon=True).start()
    return future


def _run(work: Callable[[], T], future: Future[T]) -> None:
    try:
        future.set_result(work())
    except BaseException as error:
        future.set_exception(error)
        del work, future  # or the error would keep a reference to them, and they to the error
