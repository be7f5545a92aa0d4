"""Serving: the socket, the processes behind it, and how they end."""

import os
import signal
import socket
import sys
import tempfile
from types import FrameType
from typing import cast

import uvicorn
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess
from uvicorn.supervisors.multiprocess import Process

from symphony.config.settings import Settings
from symphony.http_protocol import BoundedHttpProtocol
from symphony.infrastructure.metrics import SHARED_FOLDER, forget_process

GRACE = 4  # seconds that requests in progress have to finish once the service is told to stop
KEEP_ALIVE = 30  # seconds that an idle connection is kept
BACKLOG = 2048


class Workers(Multiprocess):
    """Processes of which one that dies is replaced.

    Uvicorn also asks each worker whether it is well, and waits for the answer of one that has died
    before it can be told to stop.
    """

    failed = False

    def keep_subprocess_alive(self) -> None:
        for index, worker in enumerate(self.processes):
            if worker.process.is_alive():
                continue
            if worker.exitcode == STARTUP_FAILURE:  # and so would be the next
                self.failed = True
                self.should_exit.set()
                return
            forget_process(cast("int", worker.pid))  # it has one, for it was started
            self.processes[index] = Process(self.config, self.sockets)
            self.processes[index].start()


def serve(settings: Settings) -> None:
    """Serves until told to stop (SIGINT, SIGTERM). Raises: OSError when it cannot listen."""
    listener = _listen(settings.host, settings.port)
    config = uvicorn.Config(
        "symphony.start:application",
        factory=True,
        workers=settings.workers,
        http=BoundedHttpProtocol,
        lifespan="on",
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=GRACE,
        timeout_keep_alive=KEEP_ALIVE,
    )
    _announce(listener)
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, _end)
    if settings.workers > 1:
        with tempfile.TemporaryDirectory(prefix="symphony-metrics-") as folder:
            os.environ[SHARED_FOLDER] = folder
            workers = Workers(config, sockets=[listener])
            workers.run()
        started = not workers.failed
    else:
        server = uvicorn.Server(config)
        server.run(sockets=[listener])
        started = server.started
    if not started:
        sys.exit(1)


def _listen(host: str, port: int) -> socket.socket:
    """A socket that connections can queue on from now, before anybody takes them."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    listener.set_inheritable(True)
    return listener


def _end(_signal: int, _frame: FrameType | None) -> None:
    # When all is finished uvicorn raises the signal that it was ended by once more. That is the
    # proper end of a service, not a failure.
    sys.exit(0)


def _announce(listener: socket.socket) -> None:
    host, port = listener.getsockname()[:2]
    address = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    print(f"Symphony listens on {address}", flush=True)  # noqa: T201 - for a person
    print(f"Documentation: {address}/docs", flush=True)  # noqa: T201 - for a person
