"""The git roots: the directories that the operator allows the service to read."""

import os
import stat
from collections.abc import Generator, Iterable
from contextlib import ExitStack, contextmanager
from pathlib import Path

from symphony.infrastructure.git.files.opening import (
    SEARCHABLE,
    SymbolicLink,
    open_below,
)
from symphony.infrastructure.git.files.stopping import CheckStopped
from symphony.infrastructure.git.files.unreadable import refused
from symphony.infrastructure.git.files.untrusted_directory import UntrustedDirectory

_MAX_LINKS = 40  # in one path, as in Linux itself
_MAX_PATH = 4096  # characters; Linux opens no longer name


class GitRoots:
    """A path is allowed when it is in a git root after all of its symbolic links are resolved.

    `directories` are without symbolic links, and none of them is in another one: a user who may
    write in the outer one could replace it.
    """

    def __init__(self, directories: Iterable[Path]) -> None:
        real = {Path(os.path.realpath(directory)) for directory in directories}
        self.directories = tuple(sorted(each for each in real if real.isdisjoint(each.parents)))

    @contextmanager
    def opened(self, check_stopped: CheckStopped) -> Generator["OpenedRoots"]:
        """Open the roots for one inspection or search, which `check_stopped` stops."""
        with ExitStack() as stack:
            yield OpenedRoots(self.directories, check_stopped, stack)


class OpenedRoots:
    """The git roots for one inspection or search; each is opened once, when it is needed.

    Everything in a root is opened from the descriptor of the root, one component after the other,
    so it cannot be replaced by something outside.
    """

    def __init__(
        self, directories: tuple[Path, ...], check_stopped: CheckStopped, stack: ExitStack
    ) -> None:
        self._directories = directories
        self._stack = stack
        self._descriptors = dict[Path, int]()
        self.check_stopped = check_stopped

    def open(self, path: str | Path, subject: str) -> UntrustedDirectory:
        """Open the directory at a path, which may lead through symbolic links.

        Raises: Unreadable (refused) when the path leads outside the git roots, or is replaced
        meanwhile; the reason begins with `subject`, and does not reveal whether anything exists
        there. FileNotFoundError when nothing exists there, NotADirectoryError when it is not a
        directory, OSError.
        """
        self.check_stopped()
        try:
            os.fsencode(path)
        except UnicodeError:
            raise refused(f"{subject} has a path that this system cannot encode.") from None
        real = real_path(path)
        root = None if real is None else self.root_of(real)
        if real is None or root is None:
            raise refused(f"{subject} is outside the git roots of this service.")
        parts = real.relative_to(root).parts
        try:
            descriptor = open_below(self._descriptor(root), parts)
        except SymbolicLink:
            raise refused(f"{subject} was replaced by a symbolic link meanwhile.") from None
        return UntrustedDirectory(descriptor, real, self.check_stopped)

    def root_of(self, real: Path) -> Path | None:
        """Return the git root that contains a path without symbolic links."""
        return next((root for root in self._directories if real.is_relative_to(root)), None)

    def _descriptor(self, root: Path) -> int:
        if root not in self._descriptors:
            # Not from `/` on: a process confined to the roots may not open what is above them.
            self._descriptors[root] = os.open(root, SEARCHABLE)
            self._stack.callback(os.close, self._descriptors[root])
        return self._descriptors[root]


def real_path(path: str | Path) -> Path | None:
    """Resolve all symbolic links in a path; nothing need exist there.

    Returns None when there are more of them than Linux follows, when they lead to a longer path
    than it opens, or when the file system encoding lacks a character. `os.path.realpath` has no
    such limits: 500 links to long paths take it 11 s.
    """
    pending = _reversed_components(path if os.path.isabs(path) else os.path.join(os.getcwd(), path))
    real, links = os.sep, 0
    try:
        while pending:
            name = pending.pop()
            if name in {"", os.curdir}:
                continue
            if name == os.pardir:
                real = os.path.dirname(real)
                continue
            joined = os.path.join(real, name)
            if len(joined) > _MAX_PATH:
                return None
            if not _is_symbolic_link(joined):
                real = joined
                continue
            links += 1
            if links > _MAX_LINKS:
                return None
            target = os.readlink(joined)
            real = os.sep if os.path.isabs(target) else real
            pending += _reversed_components(target)
    except (OSError, UnicodeError):  # a link was removed meanwhile, or cannot be encoded
        return None
    return Path(real)


def _reversed_components(path: str | Path) -> list[str]:
    return os.fspath(path).split(os.sep)[::-1]


def _is_symbolic_link(path: str) -> bool:
    try:
        return stat.S_ISLNK(os.lstat(path).st_mode)
    except OSError:  # nothing exists there, or the service may not know
        return False
