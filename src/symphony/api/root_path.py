"""The path prefix under which a reverse proxy publishes the service.

Inside the application, paths have no prefix. `RootPath` removes it from requests and adds it to the
headers of answers; contents that contain a path of the service use `public_path`.
"""

from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_KEY = "root_path"
_SAFE = "/!$&'()*+,;=:@"  # RFC 3986, section 3.3; `quote` keeps letters, digits and `-._~`


def public_path(scope: Scope, path: str) -> str:
    """Return the path by which the client of a request reaches a path of this service."""
    return root_path(scope) + path


def root_path(scope: Scope) -> str:
    """Return the prefix, which has no slash at its end; empty without a prefix."""
    state: dict[str, Any] = scope.get("state", {})
    return state.get(_KEY, "")


def state_below(prefix: str) -> dict[str, Any]:
    """Return the state of a request below a prefix, which is not percent-encoded."""
    return {_KEY: quote(prefix, safe=_SAFE)}


class RootPath:
    """A plain ASGI middleware around all others.

    A request may arrive with the prefix or without it, since some proxies remove it. The prefix of
    the ASGI server (`root_path` in the scope) applies if the settings have none.
    """

    def __init__(self, app: ASGIApp, prefix: str, own_segments: frozenset[str]) -> None:
        self._app = app
        self._prefix = prefix
        self._own_segments = own_segments

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        of_server: str = scope.get("root_path", "").rstrip("/")
        prefix = self._prefix or of_server  # decoded, as the path of the scope
        if scope["type"] != "http" or not prefix:
            await self._app(scope, receive, send)
            return
        inner = {
            **scope,
            "root_path": "",
            "state": {**scope.get("state", {}), **state_below(prefix)},
        }
        encoded = root_path(inner).encode()
        # A server adds its prefix to every path, also to one that arrives with it.
        for each in (of_server, prefix):
            self._remove(each, inner)

        async def send_with_prefix(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [
                    _with_prefix(name, value, encoded) for name, value in message.get("headers", ())
                ]
            await send(message)

        await self._app(inner, receive, send_with_prefix)

    def _remove(self, prefix: str, scope: dict[str, Any]) -> None:
        path: str = scope["path"]
        rest = path.removeprefix(prefix)
        if not prefix or rest == path or rest[:1] not in {"", "/"}:
            return
        # `/api/v1/…` does not begin with the prefix `/api`, but `/api/api/v1/…` does.
        own = self._own_segments
        if _first_segment(prefix) in own and _first_segment(rest) not in {*own, ""}:
            return
        raw: bytes = scope.get("raw_path") or b""
        is_as_sent = raw.startswith(prefix.encode())  # not percent-encoded
        scope["path"] = rest or "/"
        scope["raw_path"] = (raw[len(prefix) :] if is_as_sent else quote(rest).encode()) or b"/"


def own_segments(routes: Iterable[BaseRoute]) -> frozenset[str]:
    """Return the first segment of the path of each route, except of `/`."""
    paths = [route.path for route in routes if isinstance(route, (Route, Mount))]
    return frozenset(map(_first_segment, paths)) - {""}


def _first_segment(path: str) -> str:
    return path.removeprefix("/").partition("/")[0]


def _with_prefix(name: bytes, value: bytes, prefix: bytes) -> tuple[bytes, bytes]:
    if name == b"location" and value.startswith(b"/"):
        return name, prefix + value
    if name == b"link" and value.startswith(b"</"):
        return name, b"<" + prefix + value[1:]
    return name, value
