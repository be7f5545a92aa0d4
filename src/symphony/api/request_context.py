"""Around every request: its id, its line in the log, the headers all answers have, and the 500."""

import re
import time
from collections.abc import Callable

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from symphony.api.problems import internal_error
from symphony.domain.base import new_id

_REQUEST_ID = re.compile(r"[A-Za-z0-9\-_.]{1,128}")
_ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
}
_UNLESS_SET = {
    "Cache-Control": "private, no-cache",  # to be asked again each time; that is what ETags are for
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}
log = structlog.get_logger("symphony.requests")


class RequestContext:
    """A plain ASGI middleware: one that wraps requests in objects of its own costs much more."""

    def __init__(self, app: ASGIApp, count: Callable[[str, str | None, int, float], None]) -> None:
        """`count` is told of each request's method, route, status and seconds."""
        self._app = app
        self._count = count

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get("x-request-id", "")
        request_id = given if _REQUEST_ID.fullmatch(given) else str(new_id())
        scope.setdefault("state", {})["request_id"] = request_id
        status = 0
        method: str = scope["method"]
        if method == "HEAD":
            # HEAD answers as GET does, without the content (RFC 9110, section 9.3.2). The server
            # looks at its own scope again, so that one stays as it is.
            scope = {**scope, "method": "GET"}

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["X-Request-ID"] = request_id
                headers.update(_ALWAYS)
                for name, value in _UNLESS_SET.items():
                    headers.setdefault(name, value)
            elif method == "HEAD":
                message = {**message, "body": b""}
            await send(message)

        begun = time.perf_counter()
        try:
            await self._app(scope, receive, send_with_headers)
        except ClientDisconnect:
            pass  # nobody is there to be answered
        except Exception:
            log.exception("request failed", request_id=request_id)
            if status:
                raise  # too late for another answer: the server has to cut the connection
            await internal_error(Request(scope))(scope, receive, send_with_headers)
        finally:
            seconds = time.perf_counter() - begun
            route: str | None = getattr(scope.get("route"), "path_format", None)
            caller = scope["state"].get("caller")
            self._count(method, route, status, seconds)
            log.info(  # never the path, query, headers or body
                "request",
                method=method,
                request_id=request_id,
                route=route,
                status=status,
                ms=round(seconds * 1000, 2),
                user_id=str(caller.user_id) if caller else None,
            )
