"""Files with a secret: readable by their owner only, and never partly written."""

import contextlib
import os
import secrets
from collections.abc import Callable
from pathlib import Path


def load_or_create(file: Path, new: Callable[[], bytes]) -> bytes:
    """Read `file`; create it with the result of `new` if it does not exist.

    Any number of processes may call this at the same time; all of them get the same content.
    """
    if not file.exists():
        own = file.with_name(f"{file.name}.{os.getpid()}.{secrets.token_hex(4)}")
        try:
            _write(own, new(), os.O_EXCL)
            # A link is created whole or not at all, and never replaces the file of another process.
            with contextlib.suppress(FileExistsError):
                os.link(own, file)
        finally:
            own.unlink(missing_ok=True)  # also when the disk is full
    return file.read_bytes()


def replace(file: Path, content: bytes) -> None:
    """Replace the content of `file`; after a power failure it is complete, old or new."""
    # The name is always the same, so an interrupted call leaves at most one file behind, which
    # the next call overwrites.
    new = file.with_name(f"{file.name}.new")
    _write(new, content, os.O_TRUNC)
    new.replace(file)
    directory = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _write(file: Path, content: bytes, flag: int) -> None:
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | flag, 0o600)
    with open(descriptor, "wb") as opened:
        opened.write(content)
        opened.flush()
        os.fsync(opened.fileno())
