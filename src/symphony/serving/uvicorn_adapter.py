"""The internals of uvicorn that Symphony depends on, in one place.

Uvicorn does not promise to keep them. `docs/decisions/dependencies.md` has the reason for each one,
`pyproject.toml` bounds the version, and `tests/contracts/test_uvicorn.py` fails when one changes.
"""

import asyncio
import logging
import signal
import sys
from collections.abc import Callable
from multiprocessing import resource_tracker
from socket import socket
from types import FrameType

import uvicorn
from httptools import HttpRequestParser
from uvicorn.config import STARTUP_FAILURE
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT, FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.supervisors import Multiprocess
from uvicorn.supervisors.multiprocess import Process

__all__ = [
    "HIGH_WATER_LIMIT",
    "STARTUP_FAILURE",
    "HttpProtocol",
    "Server",
    "Supervisor",
    "WorkerNotStarted",
]


_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class HttpProtocol(HttpToolsProtocol):
    """HTTP/1.1 on one connection, of which at most one request is being answered.

    Subclasses give the parser no request before the one before it has been answered, so uvicorn's
    `cycle` is always that one, and its queue for pipelined requests stays empty.
    """

    def connection_made(self, transport: asyncio.Transport) -> None:  # pyright: ignore[reportIncompatibleMethodOverride] - uvicorn's own narrowing
        super().connection_made(transport)
        self.flow = self.reading = PausableReading(transport)

    @property
    def active_parser(self) -> HttpRequestParser:
        """The parser of a connection that is not lost."""
        assert self.parser is not None  # noqa: S101 - uvicorn's declaration is wider
        return self.parser

    def replace_parser(self) -> None:
        """Parse what follows with a new parser, as after an error the old one accepts nothing."""
        self.parser = HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn does

    @property
    def is_answering(self) -> bool:
        """Whether a request has no complete response yet."""
        return self.cycle is not None and not self.cycle.response_complete  # pyright: ignore[reportUnnecessaryComparison] - None before the first request

    @property
    def is_response_unread(self) -> bool:
        """Whether the client has not read as much as the transport may buffer."""
        return self.flow.write_paused

    @property
    def is_response_started(self) -> bool:
        """Whether a part of the response of the current request has been written."""
        return self.cycle.response_started

    def abandon_request(self) -> None:
        """Report the disconnect to the request that is being answered, and stop its writing."""
        if self.is_answering:
            self.cycle.disconnected = True
            self.cycle.message_event.set()

    def stop_idle_timer(self) -> None:
        """Stop the time limit for an idle connection."""
        self._unset_keepalive_if_required()

    @property
    def default_headers(self) -> list[tuple[bytes, bytes]]:
        """The headers of every response, such as `Date`."""
        return self.server_state.default_headers


class PausableReading(FlowControl):
    """Flow control with a second reason not to read.

    Uvicorn stops reading while much of a body waits for the application, and reads again whenever
    the application asks for more. `hold` stops reading until `release`, whatever uvicorn does.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        super().__init__(transport)
        self.is_held = False
        """Whether reading was stopped by `hold`."""
        self._is_paused_by_uvicorn = False

    def pause_reading(self) -> None:
        self._is_paused_by_uvicorn = True
        super().pause_reading()

    def resume_reading(self) -> None:
        self._is_paused_by_uvicorn = False
        if not self.is_held:
            super().resume_reading()

    def hold(self) -> None:
        """Stop reading."""
        self.is_held = True
        super().pause_reading()

    def release(self) -> None:
        """Read again, unless uvicorn has paused."""
        self.is_held = False
        if not self._is_paused_by_uvicorn:
            super().resume_reading()


class Server(uvicorn.Server):
    """A server that always shuts the application down before it stops.

    Uvicorn's leaves that out after a second signal, of which a worker gets one from the terminal
    and one from its supervisor. And it raises the signal that stopped it once more, which would
    cut the event loop off.
    """

    def run(self, sockets: list[socket] | None = None) -> None:
        # Uvicorn handles signals from a later moment on: one before it would cut the start off.
        for number in _SIGNALS:
            signal.signal(number, self.handle_exit)
        super().run(sockets)
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_IGN)  # another one would interrupt the exit

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self.should_exit = True


class Worker(Process):
    """A worker process that exits in the normal way, and so writes its last log lines."""

    @property
    def server(self) -> uvicorn.Server:
        if self._server is None:
            self._server = Server(self.config)
        return self._server

    def target(self, sockets: list[socket] | None = None) -> None:
        for number in _SIGNALS:
            signal.signal(number, _exit)
        try:
            super().target(sockets)
        except Exception:
            if self.server.started:
                raise
            # The event loop could not be created: too many open files, for example.
            logging.getLogger("symphony").exception("the worker cannot start")
            sys.exit(STARTUP_FAILURE)


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
