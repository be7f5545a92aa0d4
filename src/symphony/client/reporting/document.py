"""The body of a report, within the limits of the server."""

import gzip
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from symphony.client.errors import ClientError
from symphony.client.reporting.encoding import encode_report
from symphony.domain.machines.checkouts import MAX_CHECKOUTS, MAX_REMOTE_HEADS, Checkout, Report

MAX_BYTES = 4 << 20  # of a report, before it is compressed
# Fewer heads of remotes can only leave work on the board that another machine has pushed.
_HEADS_PER_CHECKOUT = (MAX_REMOTE_HEADS, 200, 20, 2)
_NARROWER = "Name fewer or smaller directories with --root."


class TooLarge(ClientError):
    """A report that the server would refuse; nothing is left out of it to make it smaller."""


@dataclass(frozen=True, slots=True)
class Document:
    """A report as it is sent. `notes` say what was left out for its size."""

    content: Mapping[str, Any]
    body: bytes
    notes: Sequence[str] = ()

    def compressed(self) -> bytes:
        return gzip.compress(self.body, compresslevel=6, mtime=0)


def create_document(report: Report) -> Document:
    """Raises: TooLarge."""
    if len(report.checkouts) > MAX_CHECKOUTS:
        raise TooLarge(
            f"{len(report.checkouts):,} repositories were found, and a report can contain"
            f" {MAX_CHECKOUTS:,}. {_NARROWER}"
        )
    size = 0
    for limit in _HEADS_PER_CHECKOUT:
        shortened = [_with_heads(each, limit) for each in report.checkouts]
        document = encode_document(encode_report(replace(report, checkouts=shortened)))
        size = len(document.body)
        if size <= MAX_BYTES:
            notes = [] if limit == MAX_REMOTE_HEADS else [_shortened(limit)]
            return replace(document, notes=notes)
    raise TooLarge(
        f"The report has {size / (1 << 20):.1f} MiB, and the server accepts"
        f" {MAX_BYTES >> 20} MiB. {_NARROWER}"
    )


def encode_document(content: Mapping[str, Any]) -> Document:
    """Encode a report as JSON without spaces and escapes, which the server parses fastest."""
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return Document(content, text.encode())


def _with_heads(checkout: Checkout, limit: int) -> Checkout:
    if len(checkout.remote_heads) <= limit:
        return checkout
    return replace(checkout, remote_heads=checkout.remote_heads[:limit])


def _shortened(limit: int) -> str:
    return (
        f"The report contains only the first {limit} remote branches of each repository, because it"
        f" would be larger than {MAX_BYTES >> 20} MiB otherwise. Work that was pushed elsewhere may"
        " stay on the board."
    )
