"""TCP settings that find a connection of which the other end is silently gone.

A firewall or a NAT forgets idle connections, and a host can lose its network: then no packet says
that the connection is closed, and without these settings Linux retries for about 15 minutes.
"""

import socket
from dataclasses import dataclass
from typing import Any

import asyncpg


@dataclass(frozen=True, slots=True, kw_only=True)
class Keepalive:
    """When the kernel gives up a connection; times are in seconds. The names are libpq's."""

    keepalives: bool = True
    keepalives_idle: int = 10
    """The time without traffic after which the other end is probed."""
    keepalives_interval: int = 3
    keepalives_count: int = 3
    """The number of probes without an answer after which the connection is lost."""
    tcp_user_timeout: float = 5.0
    """The time in which sent data must be acknowledged; Linux only. The kernel of the other end
    acknowledges also while its database is busy, so this may be shorter than a statement."""


def keep_alive(connection: "asyncpg.Connection[Any]", keepalive: Keepalive) -> None:
    """Set the options of the connection's socket, where the system has them.

    asyncpg has no public way to the socket (`docs/decisions/dependencies.md`).
    """
    transport = connection._transport  # noqa: SLF001  # pyright: ignore
    found: Any = transport.get_extra_info("socket")  # pyright: ignore
    if found is None or found.family not in {socket.AF_INET, socket.AF_INET6}:
        return
    found.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, int(keepalive.keepalives))
    options = {
        "TCP_KEEPIDLE": keepalive.keepalives_idle,
        "TCP_KEEPALIVE": keepalive.keepalives_idle,  # macOS's name of TCP_KEEPIDLE
        "TCP_KEEPINTVL": keepalive.keepalives_interval,
        "TCP_KEEPCNT": keepalive.keepalives_count,
        "TCP_USER_TIMEOUT": round(keepalive.tcp_user_timeout * 1000),
    }
    for name, value in options.items():
        if value and (option := getattr(socket, name, None)) is not None:
            found.setsockopt(socket.IPPROTO_TCP, option, value)
