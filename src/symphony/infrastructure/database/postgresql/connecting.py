"""Opening a connection to PostgreSQL, or saying in one line why it cannot be opened."""

import os
import re
import socket
import ssl
from collections.abc import Mapping
from typing import Any

import asyncpg
from asyncpg.exceptions import TargetServerAttributeNotMatched

from symphony.infrastructure.database.postgresql.address import (
    DatabaseUrlError,
    PostgresqlAddress,
)
from symphony.infrastructure.database.postgresql.pooler import NEEDS_SETTING, POOLED_CONNECTION

_MAX_MESSAGE = 300
_INVALID_PASSWORD = "28P01"  # noqa: S105 - a code
_INVALID_AUTHORIZATION = "28000"
_UNKNOWN_DATABASE = "3D000"
_PROTOCOL_VIOLATION = "08P01"
_CODE = re.compile(r"\[Errno (\d+)\]")


class CannotConnect(ConnectionError):
    """A connection cannot be opened. The message is for the operator, not for clients."""


async def open_connection(
    address: PostgresqlAddress, settings: Mapping[str, str], time_limit: float
) -> "asyncpg.Connection[Any]":
    """Open a connection; the address takes precedence over `settings` and `time_limit`.

    Raises: CannotConnect, DatabaseUrlError.
    """
    given = address.connect_timeout
    arguments: dict[str, Any] = {
        **address.arguments(),
        **(POOLED_CONNECTION if address.is_pooled else {}),
        "timeout": time_limit if given is None else given or None,
        # The server applies these after `options`, and would so ignore what the address says.
        "server_settings": {
            **{name: each for name, each in settings.items() if name not in address.set_by_options},
            **address.server_settings,
        },
    }
    try:
        return await asyncpg.connect(**arguments)
    except asyncpg.ClientConfigurationError as error:
        raise DatabaseUrlError(one_line(str(error))) from None
    except (
        OSError,
        UnicodeError,  # a host with a label that is empty or too long
        asyncpg.PostgresError,  # the server answers, but refuses the connection
        asyncpg.InterfaceError,
        asyncpg.InternalClientError,
    ) as error:
        raise CannotConnect(one_line(_reason(error, address))) from error


def one_line(text: str) -> str:
    """Return a text without line breaks and other control characters, and not too long."""
    words = "".join(each if each.isprintable() else " " for each in text).split()
    line = " ".join(words)
    return line if len(line) <= _MAX_MESSAGE else f"{line[:_MAX_MESSAGE]}…"


def _reason(error: Exception, address: PostgresqlAddress) -> str:
    if isinstance(error, asyncpg.PostgresError):
        return f"PostgreSQL at {address} refuses the connection: {_answer(error, address)}"
    if isinstance(error, TimeoutError):
        reason = "no answer in time"
    elif isinstance(error, socket.gaierror | UnicodeError):
        reason = "the host is unknown"
    elif isinstance(error, ssl.SSLCertVerificationError):
        reason = f"the server's certificate is refused: {error.verify_message}"
    elif isinstance(error, ssl.SSLError):
        reason = f"TLS failed: {error.reason or error}"
    elif type(error) is ConnectionError and address.requires_tls:
        # The driver's own error for a server that answers the request for TLS with no.
        reason = f"the server offers no TLS, which sslmode requires ({error})"
    elif isinstance(error, OSError):
        # For several addresses of a host, asyncio puts all errors into one text.
        code = error.errno or next(map(int, _CODE.findall(str(error))), None)
        reason = str(error) if code is None else os.strerror(code)
    elif isinstance(error, TargetServerAttributeNotMatched):
        reason = f"it is not what target_session_attrs={address.target_session_attrs} requires"
    else:
        reason = str(error)
    reason = reason or "the connection was closed"
    return f"PostgreSQL cannot be reached at {address}: {reason}"


def _answer(error: asyncpg.PostgresError, address: PostgresqlAddress) -> str:
    user = f'"{address.user}"'
    message = error.args[0]  # without the detail and the hint
    said = f"({error.sqlstate}: {message})"
    if error.sqlstate == _INVALID_PASSWORD:
        if not address.password():
            return f"it needs a password for the user {user}, and none is given {said}"
        return f"the password of the user {user} is wrong, or there is no such user {said}"
    if error.sqlstate == _INVALID_AUTHORIZATION:
        return f"the user {user} may not connect {said}"
    if error.sqlstate == _UNKNOWN_DATABASE:
        return f'there is no database "{address.database}" {said}'
    # PostgreSQL itself does not say this. Poolers do, of a setting that they do not pass on.
    hint = f"; {NEEDS_SETTING}" if error.sqlstate == _PROTOCOL_VIOLATION else ""
    return f"{message} ({error.sqlstate}){'' if address.is_pooled else hint}"
