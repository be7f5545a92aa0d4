"""Serving: the socket, the processes behind it, and how they end."""

import socket
import sys

import uvicorn
from uvicorn.supervisors import Multiprocess

from symphony.config.settings import Settings

GRACE = 5  # seconds that requests in progress have to finish once the service is told to stop
KEEP_ALIVE = 30  # seconds that an idle connection is kept
BACKLOG = 2048


def serve(settings: Settings) -> None:
    """Serves until told to stop (SIGINT, SIGTERM). Raises: OSError when it cannot listen."""
    listener = _listen(settings.host, settings.port)
    config = uvicorn.Config(
        "symphony.main:create_app_from_environment",
        factory=True,
        workers=settings.workers,
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
    if settings.workers > 1:
        Multiprocess(config, sockets=[listener]).run()
        return
    server = uvicorn.Server(config)
    server.run(sockets=[listener])
    if not server.started:
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


def _announce(listener: socket.socket) -> None:
    host, port = listener.getsockname()[:2]
    address = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    print(f"Symphony listens on {address}", flush=True)  # noqa: T201 - for a person
    print(f"Documentation: {address}/docs", flush=True)  # noqa: T201 - for a person
