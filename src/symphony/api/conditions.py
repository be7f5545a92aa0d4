"""Conditional requests (RFC 9110, section 13): a state's ETag, If-Match and If-None-Match."""

import re
from collections.abc import Mapping
from typing import Annotated, Protocol

from fastapi import Depends, Header, Request, Response

from symphony.api.problems.catalogue import ApiError
from symphony.api.problems.validation_errors import InvalidPart
from symphony.domain.preconditions import Precondition

_ANY = "*"
_WEAK = "W/"
ETAGS_FORMAT = "etags"  # what the OpenAPI document calls it: `*`, or ETags with commas between
_ETAG = re.compile(r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"')  # RFC 9110, section 8.8.3


class Tagged(Protocol):
    """What has a tag for its state."""

    @property
    def tag(self) -> str: ...


class NotModified(Exception):
    """The caller has this state already."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        super().__init__()
        self.headers = headers


def set_etag(response: Response, shown: Tagged) -> None:
    """Strong, and opaque to clients."""
    response.headers["ETag"] = _quoted(shown.tag)


def answer_if_modified(
    request: Request, response: Response, tag: str, *, weak: bool = False
) -> None:
    """Sets the ETag of what a GET answers. Raises: NotModified when the caller has it."""
    quoted = _quoted(tag)
    etag = _WEAK + quoted if weak else quoted
    known = _tags(request.headers.getlist("if-none-match"), "If-None-Match")
    response.headers["ETag"] = etag
    # The comparison is a weak one (RFC 9110, section 13.1.2): W/ makes no difference here.
    if known is not None and (
        _ANY in known or quoted in {each.removeprefix(_WEAK) for each in known}
    ):
        # With the headers of the 200 that it stands for (section 15.4.5), of which none is about
        # a content yet.
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
            description="Only when the present state has one of these ETags, or `*`.",
            json_schema_extra={"format": ETAGS_FORMAT},
        ),
    ] = None,
) -> frozenset[str] | None:
    """The states of which a change may start; None for any."""
    known = _tags(request.headers.getlist("if-match"), "If-Match")
    if known is None or _ANY in known:
        return None
    # The comparison is a strong one (RFC 9110, section 13.1.1): weak ETags never match.
    return frozenset(each[1:-1] for each in known if each.startswith('"'))


ExpectedTags = Annotated[frozenset[str] | None, Depends(expected_tags)]


async def write_precondition(
    request: Request,
    expected: ExpectedTags,
    if_none_match: Annotated[
        str | None,
        Header(
            alias="If-None-Match",
            description="Only when the present state has none of these ETags; `*`: only when there"
            " is nothing yet.",
            json_schema_extra={"format": ETAGS_FORMAT},
        ),
    ] = None,
) -> Precondition:
    """The precondition of a PUT, which may create what it names."""
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
    """The entity tags of a header that may stand several times; None without it."""
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
        part = InvalidPart(
            "not-an-etag", 'ETags such as "abc" with commas between, or *.', parameter=header
        )
        raise ApiError("validation-error", errors=[part])
    return set(_ETAG.findall(text))
