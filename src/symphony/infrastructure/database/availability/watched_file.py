"""An SQLite file that may be moved, removed or replaced while the service runs.

SQLite in WAL mode goes on with the file that it has opened, wherever it is now: it would
acknowledge writes to a file that is deleted. So the file is compared with the one at its path when
a connection is taken from the pool, and after each COMMIT.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

_Identity: TypeAlias = tuple[int, int]
"""The device and the inode."""


class FileReplaced(OSError):
    """Another file has taken the place of the database, beside the log of the old one."""


@dataclass(frozen=True, slots=True)
class OpenedFile:
    """The file that a connection has opened."""

    path: str
    identity: _Identity

    def is_in_place(self) -> bool:
        return _identity(self.path) == self.identity


class WatchedFile:
    """The database file of a process, with all its pools."""

    def __init__(self, file: Path) -> None:
        self._path = str(file)
        self._log_path = f"{file}-wal"
        self._known: _Identity | None = None
        self._log: _Identity | None = None

    def require(self) -> None:
        """Check that the file may be opened. Raises: FileNotFoundError, FileReplaced.

        SQLite would create a missing file, and would apply the log of the old file to a new one.
        """
        if self._known is None:
            return  # the first connection may create the file
        present = _identity(self._path)
        if present is None:
            raise FileNotFoundError(self._path)
        if present != self._known and self._log and _identity(self._log_path) == self._log:
            raise FileReplaced(
                "the database file was replaced, but the log of the old file is still beside it:"
                " remove the files that end in -wal and -shm"
            )

    def opened(self) -> OpenedFile:
        """Remember the file that a new connection has opened. Raises: FileNotFoundError."""
        present = _identity(self._path)
        if present is None:
            raise FileNotFoundError(self._path)
        self._known, self._log = present, _identity(self._log_path)
        return OpenedFile(self._path, present)


def _identity(path: str) -> _Identity | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino
