"""TCP settings that find a connection of which the other end is silently gone.

A firewall or a NAT forgets idle connections, and a host can lose its network: then no packet says
that the connection is closed, and without these settings Linux retries for about 15 minutes.
"""

import socket
from typing import Any

import asyncpg

from symphony.infrastructure.database.postgresql.address import Keepalives

_IDLE = 10  # seconds
_INTERVAL = 3  # seconds
_COUNT = 3
# The kernel of the other end acknowledges data also while its database is busy, so this may be
# shorter than a statement takes.
_USER_TIMEOUT = 5_000  # milliseconds


def keep_alive(connection: "asyncpg.Connection[Any]", keepalives: Keepalives) -> None:
    """Set the options of the connection's socket, where the system has them; 0 is its default.

    asyncpg has no public way to the socket (`docs/decisions/dependencies.md`). Raises: OSError for
    a connection that is closed again.
    """
    transport: Any = connection._transport  # noqa: SLF001  # pyright: ignore
    found = transport.get_extra_info("socket")
    if found is None or found.family not in {socket.AF_INET, socket.AF_INET6}:
        return
    try:
        _set_options(found, keepalives)
    except OSError:
        connection.terminate()
        raise


def _set_options(found: Any, keepalives: Keepalives) -> None:
    options = {"TCP_USER_TIMEOUT": _or(keepalives.user_timeout, _USER_TIMEOUT)}
    found.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, int(keepalives.enabled))
    if keepalives.enabled:
        idle = _or(keepalives.idle, _IDLE)
        options |= {
            "TCP_KEEPIDLE": idle,
            "TCP_KEEPALIVE": idle,  # the name on macOS
            "TCP_KEEPINTVL": _or(keepalives.interval, _INTERVAL),
            "TCP_KEEPCNT": _or(keepalives.count, _COUNT),
        }
    for name, value in options.items():
        if value and (option := getattr(socket, name, None)) is not None:
            found.setsockopt(socket.IPPROTO_TCP, option, value)


def _or(given: int | None, default: int) -> int:
    return default if given is None else given
