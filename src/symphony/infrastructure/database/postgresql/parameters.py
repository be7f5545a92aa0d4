"""libpq's connection parameters, and what each may be.

A parameter comes from the URL, from a service or from libpq's environment variable, in this order.
Each one of PostgreSQL 17 either has its effect or is refused by name; none is ignored.

Source: PostgreSQL's manual, "Parameter Key Words" and "Environment Variables" of libpq.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from symphony.infrastructure.database.postgresql.address import DatabaseUrlError

_NO_OTHER = "; Symphony supports no other value"
_TLS_VERSIONS = ("TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3")
_MAX_NUMBER = 2**31 - 1
_MAX_PORT = 65535


@dataclass(frozen=True, slots=True)
class Parameter:
    """What a parameter may be: one of `choices`, a number up to `maximum`, or any text.

    With `refused`, it may not be given at all; the text says what to do instead.
    """

    variable: str | None = None
    """libpq's environment variable."""
    choices: tuple[str, ...] = ()
    maximum: int | None = None
    minimum: int = 0
    note: str = ""
    """What else an error says."""
    refused: str | None = None

    def check(self, name: str, value: str) -> None:
        """Raises: DatabaseUrlError; the message never contains the value."""
        if self.refused is not None:
            raise DatabaseUrlError(f"{name} is not supported; {self.refused}")
        if self.choices and value not in self.choices:
            allowed = " or ".join((", ".join(self.choices[:-1]), self.choices[-1]))
            raise DatabaseUrlError(f"{name} must be {allowed.removeprefix(' or ')}{self.note}")
        if self.maximum is not None:
            is_number = value.isascii() and value.isdigit()
            if not (is_number and self.minimum <= int(value[:20]) <= self.maximum):
                raise DatabaseUrlError(
                    f"{name} must be an integer from {self.minimum} to {self.maximum}"
                )


def _only(variable: str | None, *choices: str) -> Parameter:
    return Parameter(variable, choices, note=_NO_OTHER)


PARAMETERS: Mapping[str, Parameter] = {
    "host": Parameter("PGHOST"),
    "hostaddr": Parameter("PGHOSTADDR", refused="put the address into host"),
    "port": Parameter("PGPORT"),
    "dbname": Parameter("PGDATABASE"),
    "user": Parameter("PGUSER"),
    "password": Parameter("PGPASSWORD"),
    "passfile": Parameter("PGPASSFILE"),
    "require_auth": Parameter(
        "PGREQUIREAUTH", refused="require sslmode=verify-full to authenticate the server"
    ),
    "channel_binding": _only("PGCHANNELBINDING", "disable", "prefer"),
    "connect_timeout": Parameter("PGCONNECT_TIMEOUT", maximum=_MAX_NUMBER),
    "client_encoding": _only("PGCLIENTENCODING", "UTF8", "utf8", "UTF-8", "utf-8", "auto"),
    "options": Parameter("PGOPTIONS"),
    "application_name": Parameter("PGAPPNAME"),
    "fallback_application_name": Parameter(),
    "keepalives": Parameter(choices=("0", "1")),
    "keepalives_idle": Parameter(maximum=_MAX_NUMBER),
    "keepalives_interval": Parameter(maximum=_MAX_NUMBER),
    "keepalives_count": Parameter(maximum=_MAX_NUMBER),
    "tcp_user_timeout": Parameter(maximum=_MAX_NUMBER),
    "replication": _only(None, "false", "off", "no", "0"),
    "gssencmode": _only("PGGSSENCMODE", "disable", "prefer"),
    "sslmode": Parameter(
        "PGSSLMODE", ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
    ),
    "requiressl": Parameter("PGREQUIRESSL", refused="use sslmode=require"),
    "sslnegotiation": Parameter("PGSSLNEGOTIATION", ("postgres", "direct")),
    "sslcompression": _only("PGSSLCOMPRESSION", "0"),
    "sslcert": Parameter("PGSSLCERT"),
    "sslkey": Parameter("PGSSLKEY"),
    "sslkeylogfile": Parameter(refused="a log of TLS keys exposes every connection"),
    "sslpassword": Parameter(),
    "sslcertmode": _only("PGSSLCERTMODE", "allow"),
    "sslrootcert": Parameter("PGSSLROOTCERT"),
    "sslcrl": Parameter("PGSSLCRL"),
    "sslcrldir": Parameter("PGSSLCRLDIR", refused="use sslcrl, which is one file"),
    "sslsni": _only("PGSSLSNI", "1"),
    "requirepeer": Parameter("PGREQUIREPEER", refused="protect the socket's directory instead"),
    "ssl_min_protocol_version": Parameter("PGSSLMINPROTOCOLVERSION", _TLS_VERSIONS),
    "ssl_max_protocol_version": Parameter("PGSSLMAXPROTOCOLVERSION", _TLS_VERSIONS),
    "krbsrvname": Parameter("PGKRBSRVNAME"),
    "gsslib": _only("PGGSSLIB", "gssapi"),
    "gssdelegation": _only("PGGSSDELEGATION", "0"),
    "service": Parameter("PGSERVICE"),
    "target_session_attrs": Parameter(
        "PGTARGETSESSIONATTRS",
        ("any", "read-write", "read-only", "primary", "standby", "prefer-standby"),
    ),
    "load_balance_hosts": _only("PGLOADBALANCEHOSTS", "disable"),
}


def check_parameters(given: Mapping[str, str], sources: Mapping[str, str]) -> None:
    """Check the name and value of each parameter; `sources` has how a message names it.

    Raises: DatabaseUrlError.
    """
    for name, value in given.items():
        parameter = PARAMETERS.get(name)
        if parameter is None:
            # What follows an unescaped ? in a password is no name.
            shown = f" {name}" if name.isidentifier() and name.isascii() else ""
            raise DatabaseUrlError(
                f"the parameter{shown} is unknown; libpq's are allowed, and settings of the server"
                " belong in options, such as options=-c%20work_mem%3D8MB"
            )
        parameter.check(sources.get(name, name), value)


def parse_ports(value: str, name: str = "port") -> tuple[int, ...]:
    """Return the ports of a list separated by commas. Raises: DatabaseUrlError."""
    port = Parameter(maximum=_MAX_PORT, minimum=1)
    for each in value.split(","):
        port.check(name, each)
    return tuple(map(int, value.split(",")))
