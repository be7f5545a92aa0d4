"""Lists: parameters, opaque cursors, and the link to the next page (RFC 8288)."""

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

from symphony.api.fields import UtcTime
from symphony.api.problems.errors import ApiError
from symphony.api.request import ApiRequest
from symphony.domain.base import Page, PageRequest, Position
from symphony.domain.fields import MAX_NAME
from symphony.domain.json_objects import compact, storable_text

_SEAL_BYTES = 16


class Sort(StrEnum):
    """The order of a list; a leading `-` reverses it."""

    CREATED_AT = "created_at"
    CREATED_AT_DESCENDING = "-created_at"
    UPDATED_AT = "updated_at"
    UPDATED_AT_DESCENDING = "-updated_at"
    NAME = "name"
    NAME_DESCENDING = "-name"


class Cursors:
    """The conversion of positions in a list to opaque strings and back.

    A cursor carries an HMAC over the position and its context: the user, the list, its order and
    filters. A modified cursor, or one from another context, is refused.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key

    def write(self, position: Position, context: str) -> str:
        value = position.value
        is_time = isinstance(value, datetime)
        content = compact(
            [position.id.hex, is_time, value.isoformat() if isinstance(value, datetime) else value]
        ).encode()
        return cursor_text(self._seal(content, context) + content)

    def read(self, cursor: str, context: str) -> Position:
        """Raises: ApiError `invalid-cursor`."""
        raw = cursor_bytes(cursor)
        seal, content = raw[:_SEAL_BYTES], raw[_SEAL_BYTES:]
        if not hmac.compare_digest(seal, self._seal(content, context)):
            raise ApiError("invalid-cursor")
        entity_id, is_time, value = json.loads(content)
        return Position(datetime.fromisoformat(value) if is_time else value, UUID(entity_id))

    def _seal(self, content: bytes, context: str) -> bytes:
        sealed = context.encode("utf-8", "surrogatepass") + b"\0" + content
        return hmac.digest(self._key, sealed, sha256)[:_SEAL_BYTES]


def cursor_text(raw: bytes) -> str:
    """Encode a cursor as base64url without padding (RFC 4648, section 5)."""
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def cursor_bytes(text: str) -> bytes:
    """Return the bytes that `cursor_text` encoded.

    Raises: ApiError `invalid-cursor`, also for another encoding of the same bytes.
    """
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise ApiError("invalid-cursor") from None
    if cursor_text(raw) != text:
        raise ApiError("invalid-cursor")
    return raw


def set_next_link(request: ApiRequest, response: Response, cursor: str) -> None:
    """Set the header Link to the address of the next page."""
    query = urlencode({**request.query, "cursor": cursor})
    path = quote(request.scope["path"])
    response.headers["Link"] = f'<{path}?{query}>; rel="next"'


Limit = Annotated[int, Query(ge=1, le=200, description="The maximum number of items in the page.")]
Cursor = Annotated[
    str | None, Query(description="The `next_cursor` of the previous page.", max_length=16_384)
]


class Listing:
    """The request for one page of a list."""

    def __init__(
        self,
        request: ApiRequest,
        response: Response,
        limit: int,
        cursor: str | None,
        sort: str,
        text: str | None,
        updated_since: datetime | None,
    ) -> None:
        self._request = request
        self._response = response
        self._limit = limit
        self._cursor = cursor
        self._sort = sort
        self._text = text
        self._updated_since = updated_since

    def page(self, **filters: object) -> PageRequest:
        """Return the request for the page; a filter that is None does not apply.

        Raises: ApiError `invalid-cursor`.
        """
        return PageRequest(
            limit=self._limit,
            sort=self._sort.removeprefix("-"),
            descending=self._sort.startswith("-"),
            after=self._cursors.read(self._cursor, self._context)
            if self._cursor is not None
            else None,
            text=self._text,
            updated_since=self._updated_since,
            filters={name: value for name, value in filters.items() if value is not None},
        )

    def next_cursor(self, page: Page[Any]) -> str | None:
        """Return the cursor of the next page, if there is one, and set the header Link."""
        if page.next is None:
            return None
        cursor = self._cursors.write(page.next, self._context)
        set_next_link(self._request, self._response, cursor)
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
        Sort, Query(description="The order; a leading `-` reverses it.")
    ] = Sort.CREATED_AT,
    q: Annotated[
        str | None,
        Query(
            description="Only items whose name contains this text, without regard to case.",
            max_length=MAX_NAME,
        ),
        AfterValidator(lambda text: text and storable_text(text)),
    ] = None,
    updated_since: Annotated[
        UtcTime | None,
        Query(
            description="Only items that were created or updated at this time (RFC 3339) or later.",
            examples=["2027-01-31T12:00:00Z"],
        ),
    ] = None,
) -> Listing:
    return Listing(request, response, limit, cursor, sort, q, updated_since)


Paged = Annotated[Listing, Depends(listing)]
