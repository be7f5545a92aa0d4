"""The middleware that compresses the answers of routes that declare it."""

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from symphony.api.content_codings import Coding, coded_etag, preferred_coding

MIN_BYTES = 1024
"""A content of at most this size is not compressed."""
_MAX_BYTES_ON_EVENT_LOOP = 65_536  # about 0.6 ms with gzip, 0.1 ms with zstd
ACCEPT_ENCODING = "Accept-Encoding"
_ACCEPT = b"accept-encoding"
_compressible: set[Callable[..., Any]] = set()

FunctionT = TypeVar("FunctionT", bound=Callable[..., Any])


def compressible(function: FunctionT) -> FunctionT:
    """Declare that the answers of a route's function may be compressed.

    Only for routes whose answers contain no secret: someone who can cause requests and observe the
    size of the answers guesses a compressed secret byte by byte (the BREACH attack). Without the
    declaration, answers are never compressed.
    """
    _compressible.add(function)
    return function


def is_compressible(scope: Scope) -> bool:
    """Return whether the route of a request has been declared as compressible."""
    return getattr(scope.get("route"), "endpoint", None) in _compressible


class Compression:
    """A plain ASGI middleware; it compresses answers that are sent in one piece."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start: Message | None = None  # held until the content is known
        coding: Coding | None = None

        async def send_compressed(message: Message) -> None:
            nonlocal start, coding
            if message["type"] == "http.response.start":
                if is_compressible(scope):
                    coding = _negotiate(scope, message)
                if coding:
                    start = message
                else:
                    await send(message)
                return
            if coding and start:
                if not message.get("more_body"):
                    message = await _compressed(start, message, coding)
                await send(start)
                start = None
            await send(message)

        await self._app(scope, receive, send_compressed)


def _negotiate(scope: Scope, start: Message) -> Coding | None:
    """Return the coding for an answer; sets Vary if any client would get the answer in a coding.

    It reads the raw headers: every answer pays for it, and `Headers` would cost it several times.
    """
    raw: list[tuple[bytes, bytes]] = start["headers"]
    present = dict(raw)
    is_partial_or_coded = start["status"] == 206 or b"content-encoding" in present
    is_large = int(present.get(b"content-length", 0)) > MIN_BYTES and not is_partial_or_coded
    if not is_large and start["status"] != 304:  # the 200 of a 304 may be large
        return None
    if b"vary" in present:
        MutableHeaders(raw=raw).add_vary_header(ACCEPT_ENCODING)
    else:
        raw.append((b"vary", ACCEPT_ENCODING.encode()))
    accepted = [text.decode("latin-1") for name, text in scope["headers"] if name == _ACCEPT]
    return preferred_coding(accepted) if is_large and accepted else None


async def _compressed(start: Message, message: Message, coding: Coding) -> Message:
    """Return the message with its content compressed; sets the headers of `start` accordingly."""
    content: bytes = message.get("body", b"")
    if len(content) <= _MAX_BYTES_ON_EVENT_LOOP:
        coded = coding.compress(content)
    else:
        coded = await asyncio.to_thread(coding.compress, content)
    headers = MutableHeaders(raw=start["headers"])
    headers["Content-Encoding"] = coding.name
    headers["Content-Length"] = str(len(coded))
    if etag := headers.get("etag"):
        headers["ETag"] = coded_etag(etag, coding)
    return {**message, "body": coded}
