"""The processes that inspect the repositories of large boards."""

import asyncio
import os
import sys
from collections import deque
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager, suppress
from subprocess import DEVNULL, PIPE, Popen, TimeoutExpired
from typing import BinaryIO, cast
from zlib import crc32

from symphony.domain.git.status import Directory
from symphony.infrastructure.git.process.threads import start_thread
from symphony.infrastructure.git.status.worker_messages import (
    LENGTH_BYTES,
    Inspected,
    WorkerSetup,
    packed,
    unpacked,
)

IDLE_LIMIT = 60.0  # seconds that the processes wait for the next board
DIRECTORIES_EACH = 12
"""With fewer, starting a process takes longer than it saves."""
_STOPS_WITHIN = 2.0  # seconds, before it is killed
_COMMAND = (sys.executable, "-P", "-m", "symphony.infrastructure.git.status.worker")
_SETTINGS = "SYMPHONY_"


class WorkerEnded(Exception):
    """The process ended before it answered."""


class InspectionWorker:
    """A process that inspects one repository at a time; it ends when the service does."""

    def __init__(self, setup: WorkerSetup) -> None:
        """Raises: OSError when the system starts no more processes."""
        self._unsent_setup = packed(setup)
        self.has_answered = False
        self.is_stopped = False
        self._process = Popen(  # noqa: S603 - Python, and a module of ours
            _COMMAND,
            stdin=PIPE,
            stdout=PIPE,
            stderr=DEVNULL,
            # Without the settings, among which are keys.
            env={name: value for name, value in os.environ.items() if _SETTINGS not in name},
            start_new_session=True,  # Ctrl-C stops the service, which stops this process
        )

    def inspect(self, directory: Directory) -> Inspected:
        """Return what an inspection finds; blocks until then.

        Raises: WorkerEnded, also when another thread stops the worker.
        """
        try:
            return self._ask(directory)
        except (OSError, ValueError, WorkerEnded):  # ValueError: its input was closed meanwhile
            self.close()
            raise WorkerEnded from None

    def stop(self) -> None:
        """Make the process end, and kill the git that it runs; does not wait for that."""
        self.is_stopped = True
        self._process.terminate()

    def close(self) -> None:
        """Stop the process, and wait until it has ended."""
        self.stop()
        try:
            self._process.wait(_STOPS_WITHIN)
        except TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            with suppress(OSError):  # what it did not read is lost
                cast("BinaryIO", pipe).close()

    def _ask(self, directory: Directory) -> Inspected:
        stdin = cast("BinaryIO", self._process.stdin)
        stdin.write(self._unsent_setup + packed(directory))
        stdin.flush()
        self._unsent_setup = b""
        length = int.from_bytes(self._read(LENGTH_BYTES), "big")
        inspected: Inspected = unpacked(self._read(length))
        self.has_answered = True
        return inspected

    def _read(self, length: int) -> bytes:
        content = cast("BinaryIO", self._process.stdout).read(length)
        if len(content) < length:
            raise WorkerEnded
        return content


class InspectionWorkers:
    """Up to `highest` workers, which are started for a board, and closed when none came for a time.

    Each remembers what it inspected, so a repository always goes to the same one if possible.
    """

    def __init__(self, setup: WorkerSetup, highest: int) -> None:
        self._setup = setup
        self._workers: list[InspectionWorker | None] = [None] * highest
        self._free = set(range(highest))
        self._closing: asyncio.TimerHandle | None = None

    @contextmanager
    def lent(self, directories: int) -> Generator[Sequence[InspectionWorker]]:
        """Lend the free workers for an inspection of so many directories: none for a few.

        A worker that is in the middle of an inspection afterwards is stopped by its user.
        """
        wanted = directories // DIRECTORIES_EACH
        numbers = sorted(self._free)[:wanted]
        if len(numbers) < 2:  # alone, it is no faster than threads
            numbers = []
        if self._closing is not None:
            self._closing.cancel()
        self._free.difference_update(numbers)
        try:
            yield [worker for number in numbers if (worker := self._usable(number)) is not None]
        finally:
            self._free.update(numbers)
            self._closing = asyncio.get_running_loop().call_later(IDLE_LIMIT, self._close_idle)

    def close(self) -> None:
        """Close all workers."""
        if self._closing is not None:
            self._closing.cancel()
        workers = [each for each in self._workers if each is not None]
        self._workers = [None] * len(self._workers)
        self._free.clear()
        for each in workers:
            each.stop()
        for each in workers:
            each.close()

    def _usable(self, number: int) -> InspectionWorker | None:
        worker = self._workers[number]
        if worker is None or worker.is_stopped:
            worker = None
            with suppress(OSError):
                worker = InspectionWorker(self._setup)
            self._workers[number] = worker
        return worker

    def _close_idle(self) -> None:
        for number in self._free:
            worker, self._workers[number] = self._workers[number], None
            if worker is not None:
                with suppress(RuntimeError):  # no thread: it ends with the service
                    start_thread(worker.close, "close-worker")


class Shares:
    """Directories, each in the share of one of several workers, always the same one.

    A worker that has finished its share continues with those of the others, so all end together.
    """

    def __init__(self, directories: Iterable[Directory], number: int) -> None:
        self._shares = [deque[Directory]() for _ in range(number)]
        for each in directories:
            path = each.path.encode("utf-8", "surrogatepass")
            self._shares[crc32(path) % number].append(each)

    def next_for(self, worker: int) -> Directory | None:
        """Return the next directory; None when all are taken."""
        share = self._shares[worker] or max(self._shares, key=len)
        return share.popleft() if share else None
