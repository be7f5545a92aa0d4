"""The service's secret key, and the keys and keyed hashes that are derived from it."""

import hashlib
import hmac
import secrets
from collections.abc import Callable

KEY_BYTES = 32


def new_key() -> bytes:
    return secrets.token_bytes(KEY_BYTES)


def derive_key(secret: bytes, purpose: str) -> bytes:
    """Derive a key for one purpose, which reveals neither the secret nor any other key."""
    return hmac.digest(secret, b"symphony " + purpose.encode(), hashlib.sha256)


def keyed_hash(key: bytes) -> Callable[[bytes], bytes]:
    """Return a hash function (HMAC, RFC 2104): without the key, no content can be guessed."""

    def hashed(content: bytes) -> bytes:
        return hmac.digest(key, content, hashlib.sha256)

    return hashed
