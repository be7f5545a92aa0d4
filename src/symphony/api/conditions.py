"""Conditional requests (RFC 9110, section 13): ETags, If-Match and If-None-Match."""

import re
from collections.abc import Mapping
from typing import Annotated, Protocol

from fastapi import Depends, Header, Request, Response
from starlette.exceptions import HTTPException

from symphony.api.content_codings import coded_etag, preferred_coding, uncoded_etag
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
        """Take the headers of the 200, except those that describe a content (section 15.4.5)."""
        kept = {name: text for name, text in headers.items() if not name.startswith("content-")}
        super().__init__(304, headers=kept)


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
    response.headers["ETag"] = etag
    known = _tags(request.headers.getlist("if-none-match"), "If-None-Match")
    if known is None:
        return
    forms = _known_forms(request, known, quoted)
    if forms and not weak:
        response.headers["ETag"] = forms[0]
    if forms or _ANY in known:
        raise NotModified(response.headers)


def _known_forms(request: Request, known: set[str], etag: str) -> list[str]:
    """Return the ETags that identify the state of `etag`, with and without a content coding.

    That of the answer which the client would get now comes first. The comparison is weak (RFC 9110,
    section 13.1.2): W/ makes no difference.
    """
    strong = {each.removeprefix(_WEAK) for each in known}
    current = coded_etag(etag, preferred_coding(request.headers.getlist("accept-encoding")))
    forms = [each for each in strong if uncoded_etag(each) == etag]
    return sorted(forms, key=lambda form: (form != current, form))


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
    return frozenset(uncoded_etag(each)[1:-1] for each in known if each.startswith('"'))


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
        rejected_tags=frozenset(
            uncoded_etag(each).removeprefix(_WEAK)[1:-1] for each in refused - {_ANY}
        ),
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
