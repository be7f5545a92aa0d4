"""Files with a secret: of their owner only, and never partly written."""

import contextlib
import os
import secrets
from collections.abc import Callable
from pathlib import Path

from symphony.infrastructure.file_ownership import read_own_file


def load_or_create(file: Path, new: Callable[[], bytes]) -> bytes:
    """Read `file`; create it with the result of `new` if it does not exist.

    Any number of processes may call this at the same time; all of them get the same content.

    Raises: UnsafeFile, OSError.
    """
    if not os.path.lexists(file):
        own = file.with_name(f"{file.name}.{os.getpid()}.{secrets.token_hex(4)}")
        try:
            _write(own, new())
            # A link is created whole or not at all, and never replaces the file of another process.
            with contextlib.suppress(FileExistsError):
                os.link(own, file)
        finally:
            own.unlink(missing_ok=True)  # also when the disk is full
    return read_own_file(file)


def replace(file: Path, content: bytes) -> None:
    """Replace the content of `file`; after a power failure it is complete, old or new."""
    # The name is always the same, so an interrupted call leaves at most one file behind, which
    # the next call removes.
    new = file.with_name(f"{file.name}.new")
    new.unlink(missing_ok=True)
    _write(new, content)
    new.replace(file)
    directory = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _write(file: Path, content: bytes) -> None:
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "wb") as opened:
        opened.write(content)
        opened.flush()
        os.fsync(opened.fileno())
