"""The server: the socket, the limits of uvicorn, and the exit status."""

import errno
import os
import resource
import signal
import socket
import sys
from types import FrameType

import uvicorn

from symphony import logs
from symphony.bootstrap import StartRefused, require_temporary_directory
from symphony.config.settings import Settings
from symphony.infrastructure.database.public_name import public_name
from symphony.serving.workers import run_workers, stop_with_the_terminal

GRACE = 4  # seconds that requests in progress have to finish when the service is stopped
KEEP_ALIVE = 30  # seconds that an idle connection stays open
BACKLOG = 2048  # connections that the system queues
_MIN_OPEN_FILES = 32  # a service with several workers starts, and serves a few requests at a time


def serve(settings: Settings, *, has_users: bool) -> None:
    """Serve until SIGINT or SIGTERM. Raises: StartRefused."""
    _require_open_files()
    if settings.workers > 1:
        require_temporary_directory("several workers")
    try:
        listener = _listen(settings.host, settings.port)
    except OSError as error:
        raise StartRefused(_cannot_listen(settings.host, settings.port, error)) from None
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
    logs.redirect_streams()
    _announce(settings, listener, has_users=has_users)
    if not run_workers(config, listener):
        sys.exit(1)


def stop_successfully() -> None:
    """From now on, exit with status 0 at SIGINT and SIGTERM, as a service that was stopped."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _exit_successfully)
    stop_with_the_terminal()


def _require_open_files() -> None:
    """Check the limit of open files: with very few, workers fail before they serve, without end."""
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if limit != resource.RLIM_INFINITY and limit < _MIN_OPEN_FILES:
        raise StartRefused(
            f"The limit of open files is {limit}; must be at least {_MIN_OPEN_FILES}. Raise it with"
            " `ulimit -n`."
        )


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


def _cannot_listen(host: str, port: int, error: OSError) -> str:
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    if error.errno == errno.EADDRINUSE:
        remedy = "the address is already in use; choose another port with --port"
    elif error.errno in {errno.EACCES, errno.EPERM}:
        remedy = "permission denied; choose a port above 1023 with --port"
    else:
        remedy = f"{error.strerror}; choose an address of this machine with --host"
    return f"Cannot listen on {address}: {remedy}."


def _exit_successfully(_signal: int, _frame: FrameType | None) -> None:
    # For a service a signal is the normal way to stop, not a failure.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _exit_at_once)
    sys.exit(0)


def _exit_at_once(_signal: int, _frame: FrameType | None) -> None:
    os._exit(0)  # a second signal, during the exit


def _announce(settings: Settings, listener: socket.socket, *, has_users: bool) -> None:
    host, port = listener.getsockname()[:2]
    address = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    if settings.demo_mode:
        store = "Data: in memory; nothing is saved"
        step = f"open {address} in a browser, and sign in as the demo user"
    else:
        store = (
            f"Data: {settings.data_dir}"
            if settings.database_url is None
            else f"Database: {public_name(settings.database_url.get_secret_value())}"
        )
        step = _next_step(settings, address, has_users=has_users)
    lines = (
        f"Symphony listens on {address}",
        f"Documentation: {address}/docs",
        store,
        f"Registration: {_registration(settings, has_users=has_users)}",
        f"Next: {step}",
    )
    print("\n".join(lines), flush=True)  # noqa: T201 - for a person


def _registration(settings: Settings, *, has_users: bool) -> str:
    """Describe who can sign up."""
    if settings.registration == "open":
        return "open; every client that reaches this address can sign up"
    if settings.registration == "first":
        return "only the first profile, which " + (
            "exists; the operator creates further ones"
            if has_users
            else "is still to be created: do the next step at once"
        )
    return "closed; the operator creates profiles"


def _next_step(settings: Settings, address: str, *, has_users: bool) -> str:
    if settings.registration == "open" or (settings.registration == "first" and not has_users):
        return f"open {address}/#/sign-up in a browser, and create an account"
    browser = f"open {address} in a browser"
    if has_users:
        return f"{browser}, and sign in"
    return f"symphony user create NAME --email ADDRESS, then {browser}"
