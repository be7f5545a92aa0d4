"""Checkouts of reports: one that was valid before, as most are, is not validated again.

A machine reports all of its checkouts every few minutes, and few of them have changed.
"""

from collections import OrderedDict
from hashlib import sha256
from threading import Lock
from typing import Any, cast

from pydantic import ValidatorFunctionWrapHandler
from pydantic_core import PydanticSerializationError, to_json

from symphony.api.machines.reported_checkout import ReportedCheckout
from symphony.domain.errors import RuleBroken
from symphony.domain.git.credentials import without_credentials
from symphony.domain.machines.checkouts import ReceivedCheckout
from symphony.domain.timestamps import parse_timestamp

_MAX_KNOWN = 32_768
_Document = dict[str, Any]


class KnownDigests:
    """The digests that were needed last, at most some 6 MiB of them. For several threads."""

    def __init__(self, most: int = _MAX_KNOWN) -> None:
        self._most = most
        self._digests = OrderedDict[bytes, None]()
        self._lock = Lock()

    def __contains__(self, digest: bytes) -> bool:
        with self._lock:
            if digest not in self._digests:
                return False
            self._digests.move_to_end(digest)
            return True

    def add(self, digest: bytes) -> None:
        with self._lock:
            self._digests[digest] = None
            if len(self._digests) > self._most:
                self._digests.popitem(last=False)


_valid = KnownDigests()


def receive(value: object, validate: ValidatorFunctionWrapHandler) -> ReceivedCheckout:
    """Return the checkout of a JSON document, which is validated if none like it was valid.

    It replaces the validator of `ReportedCheckout`. Raises: ValidationError.
    """
    known = _known(value)
    if known is not None:
        return known
    checkout = cast("ReportedCheckout", validate(value))
    digest = _digest(_without_credentials(cast("_Document", value)))
    _valid.add(digest)
    return ReceivedCheckout(checkout.path, checkout.status.observed_at, digest, checkout.checkout)


def _known(value: object) -> ReceivedCheckout | None:
    """Return the checkout of a document that differs from a valid one at most in its time."""
    try:
        document = cast("_Document", value)
        observed_at = parse_timestamp(document["status"]["observed_at"])
        digest = _digest(document)
    except (KeyError, TypeError, AttributeError, RuleBroken, PydanticSerializationError):
        return None  # it has not the form, or a text that JSON cannot express
    if digest not in _valid:
        return None
    return ReceivedCheckout(
        document["path"],
        observed_at,
        digest,
        lambda: ReportedCheckout.model_validate(document).checkout(),
    )


def _digest(document: _Document) -> bytes:
    """Return a digest of all but the time of the inspection."""
    status: _Document = document["status"]
    others = {name: value for name, value in status.items() if name != "observed_at"}
    # orjson would write a number that overflows as null, so it could pass for what was valid.
    content = to_json({**document, "status": others}, inf_nan_mode="constants")
    return sha256(content).digest()


def _without_credentials(document: _Document) -> _Document:
    """Return a copy of a valid document, without credentials in the addresses of remotes."""
    status: _Document = document["status"]
    remotes = [each | {"url": without_credentials(each["url"])} for each in document["remotes"]]
    addresses = {name: without_credentials(url) for name, url in status["remotes"].items()}
    return document | {"remotes": remotes, "status": status | {"remotes": addresses}}
