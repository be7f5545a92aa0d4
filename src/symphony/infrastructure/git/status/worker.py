"""A process that inspects repositories for a service, one at a time, until its input ends.

The threads of one process share Python's global lock: two inspections in threads take as long as
one after the other. It inspects exactly as the service does, with the same limits and confinement.
"""

import asyncio
import logging
import os
import signal
import sys
from contextlib import closing, suppress
from typing import Any, BinaryIO
from uuid import UUID

from symphony.infrastructure.git.status.local_git import LocalGit
from symphony.infrastructure.git.status.worker_messages import (
    LENGTH_BYTES,
    Inspected,
    WorkerSetup,
    packed,
    unpacked,
)

_NOBODY = UUID(int=0)  # the service has queued the inspection for its user


class _Log(logging.Handler):
    """Keeps what is logged, for the log of the service."""

    def __init__(self) -> None:
        super().__init__()
        self._lines = list[str]()

    def emit(self, record: logging.LogRecord) -> None:
        self._lines.append(self.format(record))

    def taken(self) -> list[str]:
        lines, self._lines = self._lines, []
        return lines


async def _work(answers: BinaryIO) -> None:
    """Raises: IncompleteReadError when the service has ended."""
    loop = asyncio.get_running_loop()
    work = asyncio.current_task()
    assert work is not None  # noqa: S101 - this is a coroutine
    loop.add_signal_handler(signal.SIGTERM, work.cancel)
    stream = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(stream), sys.stdin)
    log = _Log()
    logging.getLogger("symphony").addHandler(log)
    setup: WorkerSetup = await _received(stream)
    git = LocalGit(
        setup.roots,
        setup.limits,
        lambda: setup.landlock,
        use_user_config=setup.use_user_config,
        user_config=setup.user_config,
    )
    with closing(git):
        directory = await _received(stream)
        while True:
            async with asyncio.TaskGroup() as tasks:
                # The service sends nothing before it has the answer, but it may end.
                following = tasks.create_task(_received(stream))
                status = await git.status(_NOBODY, directory.path, directory.synced)
                answers.write(packed(Inspected(status, log.taken())))
                answers.flush()
            directory = following.result()


async def _received(stream: asyncio.StreamReader) -> Any:
    length = int.from_bytes(await stream.readexactly(LENGTH_BYTES), "big")
    return unpacked(await stream.readexactly(length))


def main() -> None:
    """Answer on standard output, where nothing else may be printed."""
    answers = open(os.dup(1), "wb")  # noqa: SIM115 - until the process ends
    os.dup2(2, 1)
    with suppress(asyncio.CancelledError, BaseExceptionGroup, EOFError, OSError):
        asyncio.run(_work(answers))


if __name__ == "__main__":
    main()
