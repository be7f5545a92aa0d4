"""The service's master keys: as they are set, or in a file beside an embedded database."""

import base64
import binascii
import hashlib
import os
import secrets
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock

from symphony.domain.vaults.keys import KEY_BYTES, MasterKey, MasterKeyMissing
from symphony.infrastructure.signing_key import load_or_create


class NotMasterKeys(ValueError):
    """Something that is no list of master keys; the message does not repeat it."""


class FixedMasterKeys:
    """Keys that stay the same as long as the process lives; there may be none."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._keys = [_named(key) for key in keys]

    def first(self) -> MasterKey:
        if not self._keys:
            raise MasterKeyMissing(
                "The service has no master key, which vaults without a passphrase need: whoever"
                " runs it has to set SYMPHONY_MASTER_KEY."
            )
        return self._keys[0]

    def named(self, name: bytes) -> MasterKey:
        return _found(self._keys, name)

    @contextmanager
    def changing(self) -> Generator[None]:
        """Whoever has set them has put the new one in front, and takes away the others."""
        yield


class FileMasterKeys:
    """Keys that `symphony vault rewrap` may change in their file while this process runs.

    A file that is missing is missed when a key is needed, and not made.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._keys: list[MasterKey] = []

    def first(self) -> MasterKey:
        # Read each time, and within the transaction that keeps what is wrapped: so the sweep of a
        # rewrap, which begins when the file has the new key, finds all that an old one has wrapped.
        self._keys = _read(self._file)
        return self._keys[0]

    def named(self, name: bytes) -> MasterKey:
        if all(each.name != name for each in self._keys):
            self._keys = _read(self._file)
        return _found(self._keys, name)

    @contextmanager
    def changing(self) -> Generator[None]:
        """Puts a new key in front, and when all is wrapped by it leaves it alone in the file.

        A change that was interrupted is continued. No two processes change it at once.
        """
        with FileLock(f"{self._file}.lock", mode=0o600):
            if len(_read(self._file)) == 1:
                self._write([secrets.token_bytes(KEY_BYTES), _read(self._file)[0].key])
            yield
            self._write([_read(self._file)[0].key])

    def _write(self, keys: Sequence[bytes]) -> None:
        # Always of this name, so that of one that was interrupted no keys are left about.
        new = self._file.with_name(f"{self._file.name}.new")
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with open(descriptor, "wb") as opened:
            opened.write(_written(keys))
            opened.flush()
            os.fsync(opened.fileno())
        new.replace(self._file)
        folder = os.open(self._file.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def file_master_keys(file: Path) -> FileMasterKeys:
    """Those in the file; a new one when there is no file. Raises: MasterKeyMissing, OSError."""
    load_or_create(file, lambda: _written([secrets.token_bytes(KEY_BYTES)]))
    keys = FileMasterKeys(file)
    keys.first()
    return keys


def parsed(text: str, separator: str = ",") -> list[bytes]:
    """Keys of 32 bytes each in base64url (RFC 4648, section 5). Raises: NotMasterKeys."""
    keys: list[bytes] = []
    for part in text.split(separator):
        try:
            key = base64.b64decode(part.strip().rstrip("=") + "=", altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            key = b""
        if len(key) != KEY_BYTES:
            raise NotMasterKeys
        keys.append(key)
    return keys


def _read(file: Path) -> list[MasterKey]:
    try:
        return [_named(key) for key in parsed(file.read_text("ascii").strip(), "\n")]
    except (OSError, ValueError):
        raise MasterKeyMissing(
            "The service's file with the master key is gone or holds none: whoever runs it has to"
            " bring it back from a backup."
        ) from None


def _written(keys: Sequence[bytes]) -> bytes:
    return b"".join(base64.urlsafe_b64encode(key) + b"\n" for key in keys)


def _named(key: bytes) -> MasterKey:
    return MasterKey(hashlib.sha256(b"symphony master key\0" + key).digest()[:16], key)


def _found(keys: Sequence[MasterKey], name: bytes) -> MasterKey:
    for each in keys:
        if each.name == name:
            return each
    raise MasterKeyMissing(
        "The service lacks the master key with which this vault's key was wrapped: whoever runs it"
        " has to give it back that key."
    )
