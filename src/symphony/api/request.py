"""Requests whose body and query are read strictly, within limits."""

from collections import Counter
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import ClientDisconnect, Request
from starlette.types import Receive, Scope

from symphony.api.problems.errors import ApiError, ValidationFailed
from symphony.api.problems.validation_errors import InvalidField
from symphony.api.strict_json import parse

JSON = "application/json"
MERGE_PATCH = "application/merge-patch+json"
FORM = "application/x-www-form-urlencoded"
_MAX_FORM_FIELDS = 20


class ApiRequest(Request):
    """A request whose content, document and query are attributes once they have been read."""

    def __init__(self, scope: Scope, receive: Receive) -> None:
        super().__init__(scope, receive)
        self.content = b""
        self.document: Any = None
        self.query: dict[str, str] = {}

    async def read_content(self, limit: int) -> None:
        """Read the body, of at most `limit` bytes.

        Raises: ApiError `payload-too-large`, without reading more than the limit.
        """
        declared = self.headers.get("content-length", "")
        if declared.isdigit() and int(declared[:20]) > limit:
            raise _too_large(limit)
        content, more = bytearray(), True
        while more:
            message = await self.receive()
            if message["type"] == "http.disconnect":
                raise ClientDisconnect
            content += message.get("body", b"")
            if len(content) > limit:
                raise _too_large(limit)
            more = message.get("more_body", False)
        self.content = bytes(content)

    def read_document(self, accepted: tuple[str, ...]) -> None:
        """Parse the body by its media type.

        Raises: ApiError `unsupported-media-type`, `malformed-request` or `validation-error`.
        """
        media_type = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        if media_type not in accepted:
            supported = ", ".join(sorted(accepted))
            raise ApiError("unsupported-media-type", f"Supported media types: {supported}.")
        self.document = _form(self.content) if media_type == FORM else parse(self.content)

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
        names = [name for name, _ in given]
        if not known.issuperset(names):
            listed = ", ".join(f"`{name}`" for name in sorted(known)) or "none"
            detail = f"Unknown parameter; the parameters of this operation are: {listed}."
            raise ValidationFailed(InvalidField("unknown-parameter", detail, parameter="query"))
        _require_unique(names, in_body=False)
        self.query = dict(given)


def _too_large(limit: int) -> ApiError:
    return ApiError("payload-too-large", f"The body must have at most {limit:,} bytes.")


def _form(content: bytes) -> dict[str, str]:
    try:
        fields = parse_qsl(
            content.decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=_MAX_FORM_FIELDS,
        )
    except ValueError:
        raise ApiError("malformed-request", "The body is not a URL-encoded form.") from None
    _require_unique([name for name, _ in fields], in_body=True)
    # A field without a value counts as absent (RFC 6749, section 3.2).
    return {name: value for name, value in fields if value}


def _require_unique(names: list[str], *, in_body: bool) -> None:
    repeated = [name for name, times in Counter(names).items() if times > 1]
    if repeated:
        place = {"pointer": ""} if in_body else {"parameter": repeated[0]}
        detail = "A name occurs twice." if in_body else "Must be given only once."
        raise ValidationFailed(InvalidField("duplicate-field", detail, **place))
