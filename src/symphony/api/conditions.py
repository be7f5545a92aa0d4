"""Conditional requests (RFC 9110, section 13): ETags, If-Match and If-None-Match."""

import re
from collections.abc import Mapping
from typing import Annotated, Protocol

from fastapi import Depends, Header, Request, Response
from starlette.exceptions import HTTPException

from symphony.api.problems.errors import ValidationFailed
from symphony.api.problems.validation_errors import InvalidField
from symphony.domain.preconditions import Precondition

_ANY = "*"
_WEAK = "W/"
ETAGS_FORMAT = "etags"  # the format in the OpenAPI document: `*`, or ETags separated by commas
_ETAG = re.compile(r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"')  # RFC 9110, section 8.8.3


class Tagged(Protocol):
    """A resource with a tag that identifies its state."""

    @property
    def tag(self) -> str: ...


class NotModified(HTTPException):
    """The client already has the current state; the response is a 304."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        super().__init__(304, headers=headers)


def set_etag(response: Response, resource: Tagged) -> None:
    """Set a strong ETag."""
    response.headers["ETag"] = _quoted(resource.tag)


def answer_if_modified(
    request: Request, response: Response, tag: str, *, weak: bool = False
) -> None:
    """Set the ETag of a GET response.

    Raises: NotModified when If-None-Match has the ETag.
    """
    quoted = _quoted(tag)
    etag = _WEAK + quoted if weak else quoted
    known = _tags(request.headers.getlist("if-none-match"), "If-None-Match")
    response.headers["ETag"] = etag
    # The comparison is weak (RFC 9110, section 13.1.2): W/ makes no difference.
    if known is not None and (
        _ANY in known or quoted in {each.removeprefix(_WEAK) for each in known}
    ):
        # A 304 has the headers of the 200 (section 15.4.5) except those that describe a content.
        raise NotModified(
            {
                name: value
                for name, value in response.headers.items()
                if not name.startswith("content-")
            }
        )


async def expected_tags(
    request: Request,
    if_match: Annotated[
        str | None,
        Header(
            alias="If-Match",
            description="Perform the request only if the current ETag is one of these; `*` matches"
            " any. Otherwise the response is a 412.",
            json_schema_extra={"format": ETAGS_FORMAT},
        ),
    ] = None,
) -> frozenset[str] | None:
    """Return the tags of the states in which a write may start; None for any state."""
    known = _tags(request.headers.getlist("if-match"), "If-Match")
    if known is None or _ANY in known:
        return None
    # The comparison is strong (RFC 9110, section 13.1.1): weak ETags never match.
    return frozenset(each[1:-1] for each in known if each.startswith('"'))


ExpectedTags = Annotated[frozenset[str] | None, Depends(expected_tags)]


async def write_precondition(
    request: Request,
    expected: ExpectedTags,
    if_none_match: Annotated[
        str | None,
        Header(
            alias="If-None-Match",
            description="Perform the request only if the current ETag is none of these; `*`"
            " requires that the resource does not exist. Otherwise the response is a 412.",
            json_schema_extra={"format": ETAGS_FORMAT},
        ),
    ] = None,
) -> Precondition:
    """Return the precondition of a PUT, which may create the resource."""
    refused = _tags(request.headers.getlist("if-none-match"), "If-None-Match") or set()
    return Precondition(
        must_not_exist=_ANY in refused,
        must_exist="if-match" in request.headers,
        accepted_tags=expected,
        rejected_tags=frozenset(each.removeprefix(_WEAK)[1:-1] for each in refused - {_ANY}),
    )


WritePrecondition = Annotated[Precondition, Depends(write_precondition)]


def _quoted(tag: str) -> str:
    return f'"{tag}"'


def _tags(lines: list[str], header: str) -> set[str] | None:
    """Return the ETags of all lines of a header; None without the header.

    Raises: ValidationFailed.
    """
    if not lines:
        return None
    text = ",".join(lines)
    if text.strip() == _ANY:
        return {_ANY}
    between = _ETAG.split(text)
    if (
        len(between) == 1
        or any(part.strip(" \t,") for part in between)
        or not all("," in part for part in between[1:-1])
    ):
        detail = 'Must be `*`, or ETags such as "abc" separated by commas.'
        raise ValidationFailed(InvalidField("not-an-etag", detail, parameter=header))
    return set(_ETAG.findall(text))
