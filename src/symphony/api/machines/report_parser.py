"""A parser of reports that parses no checkout whose text was valid before, as most are.

A machine reports all of its checkouts every few minutes, and few of them have changed.
"""

import re
from collections.abc import Iterator
from functools import partial
from typing import Any, cast

import orjson

from symphony.api.bodies.strict_json import parse, parse_compact
from symphony.api.machines.received import SentCheckout, known_digest, read_checkout, text_key
from symphony.domain.errors import RuleBroken
from symphony.domain.machines.checkouts import MAX_CHECKOUTS, ReceivedCheckout
from symphony.domain.timestamps import parse_timestamp

# How a checkout begins in compact JSON, with its path. A worktree has a path, but no remotes.
# Possessive: a long text takes no memory for steps back.
_BEGINNING = re.compile(rb'\{"path":("(?:[^"\\]++|\\.)*+"),"remotes":\[')
_HEAD_ENDS, _BODY_ENDS = b'"checkouts":[', b"]}"
_TIME_FOLLOWS = b'"status":{"observed_at":"'


def parse_report(body: bytes) -> Any:
    """Parse a report. Of its checkouts, one whose text was valid is a `ReceivedCheckout`, and all
    others are objects.

    Raises: as `strict_json.parse`.
    """
    document = _parsed_in_parts(body)
    return parse(body) if document is None else document


def _parsed_in_parts(body: bytes) -> Any | None:
    """Parse a report in the form that `symphony report` sends; None if it has another form.

    The parts need not be where checkouts begin and end: each is known, or one JSON object by
    itself, and together with the commas between them they are the whole list of checkouts.
    """
    beginnings = list(_BEGINNING.finditer(body))
    if not 0 < len(beginnings) <= MAX_CHECKOUTS or not body.endswith(_BODY_ENDS):
        return None
    head = body[: beginnings[0].start()]
    document = parse_compact(head + _BODY_ENDS) if head.endswith(_HEAD_ENDS) else None
    if not isinstance(document, dict):
        return None
    report = cast("dict[str, Any]", document)
    if next(reversed(report)) != "checkouts":  # a name may end like this one
        return None
    for checkout in _checkouts(body, beginnings):
        if checkout is None:
            return None
        report["checkouts"].append(checkout)
    return report


def _checkouts(
    body: bytes, beginnings: list[re.Match[bytes]]
) -> Iterator[ReceivedCheckout | SentCheckout | None]:
    """Yield each checkout; None for a part that is none, or not followed by a comma."""
    following = [each.start() for each in beginnings[1:]]
    for beginning, end in zip(beginnings, following, strict=False):
        is_separated = body[end - 1 : end] == b","
        yield _checkout(body[beginning.start() : end - 1], beginning[1]) if is_separated else None
    last = beginnings[-1]
    yield _checkout(body[last.start() : -len(_BODY_ENDS)], last[1])


def _checkout(text: bytes, path: bytes) -> ReceivedCheckout | SentCheckout | None:
    # In a valid checkout only its status is at this name, and texts have no quote that is not
    # escaped: what follows is the time.
    begins = text.find(_TIME_FOLLOWS) + len(_TIME_FOLLOWS)
    if begins < len(_TIME_FOLLOWS):
        return None
    ends = text.find(b'"', begins)
    key = text_key(text[:begins], text[ends:])
    digest = known_digest(key)
    if digest is not None:
        try:
            observed_at = parse_timestamp(text[begins:ends].decode())
        except (UnicodeDecodeError, RuleBroken):
            pass  # the validation says what is wrong
        else:
            read = partial(read_checkout, text)
            return ReceivedCheckout(orjson.loads(path), observed_at, digest, read)
    document = parse_compact(text)
    if not isinstance(document, dict):
        return None
    return SentCheckout(cast("dict[str, Any]", document), key)
