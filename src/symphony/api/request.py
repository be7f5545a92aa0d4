"""Requests whose body and query are read strictly, within limits."""

import asyncio
from collections import Counter
from collections.abc import Coroutine
from typing import Any, TypeVar
from urllib.parse import parse_qsl

from starlette.requests import ClientDisconnect, Request
from starlette.types import Receive, Scope

from symphony.api.bodies.strict_json import Parser
from symphony.api.content_codings import GzipContent, is_coded, is_gzip
from symphony.api.problems.errors import MAX_ERRORS, ApiError, ValidationFailed
from symphony.api.problems.validation_errors import (
    InvalidField,
    is_plain_name,
    json_pointer,
)

ResultT = TypeVar("ResultT")

JSON = "application/json"
MERGE_PATCH = "application/merge-patch+json"
FORM = "application/x-www-form-urlencoded"
_MAX_FORM_FIELDS = 20
_LARGE = 131_072  # bytes of JSON, whose parsing and validation take up to 10 ms
_GIVEN_TWICE = "Must be given only once."


class ApiRequest(Request):
    """A request whose content, document and query are attributes once they have been read."""

    def __init__(self, scope: Scope, receive: Receive) -> None:
        super().__init__(scope, receive)
        self.content = b""
        self.document: Any = None
        self.query: dict[str, str] = {}
        self._accepted_encoding = "identity"
        self._compressed: GzipContent | None = None

    async def read_content(self, limit: int, *, accepts_gzip: bool = False) -> None:
        """Read the body, of at most `limit` bytes, and as many when it is decompressed.

        With `accepts_gzip`, it is decompressed as it arrives. `read_document` raises when that is
        not possible, or when the encoding is not supported.

        Raises: ApiError `payload-too-large`, without reading or decompressing more than the limit.
        """
        if accepts_gzip:
            self._accepted_encoding = "gzip"
            if is_gzip(self._content_encoding):
                self._compressed = GzipContent(limit)
        declared = self.headers.get("content-length", "")
        if declared.isdigit() and int(declared[:20]) > limit:
            raise _too_large(limit)
        content, more = bytearray(), True
        while more:
            message = await self.receive()
            if message["type"] == "http.disconnect":
                raise ClientDisconnect
            piece = message.get("body", b"")
            content += piece
            if self._compressed:
                self._compressed.add(piece)
            if len(content) > limit or (self._compressed and len(self._compressed.content) > limit):
                raise _too_large(limit)
            more = message.get("more_body", False)
        self.content = bytes(content)

    async def while_connected(self, work: Coroutine[Any, Any, ResultT]) -> ResultT:
        """Run work until it is complete, or cancel it when the client disconnects.

        A client that only closes its sending half waits for the answer (RFC 9112, section 9.6). A
        closed connection is the same until the server sends something, so only a reset is noticed.

        Raises: ClientDisconnect, and what the work raises.
        """
        working = asyncio.ensure_future(work)
        listening = asyncio.ensure_future(self.receive())  # the body was read: only the end is left
        try:
            await asyncio.wait((working, listening), return_when=asyncio.FIRST_COMPLETED)
            if not working.done():
                raise ClientDisconnect
            return working.result()
        finally:
            working.cancel()
            listening.cancel()
            await asyncio.gather(working, listening, return_exceptions=True)

    @property
    def is_large(self) -> bool:
        """Whether the body takes long to parse and validate, so that a thread does it."""
        compressed = self._compressed
        return len(compressed.content if compressed else self.content) > _LARGE

    def read_document(self, accepted: tuple[str, ...], parser: Parser) -> None:
        """Parse the body by its media type; JSON by this parser.

        Raises: ApiError `unsupported-media-type`, `malformed-request` or `validation-error`.
        """
        media_type = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        if media_type not in accepted:
            supported = ", ".join(sorted(accepted))
            # RFC 5789, section 2.2
            headers = {"Accept-Patch": ", ".join(accepted)} if self.method == "PATCH" else None
            detail = f"Supported media types: {supported}."
            raise ApiError("unsupported-media-type", detail, headers=headers)
        content = self._decompressed() if is_coded(self._content_encoding) else self.content
        self.document = _form(content) if media_type == FORM else parser(content)

    @property
    def _content_encoding(self) -> str:
        return self.headers.get("content-encoding", "")

    def _decompressed(self) -> bytes:
        if self._compressed is None:
            accepted = self._accepted_encoding
            raise ApiError(
                "unsupported-media-type",
                f"Supported content encodings: {accepted}.",
                headers={"Accept-Encoding": accepted},  # RFC 7694, section 3
            )
        if not self._compressed.is_complete:
            raise ApiError("malformed-request", "The body is not one complete member of gzip.")
        return bytes(self._compressed.content)

    def read_query(self, known: frozenset[str]) -> None:
        """Parse the query; unknown and repeated parameters are errors, so typos are noticed.

        Raises: ApiError `validation-error`.
        """
        raw: bytes = self.scope["query_string"]
        if not raw:
            return
        try:
            given = parse_qsl(raw.decode("ascii"), keep_blank_values=True, errors="strict")
        except ValueError:
            detail = "Must be percent-encoded UTF-8."
            raise ValidationFailed(InvalidField("not-utf-8", detail, parameter="query")) from None
        names = Counter(name for name, _ in given)
        unknown = [name for name in names if name not in known]
        if unknown:
            listed = ", ".join(f"`{name}`" for name in sorted(known)) or "none"
            detail = f"Unknown parameter; the parameters of this operation are: {listed}."
            raise _failed("unknown-parameter", detail, unknown)
        if len(names) < len(given):
            repeated = [name for name, times in names.items() if times > 1]
            raise _failed("duplicate-field", _GIVEN_TWICE, repeated)
        self.query = dict(given)


def _failed(code: str, detail: str, parameters: list[str]) -> ValidationFailed:
    """Return the error for query parameters; a name that could be content is not repeated."""
    first, more = parameters[:MAX_ERRORS], len(parameters[MAX_ERRORS:])
    names = [name if is_plain_name(name) else "query" for name in first]
    errors = [InvalidField(code, detail, parameter=name) for name in names]
    return ValidationFailed(*errors, more=more)


def _too_large(limit: int) -> ApiError:
    return ApiError("payload-too-large", f"The body must have at most {limit:,} bytes.")


def _form(content: bytes) -> dict[str, str]:
    if content.count(b"&") >= _MAX_FORM_FIELDS:
        detail = f"The form must have at most {_MAX_FORM_FIELDS} fields."
        raise ApiError("malformed-request", detail)
    try:
        fields = parse_qsl(content.decode("ascii"), keep_blank_values=True, errors="strict")
    except ValueError:
        raise ApiError("malformed-request", "The body is not a URL-encoded form.") from None
    names = Counter(name for name, _ in fields)
    if len(names) < len(fields):
        raise ValidationFailed(
            *(
                InvalidField("duplicate-field", _GIVEN_TWICE, pointer=json_pointer([name]))
                for name, times in names.items()
                if times > 1
            )
        )
    # A field without a value counts as absent (RFC 6749, section 3.2).
    return {name: value for name, value in fields if value}
