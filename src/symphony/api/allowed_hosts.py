"""The check of the header Host, against DNS rebinding.

The name of a web page can be made to resolve to the address of this service. For a browser, the
service then has the origin of that page, which may send any request and read the response. But the
browser still sends the page's own name as `Host`.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from symphony.api.problems.errors import ApiError
from symphony.api.problems.rendering import error_response

# RFC 9110, section 7.2, of which a name needs no percent-encoding.
_HOST = re.compile(
    rb"(?:\[(?P<v6>[^\[\]]{1,64})\]|(?P<name>[A-Za-z0-9_-][A-Za-z0-9._-]{0,253}))(?::[0-9]*)?"
)
_MAX_LENGTH = 320  # bytes of the header: a name, a colon and a port
_CACHED = 256
_DETAIL = (
    "The service does not answer for the name in `Host`. Use its IP address or `localhost`, or let"
    " the operator add the name to `SYMPHONY_ALLOWED_HOSTS`."
)


class AllowedHosts:
    """A middleware that accepts IP addresses, `localhost` and the given names as `Host`.

    `*.example.org` accepts all names below `example.org`, at any depth, but not itself. A request
    without `Host` (HTTP/1.0) is accepted: no browser sends one.
    """

    def __init__(self, app: ASGIApp, names: Sequence[str]) -> None:
        self._app = app
        self._names = frozenset(names) | {"localhost"}
        self._suffixes = tuple(name[1:] for name in names if name.startswith("*."))
        self._is_allowed = lru_cache(_CACHED)(self._check)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            for name, value in scope["headers"]:
                if name == b"host" and (len(value) > _MAX_LENGTH or not self._is_allowed(value)):
                    refusal = ApiError("misdirected-request", _DETAIL)
                    await error_response(Request(scope), refusal)(scope, receive, send)
                    return
        await self._app(scope, receive, send)

    def _check(self, value: bytes) -> bool:
        host = _HOST.fullmatch(value.strip())
        if host is None:
            return False
        if host["v6"] is not None:
            return _is_address(host["v6"].decode("latin-1"), IPv6Address)
        name = host["name"].decode("ascii").lower().removesuffix(".")
        return (
            name in self._names or name.endswith(self._suffixes) or _is_address(name, IPv4Address)
        )


def _is_address(text: str, kind: type[IPv4Address | IPv6Address]) -> bool:
    try:
        kind(text)
    except ValueError:
        return False
    return True
