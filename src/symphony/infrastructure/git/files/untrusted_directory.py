"""Reading of a directory whose content the service does not trust: regular files, up to limits."""

import errno
import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Self

from symphony.infrastructure.git.files.decoding import printable
from symphony.infrastructure.git.files.opening import (
    SEARCHABLE,
    SymbolicLink,
    open_below,
)
from symphony.infrastructure.git.files.stopping import CheckStopped
from symphony.infrastructure.git.files.unreadable import broken, refused

# Non-blocking, because a regular file may be replaced by a FIFO just before it is opened.
_FILE_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY
_CHUNK = 1 << 20  # bytes
_MAX_LEVELS = 100  # of a name in a git directory
_ENTRIES_PER_CHECK = 1000
_NOT_BELOW = frozenset({"", ".", ".."})
# Nothing can be behind such a part of a path, neither for the service nor for git.
_UNREACHABLE = {errno.ENOENT, errno.ENOTDIR, errno.EACCES, errno.ENAMETOOLONG}


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


Identity = tuple[int, int]
"""The file system and the inode of a directory."""


@dataclass(frozen=True, slots=True)
class Place:
    """The path of a directory, for git, which opens directories by their paths only.

    `identity` is that of the directory that the service opened there.
    """

    path: Path
    identity: Identity

    def check(self) -> None:
        """Raises: Unreadable (refused) when the path leads to another directory meanwhile."""
        try:
            is_same = _identity(os.stat(self.path)) == self.identity
        except OSError:
            is_same = False
        if not is_same:
            raise refused("A directory of the repository was replaced while it was read.")


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of a directory, which must stay open, and the path of the directory."""

    descriptor: int
    directory: Path
    name: str


class UntrustedDirectory:
    """A directory that is opened once, for reading of what is below it.

    No symbolic link is followed, and no device or FIFO is opened. Names are relative, with `/`
    between their parts. All methods raise Unreadable when a name leads through a symbolic link,
    outside the directory, or to something that is not a regular file, or when a limit is exceeded;
    `copy` and `entries` raise Stopped.

    `path` was free of symbolic links when the directory was opened. The object owns `descriptor`.

    A name that was linked (`link`) leads to an entry of another opened directory, and so does what
    is below it.
    """

    def __init__(
        self, descriptor: int, top: Path, check_stopped: CheckStopped, parts: Sequence[str] = ()
    ) -> None:
        self._descriptor = descriptor
        self._top = top
        self._parts = parts
        self.check_stopped = check_stopped
        self._links = dict[tuple[str, ...], Entry]()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        os.close(self._descriptor)

    @cached_property
    def path(self) -> Path:
        return self._top.joinpath(*self._parts)

    @cached_property
    def identity(self) -> Identity:
        return _identity(os.fstat(self._descriptor))

    @property
    def own_modified_at(self) -> int:
        """The time of the directory's own last modification, in nanoseconds since 1970."""
        return os.fstat(self._descriptor).st_mtime_ns

    @property
    def place(self) -> Place:
        return Place(self.path, self.identity)

    def entry(self, name: str) -> Entry:
        """Return an entry, which need not exist, for `link` of another directory."""
        return Entry(self._descriptor, self.path, name)

    def link(self, name: str, target: Entry) -> None:
        """Let a name lead to an entry of another directory."""
        self._links[tuple(name.split("/"))] = target

    def open(self, *parts: str) -> "UntrustedDirectory":
        """Open a directory below, or this one again without `parts`.

        Raises: SymbolicLink, FileNotFoundError, NotADirectoryError, OSError.
        """
        self.check_stopped()
        _require_below(parts)
        top, path, parts = self._behind_links(parts)
        descriptor = open_below(top, parts)
        return UntrustedDirectory(descriptor, path, self.check_stopped, parts)

    def entries(self) -> Iterator[os.DirEntry[str]]:
        """Yield the entries, of which there may be any number. Raises: Stopped."""
        with os.scandir(self._descriptor) as entries:
            for number, entry in enumerate(entries):
                if number % _ENTRIES_PER_CHECK == 0:
                    self.check_stopped()
                yield entry

    def is_behind_link(self, name: str) -> bool:
        """Return whether a directory, which need not exist, is a symbolic link or behind one."""
        parts = tuple(name.split("/"))
        _require_below(parts)
        top, _, parts = self._behind_links(parts)
        try:
            os.close(open_below(top, parts, SEARCHABLE))
        except SymbolicLink:
            return True
        except OSError as error:
            if error.errno not in _UNREACHABLE:
                raise
        return False

    def size(self, name: str) -> int | None:
        """Return the size of a file, or None when it does not exist or is behind a link."""
        status = self._status(name)
        return None if status is None else status.st_size

    def times(self, name: str) -> tuple[int, int] | None:
        """Return when an entry, and when its inode, was modified last, in nanoseconds since 1970;
        None as for `size`."""
        status = self._status(name)
        return None if status is None else (status.st_mtime_ns, status.st_ctime_ns)

    def _status(self, name: str) -> os.stat_result | None:
        parts = tuple(name.split("/"))
        _require_below(parts)
        top, _, (*directories, last) = self._behind_links(parts)
        try:
            parent = open_below(top, directories, SEARCHABLE)
            try:
                return os.stat(last, dir_fd=parent, follow_symlinks=False)
            finally:
                os.close(parent)
        except OSError as error:
            if error.errno not in _UNREACHABLE | {errno.ELOOP}:
                raise
            return None

    def mode(self, name: str) -> int | None:
        """Return the mode (`stat.st_mode`) of an entry, or None when it does not exist."""
        with self._parent(name) as (parent, last):
            return None if parent is None else _mode(parent, last)

    def modified_at(self, name: str) -> int | None:
        """Return the time of the last modification in nanoseconds since 1970, or None when the
        entry does not exist."""
        with self._parent(name) as (parent, last):
            if parent is None:
                return None
            try:
                return os.stat(last, dir_fd=parent, follow_symlinks=False).st_mtime_ns
            except FileNotFoundError:
                return None

    def has_directory(self, name: str) -> bool:
        mode = self.mode(name)
        if mode is not None and stat.S_ISLNK(mode):
            raise _symbolic_link(name)
        return mode is not None and stat.S_ISDIR(mode)

    def read(self, name: str, limit: int) -> bytes | None:
        """Read a file of at most `limit` bytes; None when it does not exist."""
        file = self._open_file(name, limit)
        if file is None:
            return None
        try:
            return b"".join(self._chunks(file, name, limit))
        finally:
            os.close(file)

    def copy(self, name: str, target: Path, limit: int, budget: CopyBudget) -> bool:
        """Copy a file of at most `limit` bytes with its modification time.

        Returns False when it does not exist.
        """
        file = self._open_file(name, limit)
        if file is None:
            return False
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("wb") as copy:
                for chunk in self._chunks(file, name, limit):
                    budget.spend(len(chunk))
                    copy.write(chunk)
            status = os.fstat(file)
            os.utime(target, ns=(status.st_atime_ns, status.st_mtime_ns))
        finally:
            os.close(file)
        return True

    def _open_file(self, name: str, limit: int) -> int | None:
        with self._parent(name) as (parent, last):
            mode = None if parent is None else _mode(parent, last)
            if mode is None:
                return None
            _require_regular_file(mode, name)
            file = os.open(last, _FILE_FLAGS, dir_fd=parent)
        try:
            _require_readable(os.fstat(file), name, limit)
        except BaseException:
            os.close(file)
            raise
        return file

    def _chunks(self, file: int, name: str, limit: int) -> Iterator[bytes]:
        total = 0
        while chunk := os.read(file, _CHUNK):
            self.check_stopped()
            total += len(chunk)
            if total > limit:
                raise _too_large(name, limit)
            yield chunk

    def _parent(self, name: str) -> "_Parent":
        """Open the directory that contains the last part of a name; None when it does not exist."""
        parts = tuple(name.split("/"))
        _require_below(parts)
        if len(parts) > _MAX_LEVELS + 1:
            raise refused(f"A name in the git directory has more than {_MAX_LEVELS} levels.")
        top, _, (*directories, last) = self._behind_links(parts)
        if not directories:
            return _Parent(top, last)
        try:
            return _Parent(open_below(top, directories, SEARCHABLE), last, is_own=True)
        except SymbolicLink:
            raise _symbolic_link(name) from None
        except (FileNotFoundError, NotADirectoryError):
            return _Parent(None, last)

    def _behind_links(self, parts: tuple[str, ...]) -> tuple[int, Path, tuple[str, ...]]:
        """Return the directory, its path and the parts of a name after the links of this one."""
        for count in range(len(parts), 0, -1) if self._links else ():
            target = self._links.get(parts[:count])
            if target is not None:
                return target.descriptor, target.directory, (target.name, *parts[count:])
        return self._descriptor, self.path, parts


class _Parent:
    """The opened directory of a name, and the last part of the name, until the end of the block.

    A class, since thousands of these blocks make up much of the time of an inspection.
    """

    __slots__ = ("_descriptor", "_is_own", "_name")

    def __init__(self, descriptor: int | None, name: str, *, is_own: bool = False) -> None:
        self._descriptor = descriptor
        self._name = name
        self._is_own = is_own

    def __enter__(self) -> tuple[int | None, str]:
        return self._descriptor, self._name

    def __exit__(self, *error: object) -> None:
        if self._is_own and self._descriptor is not None:
            os.close(self._descriptor)


def overlapping_chunks(file: Path, overlap: int) -> Iterator[bytes]:
    """Read a file of the service in chunks, each of which begins with the end of the previous one.

    A search in a whole large file at once would block the other threads.
    """
    end = b""
    with file.open("rb") as opened:
        while chunk := opened.read(_CHUNK):
            yield end + chunk
            end = chunk[-overlap:]


def _require_below(parts: Sequence[str]) -> None:
    if not _NOT_BELOW.isdisjoint(parts):
        raise refused("A name in the git directory leads outside it.")


def _identity(status: os.stat_result) -> Identity:
    return status.st_dev, status.st_ino


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


def _require_readable(status: os.stat_result, name: str, limit: int) -> None:
    _require_regular_file(status.st_mode, name)
    if status.st_size > limit:
        raise _too_large(name, limit)


def _symbolic_link(name: str) -> Exception:
    return refused(f"{printable(name)} is a symbolic link, or is behind one.")


def _too_large(name: str, limit: int) -> Exception:
    return broken(f"{printable(name)} is larger than {limit:,} bytes.")
