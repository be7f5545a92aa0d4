"""The stored form of a checkout."""

import sys
from collections.abc import Collection, Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import fields
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter
from pydantic_core import from_json

from symphony.domain.git.facts import RepoFacts, UnfinishedWork
from symphony.domain.git.status import LinkedWorktree, RepoStatus
from symphony.domain.git.work import WorkItem
from symphony.domain.machines.checkouts import Checkout, ReceivedCheckout
from symphony.domain.machines.facts import CheckoutFacts, normalized_remotes

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

_CHECKOUT = TypeAdapter(Checkout)
# An inspection that finds the same again changes nothing.
_TIME_OF_INSPECTION: Any = {"status": {"observed_at"}}
_FASTEST = 1
_CLOCK_STEP = timedelta(minutes=5)
_ID_BYTES = 20
_ID_DIGITS = 2 * _ID_BYTES


_STORED = (Checkout, RepoStatus, WorkItem, LinkedWorktree, CheckoutFacts, RepoFacts, UnfinishedWork)
STORED_FIELDS = repr([[each.name for each in fields(kind)] for kind in _STORED]).encode()


def path_hash(path: str) -> bytes:
    return sha256(path.encode()).digest()


def content_of(checkout: Checkout) -> bytes:
    """Return a checkout as JSON, without the time of its inspection."""
    return _CHECKOUT.dump_json(checkout, exclude=_TIME_OF_INSPECTION)


def digest_of(received: ReceivedCheckout, difference: timedelta) -> bytes:
    """Return what is equal for two rows of a path if nothing but the time of inspection differs.

    `difference` is the `clock_difference` of the report, by which times are corrected: a clock that
    is ahead by some minutes more or less has another digest. So have versions of the service that
    store other fields. Both write the row again.
    """
    steps = max(-difference, timedelta()) // _CLOCK_STEP
    return sha256(b"%b %d %b" % (STORED_FIELDS, steps, received.digest)).digest()


def row_of(
    checkout_id: UUID,
    machine_id: UUID,
    hashed_path: bytes,
    checkout: Checkout,
    digest: bytes,
    facts: CheckoutFacts,
) -> dict[str, Any]:
    """Return the values of the columns."""
    return {
        "id": checkout_id,
        "machine_id": machine_id,
        "path_hash": hashed_path,
        "path": checkout.path,
        "digest": digest,
        "has_remotes": bool(checkout.remotes),
        "remotes": "\n".join(normalized_remotes(checkout)),
        "root_commits": "\n".join(checkout.root_commits),
        "known_heads": facts.known_heads,
        "needs_attention": facts.needs_attention,
        "facts": facts.to_text(),
        "heads": _packed(each.head for each in checkout.remote_heads),
        "detail": zstd.compress(content_of(checkout), _FASTEST),
    }


def values_in(lines: str) -> tuple[str, ...]:
    """Return the values of a column that has one a line."""
    return tuple(lines.split("\n")) if lines else ()


def checkout_in(detail: bytes, observed_at: datetime) -> Checkout:
    """Return the checkout of a row; its status was observed at this time."""
    written: Any = from_json(zstd.decompress(detail))
    written["status"]["observed_at"] = observed_at
    return _CHECKOUT.validate_python(written)


def found_in(heads: bytes, wanted: Mapping[bytes, str]) -> AbstractSet[str]:
    """Return which of the wanted commits, by their first bytes, are among the heads of a row."""
    return {
        wanted[each]
        for start in range(0, len(heads), _ID_BYTES)
        if (each := heads[start : start + _ID_BYTES]) in wanted
    }


def by_first_bytes(commits: Collection[str]) -> dict[bytes, str]:
    """Return ids of commits by their first 20 bytes, which are all of an id by SHA-1."""
    return {bytes.fromhex(each[:_ID_DIGITS]): each for each in commits}


def _packed(commits: Iterable[str]) -> bytes:
    return b"".join(sorted({bytes.fromhex(each[:_ID_DIGITS]) for each in commits}))
