"""The service's master keys: from the settings, or from a file beside an embedded database."""

import base64
import binascii
import hashlib
import logging
import secrets
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock

from symphony.domain.vaults.keys import KEY_BYTES, MasterKey, MasterKeyMissing
from symphony.infrastructure.file_ownership import UnsafeFile, read_own_file
from symphony.infrastructure.secret_files import load_or_create, replace

_log = logging.getLogger("symphony")


class NotMasterKeys(ValueError):
    """The text is not a list of master keys; the message does not repeat it."""


class FixedMasterKeys:
    """Master keys that do not change while the process runs; the list may be empty."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._keys = [_named(key) for key in keys]

    def first(self) -> MasterKey:
        if not self._keys:
            raise MasterKeyMissing(
                "The service has no master key, which vaults without a passphrase need. The"
                " operator must set SYMPHONY_MASTER_KEY."
            )
        return self._keys[0]

    def named(self, name: bytes) -> MasterKey:
        return _find(self._keys, name)

    @contextmanager
    def changing(self) -> Generator[None]:
        """Do nothing: the operator adds the new key before, and removes the old ones after."""
        yield


class FileMasterKeys:
    """Master keys in a file that `symphony vault rewrap` may change while this process runs.

    A missing file is an error when a key is needed; it is not created.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._keys: list[MasterKey] = []

    def first(self) -> MasterKey:
        # Read each time, within the transaction that stores the wrapped data key. A rewrap starts
        # when the file has the new key, so it finds every data key that an old one wraps.
        self._keys = _read(self._file)
        return self._keys[0]

    def named(self, name: bytes) -> MasterKey:
        if all(each.name != name for each in self._keys):
            self._keys = _read(self._file)
        return _find(self._keys, name)

    @contextmanager
    def changing(self) -> Generator[None]:
        """Add a new first key; at the end of the block, remove all other keys from the file.

        Continues an interrupted change. Only one process at a time can be in the block.
        """
        with FileLock(f"{self._file}.lock", mode=0o600):
            if len(_read(self._file)) == 1:
                self._replace([secrets.token_bytes(KEY_BYTES), _read(self._file)[0].key])
            yield
            self._replace([_read(self._file)[0].key])

    def _replace(self, keys: Sequence[bytes]) -> None:
        replace(self._file, _format(keys))


def load_or_create_master_keys(file: Path) -> FileMasterKeys:
    """Load the master keys of `file`; create it with a new key if it does not exist.

    Raises: MasterKeyMissing, UnsafeFile, OSError.
    """
    load_or_create(file, lambda: _format([secrets.token_bytes(KEY_BYTES)]))
    keys = FileMasterKeys(file)
    keys.first()
    return keys


def parse_master_keys(text: str, separator: str = ",") -> list[bytes]:
    """Parse keys of 32 bytes each in base64url (RFC 4648, section 5). Raises: NotMasterKeys."""
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
        text = read_own_file(file).decode("ascii").strip()
        return [_named(key) for key in parse_master_keys(text, "\n")]
    except UnsafeFile as error:
        _log.warning("%s", error)
        raise MasterKeyMissing(
            "Other users of the machine can have changed the service's master key file. The"
            " operator must check it; the log names it."
        ) from None
    except (OSError, ValueError):
        raise MasterKeyMissing(
            "The service's master key file is missing or invalid. The operator must restore it from"
            " a backup."
        ) from None


def _format(keys: Sequence[bytes]) -> bytes:
    return b"".join(base64.urlsafe_b64encode(key) + b"\n" for key in keys)


def _named(key: bytes) -> MasterKey:
    return MasterKey(hashlib.sha256(b"symphony master key\0" + key).digest()[:16], key)


def _find(keys: Sequence[MasterKey], name: bytes) -> MasterKey:
    for each in keys:
        if each.name == name:
            return each
    raise MasterKeyMissing(
        "The service does not have the master key with which this vault's key is wrapped. The"
        " operator must restore that key."
    )
