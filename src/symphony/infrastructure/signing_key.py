"""The service's secret: read from its file, or made there, and the keys that come from it."""

import contextlib
import hashlib
import hmac
import os
import secrets
from collections.abc import Callable
from pathlib import Path

KEY_BYTES = 32


def new_key() -> bytes:
    return secrets.token_bytes(KEY_BYTES)


def load_or_create(file: Path, new: Callable[[], bytes] = new_key) -> bytes:
    """The key in `file`, which only its owner may read; a new random one when there is no file.

    Any number of processes may start at once: the first one's key is everybody's.
    """
    if not file.exists():
        own = file.with_name(f"{file.name}.{os.getpid()}.{secrets.token_hex(4)}")
        descriptor = os.open(own, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "wb") as opened:
            opened.write(new())
            opened.flush()
            os.fsync(opened.fileno())
        # A link appears whole or not at all, and never replaces what another process has made.
        with contextlib.suppress(FileExistsError):
            os.link(own, file)
        own.unlink()
    return file.read_bytes()


def keyed_hash(key: bytes) -> Callable[[bytes], bytes]:
    """A hash (RFC 2104) whose content nobody without the key can find by trying."""

    def hashed(content: bytes) -> bytes:
        return hmac.digest(key, content, hashlib.sha256)

    return hashed


def derived(secret: bytes, purpose: str) -> bytes:
    """A key of its own for each purpose, so that none can be used for another one."""
    return hmac.digest(secret, b"symphony " + purpose.encode(), hashlib.sha256)
