"""The middleware of every request: id, log line, metrics, common headers, HEAD and the 500."""

import asyncio
import re
import time
from collections.abc import Callable

import structlog
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uuid_utils import uuid7

from symphony.api.problems.rendering import internal_error_response, unavailable_response

_REQUEST_ID = re.compile(r"[A-Za-z0-9\-_.]{1,128}")
_DEFAULT_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (b"cache-control", b"private, no-cache"),  # clients revalidate each time; ETags make it cheap
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
)


class RequestContext:
    """A plain ASGI middleware: `BaseHTTPMiddleware` costs several times as much per request."""

    def __init__(self, app: ASGIApp, count: Callable[[str, str | None, int, float], None]) -> None:
        """Pass the method, route, status and seconds of each request to `count`."""
        self._app = app
        self._count = count
        self._log = structlog.get_logger().bind(logger="symphony.requests")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get("x-request-id", "")
        request_id = request_id_of(given)
        scope.setdefault("state", {})["request_id"] = request_id
        status = 0
        method: str = scope["method"]
        if method == "HEAD":
            # HEAD has the response of GET without its content (RFC 9110, section 9.3.2); it has no
            # ranges (section 14.2). A copy, because the server reads its own scope again later.
            headers = [each for each in scope["headers"] if each[0] != b"range"]
            scope = {**scope, "method": "GET", "headers": headers}

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = message.setdefault("headers", [])
                headers.append((b"x-request-id", request_id.encode("ascii")))
                present = {name for name, _ in headers}
                headers += [each for each in _DEFAULT_HEADERS if each[0] not in present]
            elif method == "HEAD":
                message = {**message, "body": b""}
            await send(message)

        started = time.perf_counter()
        try:
            await self._app(scope, receive, send_with_headers)
        except ClientDisconnect:
            pass  # the client cannot receive a response any more
        except asyncio.CancelledError:
            # The service is stopped, and its time for the requests in progress is over.
            if not status:
                await unavailable_response(Request(scope))(scope, receive, send_with_headers)
        except Exception:
            self._log.exception("request failed", request_id=request_id)
            if status:
                raise  # the response has started: the server must close the connection
            await internal_error_response(Request(scope))(scope, receive, send_with_headers)
        finally:
            seconds = time.perf_counter() - started
            route: str | None = getattr(scope.get("route"), "path_format", None)
            caller = scope["state"].get("caller")
            self._log.info(  # never the path, query, headers or body
                "request",
                method=method,
                request_id=request_id,
                route=route,
                status=status,
                ms=round(seconds * 1000, 2),
                user_id=str(caller.user_id) if caller else None,
            )
            self._count(method, route, status, seconds)


def request_id_of(given: str) -> str:
    """Return the request id that the client has sent, or a new one when it is not acceptable."""
    return given if _REQUEST_ID.fullmatch(given) else str(uuid7())
