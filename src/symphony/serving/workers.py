"""The worker processes: one, or several that share a port."""

import logging
import multiprocessing
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from socket import socket
from types import FrameType
from typing import Any

import uvicorn

from symphony import logs
from symphony.bootstrap import StartRefused
from symphony.infrastructure.metrics import SHARED_DIRECTORY, forget_process
from symphony.serving.uvicorn_adapter import (
    STARTUP_FAILURE,
    Server,
    Supervisor,
    WorkerNotStarted,
)


def run_workers(config: uvicorn.Config, listener: socket) -> bool:
    """Serve until a signal stops the service; return False when the service could not start."""
    if config.workers == 1:
        server = Server(config)
        server.run(sockets=[listener])
        return server.started
    if not _has_working_directory():
        os.chdir("/")  # multiprocessing passes the working directory on
    with tempfile.TemporaryDirectory(prefix="symphony-metrics-") as path:
        os.environ[SHARED_DIRECTORY] = path
        supervisor = Supervisor(config, [listener], on_death=forget_process)
        try:
            supervisor.run()
        except WorkerNotStarted as error:
            raise StartRefused(f"Cannot start a worker process: {error}.") from None
    return not supervisor.has_failed


def _has_working_directory() -> bool:
    try:
        return bool(os.getcwd())
    except FileNotFoundError:  # it was deleted
        return False


def stop_with_the_terminal() -> None:
    """Treat SIGHUP as SIGTERM: a terminal that is closed ends the requests in progress as well.

    Unless the signal is ignored (`nohup`).
    """
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signal.signal(signal.SIGHUP, _terminate)


def _terminate(_signal: int, _frame: FrameType | None) -> None:
    signal.raise_signal(signal.SIGTERM)


def worker_application(create: Callable[[], Any]) -> Any:
    """Create the application in a worker process.

    The supervisor does not replace a worker that cannot create it.

    In a process that `multiprocessing` did not start, this is the same as `create`.
    """
    supervisor = multiprocessing.parent_process()
    if supervisor is None:
        return create()
    # Blocked while this process was started.
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT, signal.SIGHUP})
    stop_with_the_terminal()
    logs.redirect_streams()
    threading.Thread(target=_stop_after, args=(supervisor,), daemon=True).start()
    try:
        return create()
    except Exception:
        # Another worker would fail for the same reason, and another one, without end.
        logging.getLogger("symphony").exception("the worker cannot start")
        sys.exit(STARTUP_FAILURE)


def _stop_after(supervisor: BaseProcess) -> None:
    """Stop this worker when the supervisor dies without stopping its workers (SIGKILL, a crash).

    Otherwise the worker would keep the port, and the next start would fail.
    """
    supervisor.join()
    os.kill(os.getpid(), signal.SIGTERM)
