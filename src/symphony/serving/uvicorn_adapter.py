"""The internals of uvicorn that Symphony depends on, in one place.

Uvicorn does not promise to keep them. `docs/decisions/dependencies.md` has the reason for each one,
`pyproject.toml` bounds the version, and `tests/contracts/test_uvicorn.py` fails when one changes.
"""

import logging
import signal
import sys
from collections.abc import Callable
from multiprocessing import resource_tracker
from socket import socket
from types import FrameType
from typing import Any

import uvicorn
from uvicorn.config import STARTUP_FAILURE
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.supervisors import Multiprocess
from uvicorn.supervisors.multiprocess import Process

__all__ = ["HIGH_WATER_LIMIT", "STARTUP_FAILURE", "HttpProtocol", "Supervisor", "WorkerNotStarted"]


class HttpProtocol(HttpToolsProtocol):
    """HTTP/1.1 on one connection, with the request that is being answered.

    Uvicorn's own `cycle` is the newest request, which with pipelining may still be queued.
    """

    _answering: RequestResponseCycle | None = None

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._answering = cycle
        super()._start_asgi_task(cycle, app)

    @property
    def is_body_incomplete(self) -> bool:
        """Whether the client still has to send a part of the body of the current request."""
        return self._answering is not None and self._answering.more_body

    def abandon_requests(self) -> None:
        """Drop the queued requests, and report the disconnect to the one being answered.

        Uvicorn reports it to the newest request only: with pipelining, the one being answered
        would write to a closed connection.
        """
        self.pipeline.clear()
        if self._answering:
            self._answering.disconnected = True
            self._answering.message_event.set()


class Worker(Process):
    """A worker process that exits in the normal way, and so writes its last log lines.

    After the last request, uvicorn raises the signal that stopped it once more; by default that
    kills the process.
    """

    def target(self, sockets: list[socket] | None = None) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, _exit)
        super().target(sockets)


def _exit(_signal: int, _frame: FrameType | None) -> None:
    sys.exit(0)


class WorkerNotStarted(Exception):
    """The system does not start another process; the message says why."""


class Supervisor(Multiprocess):
    """A supervisor of worker processes that share sockets; it replaces a worker that has died.

    Unlike uvicorn's, it does not ping its workers. A ping is answered by a thread of the worker,
    so it does not detect a blocked event loop. But it kills each worker that takes longer than the
    time limit to import the service, and it blocks the supervisor, which cannot stop while it
    waits for the answer of a worker that is still starting.
    """

    def __init__(
        self, config: uvicorn.Config, sockets: list[socket], on_death: Callable[[int], None]
    ) -> None:
        """Pass the process id of each worker that has died to `on_death`."""
        is_hangup_ignored = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
        super().__init__(config, sockets)
        if is_hangup_ignored:  # by nohup; workers inherit it
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
        self._on_death = on_death
        self.has_failed = False
        """Whether a worker could not start; the next one would fail as well."""

    def init_processes(self) -> None:
        """Start the workers; if one cannot be started, stop all. Raises: WorkerNotStarted."""
        try:
            for _ in range(self.processes_num):
                self.processes.append(self._started())
        except OSError as error:
            self.terminate_all()
            self.join_all()
            raise WorkerNotStarted(error.strerror) from None

    def _started(self) -> Process:
        """Start a worker that does not receive the signals of a terminal before it handles them.

        While it imports the service, Ctrl-C would print a traceback.
        """
        worker = Worker(self.config, self.sockets)
        # Its start unblocks the signals.
        resource_tracker.ensure_running()  # pyright: ignore[reportUnknownMemberType] - no annotations
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGHUP})
        try:
            worker.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        return worker

    def handle_hup(self) -> None:
        self.should_exit.set()

    def keep_subprocess_alive(self) -> None:
        # A signal that is queued but not handled yet may be the reason why the workers stop.
        if self.should_exit.is_set() or self.signal_queue:
            return
        for index, worker in enumerate(self.processes):
            if worker.process.is_alive():
                continue
            if worker.exitcode == STARTUP_FAILURE:
                self.has_failed = True
                self.should_exit.set()
                return
            if worker.pid is not None:
                self._on_death(worker.pid)
            try:
                self.processes[index] = self._started()
            except OSError:  # for now there are too many processes or open files
                logging.getLogger("symphony").exception("a worker cannot be replaced")
