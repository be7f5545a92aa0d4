"""Reading of a directory whose content the service does not trust: regular files, up to limits."""

import os
import stat
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from symphony.infrastructure.git.files.decoding import printable
from symphony.infrastructure.git.files.unreadable import broken, refused

DIRECTORY_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
# Non-blocking, because a regular file may be replaced by a FIFO just before it is opened.
_FILE_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY
_CHUNK = 1 << 20  # bytes
_MAX_LEVELS = 100  # of a name: all of its directories are open at the same time


@dataclass(slots=True)
class CopyBudget:
    """The number of bytes that may still be copied."""

    limit: int
    remaining: int = field(init=False)

    def __post_init__(self) -> None:
        self.remaining = self.limit

    def spend(self, size: int) -> None:
        """Raises: Unreadable when fewer bytes remain."""
        if size > self.remaining:
            raise broken(f"The files to copy exceed {self.limit:,} bytes.")
        self.remaining -= size


class UntrustedDirectory:
    """A directory that is opened once, for reading of regular files below it.

    No symbolic link is followed, and no device or FIFO is opened. Names are relative, with `/`
    between their parts. All methods raise Unreadable when a name leads through a symbolic link,
    outside the directory, or to something that is not a regular file, or when a limit is exceeded.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor = os.open(path, DIRECTORY_FLAGS)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        os.close(self._descriptor)

    def mode(self, name: str) -> int | None:
        """Return the mode (`stat.st_mode`) of an entry, or None when it does not exist."""
        with self._parent(name) as (parent, last):
            return None if parent is None else _mode(parent, last)

    def has_directory(self, name: str) -> bool:
        mode = self.mode(name)
        if mode is not None and stat.S_ISLNK(mode):
            raise _symbolic_link(name)
        return mode is not None and stat.S_ISDIR(mode)

    def read(self, name: str, limit: int) -> bytes | None:
        """Read a file of at most `limit` bytes; None when it does not exist."""
        with self._file(name, limit) as file:
            if file is None:
                return None
            return b"".join(_chunks(file, name, limit))

    def copy(self, name: str, target: Path, limit: int, budget: CopyBudget) -> bool:
        """Copy a file of at most `limit` bytes with its modification time.

        Returns False when it does not exist.
        """
        with self._file(name, limit) as file:
            if file is None:
                return False
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("wb") as copy:
                for chunk in _chunks(file, name, limit):
                    budget.spend(len(chunk))
                    copy.write(chunk)
            status = os.fstat(file)
            os.utime(target, ns=(status.st_atime_ns, status.st_mtime_ns))
        return True

    @contextmanager
    def _file(self, name: str, limit: int) -> Generator[int | None]:
        with self._parent(name) as (parent, last):
            mode = None if parent is None else _mode(parent, last)
            if mode is None:
                yield None
                return
            _require_regular_file(mode, name)
            file = os.open(last, _FILE_FLAGS, dir_fd=parent)
            try:
                status = os.fstat(file)
                _require_regular_file(status.st_mode, name)
                if status.st_size > limit:
                    raise _too_large(name, limit)
                yield file
            finally:
                os.close(file)

    @contextmanager
    def _parent(self, name: str) -> Generator[tuple[int | None, str]]:
        """Open the directory that contains the last part of a name; None when it does not exist."""
        *directories, last = name.split("/")
        if any(part in {"", ".", ".."} for part in (*directories, last)):
            raise refused("A name in the git directory leads outside it.")
        if len(directories) > _MAX_LEVELS:
            raise refused(f"A name in the git directory has more than {_MAX_LEVELS} levels.")
        opened = [self._descriptor]
        try:
            for directory in directories:
                mode = _mode(opened[-1], directory)
                if mode is not None and stat.S_ISLNK(mode):
                    raise _symbolic_link(name)
                if mode is None or not stat.S_ISDIR(mode):
                    yield None, last
                    return
                opened.append(os.open(directory, DIRECTORY_FLAGS, dir_fd=opened[-1]))
            yield opened[-1], last
        finally:
            for descriptor in opened[1:]:
                os.close(descriptor)


def overlapping_chunks(file: Path, overlap: int) -> Iterator[bytes]:
    """Read a file of the service in chunks, each of which begins with the end of the previous one.

    A search in a whole large file at once would block the other threads.
    """
    end = b""
    with file.open("rb") as opened:
        while chunk := opened.read(_CHUNK):
            yield end + chunk
            end = chunk[-overlap:]


def _mode(parent: int, name: str) -> int | None:
    try:
        return os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode
    except FileNotFoundError:
        return None


def _require_regular_file(mode: int, name: str) -> None:
    if stat.S_ISLNK(mode):
        raise _symbolic_link(name)
    if not stat.S_ISREG(mode):
        raise refused(f"{printable(name)} is not a regular file.")


def _chunks(file: int, name: str, limit: int) -> Iterator[bytes]:
    total = 0
    while chunk := os.read(file, _CHUNK):
        total += len(chunk)
        if total > limit:
            raise _too_large(name, limit)
        yield chunk


def _symbolic_link(name: str) -> Exception:
    return refused(f"{printable(name)} is a symbolic link, or is behind one.")


def _too_large(name: str, limit: int) -> Exception:
    return broken(f"{printable(name)} is larger than {limit:,} bytes.")
