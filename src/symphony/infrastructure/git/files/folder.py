"""Reading a folder that somebody else has filled: plain files only, and no more than so much."""

import os
import stat
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from symphony.infrastructure.git.files.unreadable import broken, refused

FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
# Not blocking: what was a file a moment ago may be a FIFO now.
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY
_CHUNK = 1 << 20
_MAX_FOLDERS = 100  # in a name: all of them are open at once


@dataclass(slots=True)
class Room:
    """How many bytes may still be copied."""

    left: int

    def take(self, size: int) -> None:
        """Raises: Unreadable when there is not as much."""
        if size > self.left:
            raise broken("There is more to copy of it than this service has room for.")
        self.left -= size


class Folder:
    """A folder, opened once; below it no link is followed, and devices and FIFOs are not opened.

    Names are relative, with `/` between their parts. Raises: Unreadable when a name leads through a
    link, out of the folder, or to something that is no plain file, or when there is too much.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor = os.open(path, FOLDER)

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
        """What kind of thing (`stat.S_IFMT`) stands there; None when nothing does."""
        with self._parent(name) as (parent, last):
            return None if parent is None else _mode(parent, last)

    def has_folder(self, name: str) -> bool:
        mode = self.mode(name)
        if mode is not None and stat.S_ISLNK(mode):
            raise _no_link(name)
        return mode is not None and stat.S_ISDIR(mode)

    def read(self, name: str, limit: int) -> bytes | None:
        """A file of at most `limit` bytes; None when there is none."""
        with self._file(name, limit) as file:
            if file is None:
                return None
            return b"".join(_chunks(file, name, limit))

    def copy(self, name: str, target: Path, limit: int, room: Room) -> bool:
        """Copies a file of at most `limit` bytes, its time of change too; False without one."""
        with self._file(name, limit) as file:
            if file is None:
                return False
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("wb") as copy:
                for chunk in _chunks(file, name, limit):
                    room.take(len(chunk))
                    copy.write(chunk)
            seen = os.fstat(file)
            os.utime(target, ns=(seen.st_atime_ns, seen.st_mtime_ns))
        return True

    @contextmanager
    def _file(self, name: str, limit: int) -> Generator[int | None]:
        with self._parent(name) as (parent, last):
            mode = None if parent is None else _mode(parent, last)
            if mode is None:
                yield None
                return
            _require_file(mode, name)
            file = os.open(last, _FILE, dir_fd=parent)
            try:
                seen = os.fstat(file)
                _require_file(seen.st_mode, name)
                if seen.st_size > limit:
                    raise _too_large(name, limit)
                yield file
            finally:
                os.close(file)

    @contextmanager
    def _parent(self, name: str) -> Generator[tuple[int | None, str]]:
        """The opened folder in which the last part of a name stands, None when there is none."""
        *folders, last = name.split("/")
        if any(part in {"", ".", ".."} for part in (*folders, last)):
            raise refused("A name in the git directory leads out of it.")
        if len(folders) > _MAX_FOLDERS:
            raise refused("A name in the git directory leads too deep.")
        opened = [self._descriptor]
        try:
            for folder in folders:
                mode = _mode(opened[-1], folder)
                if mode is not None and stat.S_ISLNK(mode):
                    raise _no_link(name)
                if mode is None or not stat.S_ISDIR(mode):
                    yield None, last
                    return
                opened.append(os.open(folder, FOLDER, dir_fd=opened[-1]))
            yield opened[-1], last
        finally:
            for descriptor in opened[1:]:
                os.close(descriptor)


def pieces(file: Path, overlap: int) -> Iterator[bytes]:
    """What is in a file of ours, a piece at a time: to look through all of a large one at once
    would keep the other threads waiting. Each begins with the end of the one before."""
    end = b""
    with file.open("rb") as opened:
        while piece := opened.read(_CHUNK):
            yield end + piece
            end = piece[-overlap:]


def _mode(parent: int, name: str) -> int | None:
    try:
        return os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode
    except FileNotFoundError:
        return None


def _require_file(mode: int, name: str) -> None:
    if stat.S_ISLNK(mode):
        raise _no_link(name)
    if not stat.S_ISREG(mode):
        raise refused(f"{_shown(name)} is not a plain file.")


def _chunks(file: int, name: str, limit: int) -> Iterator[bytes]:
    total = 0
    while chunk := os.read(file, _CHUNK):
        total += len(chunk)
        if total > limit:
            raise _too_large(name, limit)
        yield chunk


def _no_link(name: str) -> Exception:
    return refused(f"{_shown(name)} is a symbolic link, or stands behind one.")


def _too_large(name: str, limit: int) -> Exception:
    return broken(f"{_shown(name)} has more than {limit:,} bytes.")


def _shown(name: str) -> str:
    """A name as it can be told: names of files need not be text."""
    return os.fsencode(name).decode("utf-8", "replace")
