"""The server: the socket, the limits of uvicorn, and the exit status."""

import signal
import socket
import sys
from types import FrameType

import uvicorn

from symphony.config.settings import Settings
from symphony.serving.workers import run_workers

GRACE = 4  # seconds that requests in progress have to finish when the service is stopped
KEEP_ALIVE = 30  # seconds that an idle connection stays open
BACKLOG = 2048  # connections that the system queues


def serve(settings: Settings) -> None:
    """Serve until SIGINT or SIGTERM. Raises: OSError when the service cannot listen."""
    listener = _listen(settings.host, settings.port)
    config = uvicorn.Config(
        "symphony.start:worker",
        factory=True,
        workers=settings.workers,
        # By name: a worker then imports it after uvicorn has started to handle signals, so Ctrl-C
        # during the import prints no traceback.
        http="symphony.serving.http_protocol:LimitedHttpProtocol",
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
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _exit_successfully)
    if not run_workers(config, listener):
        sys.exit(1)


def _listen(host: str, port: int) -> socket.socket:
    """Open the socket; the system queues connections on it from now on."""
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


def _exit_successfully(_signal: int, _frame: FrameType | None) -> None:
    # After the last request, uvicorn raises the signal that stopped it once more. For a service
    # that is the normal way to stop, not a failure.
    sys.exit(0)


def _announce(listener: socket.socket) -> None:
    host, port = listener.getsockname()[:2]
    address = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    print(f"Symphony listens on {address}", flush=True)  # noqa: T201 - for a person
    print(f"Documentation: {address}/docs", flush=True)  # noqa: T201 - for a person
