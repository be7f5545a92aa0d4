"""The end of a reporter: SIGTERM and SIGINT end it within a second, whatever it waits for."""

import asyncio
import os
import signal
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")
_WITHIN = 0.8  # seconds for the running inspections to end and to remove their files


class Interrupted(Exception):
    """The process received a signal; `status` is the exit status."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


def run(work: Coroutine[Any, Any, T], *, terminated: int) -> T:
    """Run the work; `terminated` is the exit status after SIGTERM. Raises: Interrupted."""
    statuses = {signal.SIGTERM: terminated, signal.SIGINT: 128 + signal.SIGINT}
    return asyncio.run(_until_signal(work, statuses))


async def _until_signal(work: Coroutine[Any, Any, T], statuses: dict[signal.Signals, int]) -> T:
    loop = asyncio.get_running_loop()
    task = loop.create_task(work)
    received = list[int]()

    def end(status: int) -> None:
        if not received:
            received.append(status)
            # A disk that does not answer would keep a thread, and the thread this process.
            timer = threading.Timer(_WITHIN, os._exit, [status])
            timer.daemon = True
            timer.start()
        task.cancel()

    for number, status in statuses.items():
        if signal.getsignal(number) is not signal.SIG_IGN:
            loop.add_signal_handler(number, end, status)
    try:
        return await task
    except asyncio.CancelledError:
        if received:
            raise Interrupted(received[0]) from None
        raise
