"""Writes lines in a thread of its own, so that a slow or broken output delays nothing else.

A write to a full pipe or a stopped terminal blocks; on the event loop it would stop all requests.
What does not fit into the queue, or cannot be written, is dropped and counted.
"""

import os
import select
import threading
import time
from collections import deque
from collections.abc import Callable

_QUEUE_BYTES = 1 << 18
# A pipe takes this many bytes in one piece, so lines of several processes are not mixed.
_MAX_WRITE = select.PIPE_BUF
# Seconds between two rounds. Waking the thread for each line of a busy process took as long as
# the line itself.
_PAUSE = 0.01


def _ignore(_lines: int) -> None:
    """Count nothing."""


class LineWriter:
    """A bounded queue of lines for one file descriptor."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        # Reentrant, because garbage collection can log a line while another one is being added.
        self._lock = threading.RLock()
        self._queue: deque[bytes] = deque()
        self._queued_bytes = 0
        self._dropped = 0
        self._count: Callable[[int], None] = _ignore
        self._thread: threading.Thread | None = None
        self._is_idle = True
        self._wake = threading.Semaphore(0)
        self._is_torn = False
        """Whether only the beginning of the last line was written."""

    def write(self, text: str) -> None:
        """Queue complete lines; return at once."""
        self.write_bytes(text.encode("utf-8", "backslashreplace"))

    def write_bytes(self, lines: bytes) -> None:
        """Queue complete lines; return at once."""
        with self._lock:
            if self._queued_bytes + len(lines) > _QUEUE_BYTES:
                self._dropped += lines.count(b"\n")
                return
            self._queue.append(lines)
            self._queued_bytes += len(lines)
            if self._is_idle and self._is_running():
                self._is_idle = False
                self._wake.release()

    def flush(self) -> None:
        """Do nothing: lines are written at once, and no caller waits for that."""

    def count_dropped(self, count: Callable[[int], None]) -> None:
        """Pass the number of lines that are dropped to `count`, also of those until now."""
        with self._lock:
            self._count = count

    def report_dropped(self) -> None:
        """Pass on what was dropped.

        `write` must not do it, because it can run while the same thread counts something else.
        """
        with self._lock:
            if self._count is _ignore or not self._dropped:
                return
            dropped, self._dropped = self._dropped, 0
        self._count(dropped)

    def finish(self, within: float) -> None:
        """Wait until everything is written, for a limited number of seconds."""
        deadline = time.monotonic() + within
        while not self._is_idle and time.monotonic() < deadline:
            time.sleep(0.002)

    def _is_running(self) -> bool:
        if self._thread is None or not self._thread.is_alive():  # also after a fork
            thread = threading.Thread(target=self._run, name="line-writer", daemon=True)
            try:
                thread.start()
            except RuntimeError:  # the system has no more threads, or Python is exiting
                return False
            self._thread = thread
        return True

    def _run(self) -> None:
        while True:
            with self._lock:
                lines = self._next_lines()
                self._is_idle = not lines
            if lines:
                self._write(lines)
                self.report_dropped()
                if not self._queue:
                    time.sleep(_PAUSE)
            else:
                self._wake.acquire()

    def _next_lines(self) -> bytes:
        taken: list[bytes] = []
        size = 0
        while self._queue and (not taken or size + len(self._queue[0]) <= _MAX_WRITE):
            size += len(self._queue[0])
            taken.append(self._queue.popleft())
        self._queued_bytes -= size
        return b"".join(taken)

    def _write(self, lines: bytes) -> None:
        left = memoryview(b"\n" + lines if self._is_torn else lines)
        while left:
            try:
                written = os.write(self._descriptor, left)
            except BlockingIOError:  # the descriptor is shared with a program that wants it so
                select.select([], [self._descriptor], [])
            except OSError:
                with self._lock:
                    self._dropped += min(bytes(left).count(b"\n"), lines.count(b"\n"))
                return
            else:
                self._is_torn = left[written - 1] != ord("\n")
                left = left[written:]
