"""Lists: their parameters, their opaque cursors, and the link to the next page (RFC 8288)."""

import base64
import binascii
import hmac
import json
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Annotated, Any
from urllib.parse import quote, urlencode
from uuid import UUID

from fastapi import Depends, Query, Response
from pydantic import AfterValidator

from symphony.api.problems.catalogue import ApiError
from symphony.api.request import ApiRequest
from symphony.domain.base import Page, PageRequest, Position
from symphony.domain.fields import MAX_NAME
from symphony.domain.json_objects import compact, storable_text

_SEAL_BYTES = 16


class Sort(StrEnum):
    """By what a list is ordered; `-` in front: descending."""

    CREATED_AT = "created_at"
    CREATED_AT_DESCENDING = "-created_at"
    UPDATED_AT = "updated_at"
    UPDATED_AT_DESCENDING = "-updated_at"
    NAME = "name"
    NAME_DESCENDING = "-name"


class Cursors:
    """Writes positions as opaque strings, and reads only its own.

    A cursor is sealed (HMAC) together with the list, order and filters that it belongs to: with
    any others, or altered, it is refused.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key

    def write(self, position: Position, context: str) -> str:
        value = position.value
        moment = isinstance(value, datetime)
        content = compact(
            [position.id.hex, moment, value.isoformat() if isinstance(value, datetime) else value]
        ).encode()
        return cursor_text(self._seal(content, context) + content)

    def read(self, cursor: str, context: str) -> Position:
        """Raises: ApiError `invalid-cursor`."""
        raw = cursor_bytes(cursor)
        seal, content = raw[:_SEAL_BYTES], raw[_SEAL_BYTES:]
        if not hmac.compare_digest(seal, self._seal(content, context)):
            raise ApiError("invalid-cursor")
        entity_id, moment, value = json.loads(content)
        return Position(datetime.fromisoformat(value) if moment else value, UUID(entity_id))

    def _seal(self, content: bytes, context: str) -> bytes:
        sealed = context.encode("utf-8", "surrogatepass") + b"\0" + content
        return hmac.digest(self._key, sealed, sha256)[:_SEAL_BYTES]


def cursor_text(raw: bytes) -> str:
    """base64url without padding (RFC 4648, section 5)."""
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def cursor_bytes(text: str) -> bytes:
    """What `cursor_text` has written; another text for the same bytes is refused.

    Raises: ApiError `invalid-cursor`.
    """
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise ApiError("invalid-cursor") from None
    if cursor_text(raw) != text:
        raise ApiError("invalid-cursor")
    return raw


def link_to_next(request: ApiRequest, response: Response, cursor: str) -> None:
    """The next page's address, in the header Link."""
    query = urlencode({**request.query, "cursor": cursor})
    path = quote(request.scope["path"])
    response.headers["Link"] = f'<{path}?{query}>; rel="next"'


Limit = Annotated[int, Query(ge=1, le=200, description="How many at most.")]
Cursor = Annotated[
    str | None, Query(description="`next_cursor` of the page before.", max_length=16_384)
]


class Listing:
    """One request for a page of a list."""

    def __init__(
        self,
        request: ApiRequest,
        response: Response,
        limit: int,
        cursor: str | None,
        sort: str,
        text: str | None,
    ) -> None:
        self._request = request
        self._response = response
        self._limit = limit
        self._cursor = cursor
        self._sort = sort
        self._text = text

    def page(self, **filters: object) -> PageRequest:
        """What is asked for; filters that are None do not filter. Raises: ApiError."""
        return PageRequest(
            limit=self._limit,
            sort=self._sort.removeprefix("-"),
            descending=self._sort.startswith("-"),
            after=self._cursors.read(self._cursor, self._context)
            if self._cursor is not None
            else None,
            text=self._text,
            filters={name: value for name, value in filters.items() if value is not None},
        )

    def next_cursor(self, page: Page[Any]) -> str | None:
        """The cursor of the next page, which the answer's Link header leads to as well."""
        if page.next is None:
            return None
        cursor = self._cursors.write(page.next, self._context)
        link_to_next(self._request, self._response, cursor)
        return cursor

    @property
    def _cursors(self) -> Cursors:
        return self._request.app.state.cursors

    @property
    def _context(self) -> str:
        given = self._request.query.items()
        fixed = {name: value for name, value in given if name not in {"cursor", "limit"}}
        caller = self._request.state.caller.user_id
        return compact([str(caller), self._request.scope["path"], *sorted(fixed.items())])


async def listing(
    request: ApiRequest,
    response: Response,
    limit: Limit = 50,
    cursor: Cursor = None,
    sort: Annotated[
        Sort, Query(description="The order; `-` in front: descending.")
    ] = Sort.CREATED_AT,
    q: Annotated[
        str | None,
        Query(
            description="A part of the name, without regard to case.",
            max_length=MAX_NAME,
        ),
        AfterValidator(lambda text: text and storable_text(text)),
    ] = None,
) -> Listing:
    return Listing(request, response, limit, cursor, sort, q)


Paged = Annotated[Listing, Depends(listing)]
