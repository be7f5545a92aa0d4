"""The address of a PostgreSQL database: where it is, and how to connect to it."""

import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self, TypeAlias
from urllib.parse import urlencode


class DatabaseUrlError(ValueError):
    """A URL that names no usable database; the message does not repeat the URL."""


Places: TypeAlias = tuple[tuple[str, int], ...]
"""Hosts with their ports."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Keepalives:
    """TCP keepalives of connections, by libpq's names.

    None is the default of `availability/keepalive.py`, 0 that of the system.
    """

    enabled: bool = True
    idle: int | None = None
    """Seconds without traffic before the first probe."""
    interval: int | None = None
    """Seconds between two probes."""
    count: int | None = None
    """The number of unanswered probes after which a connection is lost."""
    user_timeout: int | None = None
    """Milliseconds that sent data may stay unacknowledged (`tcp_user_timeout`); Linux only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresqlAddress:
    """A database and how to connect to it: a URL, a service and libpq's variables in one."""

    hosts: tuple[str, ...]
    """Names, addresses, or directories of Unix sockets; empty for the driver's defaults."""
    ports: tuple[int, ...]
    user: str
    database: str
    find_password: Callable[[Places], str | None] = field(repr=False)
    """Finds the password for hosts, for each connection: a password file may change."""
    tls: Mapping[str, str] = field(repr=False)
    """libpq's `ssl…` parameters."""
    tls_context: ssl.SSLContext | None = None
    """Replaces `sslmode` and the files of `tls`."""
    target_session_attrs: str = "any"
    kerberos: Mapping[str, str] = field(default_factory=dict[str, str])
    server_settings: Mapping[str, str] = field(default_factory=dict[str, str])
    """Settings of the session, such as `application_name` and `options`."""
    set_by_options: frozenset[str] = frozenset()
    """The settings that `options` changes, in lower case."""
    connect_timeout: float | None = None
    """Seconds; 0 waits without a limit, None leaves the choice to the engine."""
    keepalives: Keepalives = Keepalives()
    is_pooled: bool = False
    """Whether a pooler gives each transaction another session."""

    def __str__(self) -> str:
        """Return the host and port, or the socket's directory, for messages."""
        if not self.hosts:
            return "the default address"
        return " or ".join(map(_place, self._places))

    @property
    def authority(self) -> str:
        """The hosts and ports, in the form of a URL."""
        return ",".join(map(_place, self._places))

    @property
    def has_several_hosts(self) -> bool:
        return len(self.hosts) > 1

    def of_each_host(self, target_session_attrs: str) -> tuple[Self, ...]:
        """Return an address for each of the hosts, in their order."""
        return tuple(
            replace(self, hosts=(host,), ports=(port,), target_session_attrs=target_session_attrs)
            for host, port in self._places
        )

    def password(self) -> str | None:
        return self.find_password(self._places)

    @property
    def requires_tls(self) -> bool:
        return self.tls_context is not None or self.tls.get("sslmode", "") in {
            "require",
            "verify-ca",
            "verify-full",
        }

    @property
    def _places(self) -> Places:
        return tuple(zip(self.hosts or ("localhost",), self.ports, strict=True))

    def arguments(self) -> dict[str, Any]:
        """Return the arguments of `asyncpg.connect`, apart from timeouts and server settings.

        The driver takes the parameters of TLS from a URL only.
        """
        files = {name: value for name, value in self.tls.items() if name != "sslmode"}
        arguments: dict[str, Any] = {
            "dsn": f"postgresql://?{urlencode(files)}" if files else None,
            "host": list(self.hosts) or None,
            "port": list(self.ports) if self.hosts else self.ports[0],
            "user": self.user,
            "password": self.password,
            "database": self.database,
            "ssl": self.tls_context or self.tls.get("sslmode"),
            "target_session_attrs": self.target_session_attrs,
            **self.kerberos,
        }
        return arguments


def _place(pair: tuple[str, int]) -> str:
    host, port = pair
    if host.startswith("/"):
        return f"the socket {host}/.s.PGSQL.{port}"
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
