"""Checkouts of reports: one that was valid before, as most are, is not validated again."""

from collections import OrderedDict
from hashlib import sha256
from threading import Lock
from typing import Any, cast

import orjson
from pydantic import ValidatorFunctionWrapHandler
from pydantic_core import PydanticSerializationError, to_json

from symphony.api.machines.reported_checkout import ReportedCheckout
from symphony.domain.errors import RuleBroken
from symphony.domain.git.credentials import without_credentials
from symphony.domain.machines.checkouts import Checkout, ReceivedCheckout
from symphony.domain.timestamps import parse_timestamp

_MAX_KNOWN = 32_768
_Document = dict[str, Any]


class SentCheckout(dict[str, Any]):
    """The JSON object of a checkout, and the `text_key` of its text."""

    def __init__(self, document: _Document, key: bytes) -> None:
        super().__init__(document)
        self.key = key


class ValidDigests:
    """The digests of valid checkouts by their keys, of those that were needed last. For several
    threads; at most some 10 MiB."""

    def __init__(self, most: int = _MAX_KNOWN) -> None:
        self._most = most
        self._digests = OrderedDict[bytes, bytes]()
        self._lock = Lock()

    def get(self, key: bytes) -> bytes | None:
        with self._lock:
            digest = self._digests.get(key)
            if digest is not None:
                self._digests.move_to_end(key)
            return digest

    def keep(self, key: bytes, digest: bytes) -> None:
        with self._lock:
            self._digests[key] = digest
            if len(self._digests) > self._most:
                self._digests.popitem(last=False)


_valid = ValidDigests()


def text_key(before_time: bytes, after_time: bytes) -> bytes:
    """Return the key of a checkout's JSON text around the time of its inspection.

    Two texts with the same key are equal but for what is at the place of this time.
    """
    return sha256(b"%b\0%b" % (before_time, after_time)).digest()  # JSON contains no NUL


def known_digest(key: bytes) -> bytes | None:
    """Return the digest of the checkout with this `text_key`; None if it is not known as valid."""
    return _valid.get(key)


def read_checkout(text: bytes) -> Checkout:
    """Return the checkout of a JSON text that is known as valid."""
    return ReportedCheckout.model_validate(orjson.loads(text)).checkout()


def receive(value: object, validate: ValidatorFunctionWrapHandler) -> ReceivedCheckout:
    """Return the checkout of a JSON document, which is validated if none like it was valid.

    It replaces the validator of `ReportedCheckout`. Raises: ValidationError.
    """
    known = value if isinstance(value, ReceivedCheckout) else _known(value)
    if known is not None:
        return known
    checkout = cast("ReportedCheckout", validate(value))
    document = cast("_Document", value)
    stored = _without_credentials(document)
    digest = _digest(stored)
    if not isinstance(value, SentCheckout):
        _valid.keep(digest, digest)
    elif stored == document:
        _valid.keep(value.key, digest)
    return ReceivedCheckout(checkout.path, checkout.status.observed_at, digest, checkout.checkout)


def _known(value: object) -> ReceivedCheckout | None:
    """Return the checkout of a document that differs from a valid one at most in its time."""
    if isinstance(value, SentCheckout):
        return None  # it would have been recognized by its text
    try:
        document = cast("_Document", value)
        observed_at = parse_timestamp(document["status"]["observed_at"])
        digest = _digest(document)
    except (KeyError, TypeError, AttributeError, RuleBroken, PydanticSerializationError):
        return None  # it has not the form, or a text that JSON cannot express
    if _valid.get(digest) is None:
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
