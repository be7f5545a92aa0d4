"""A walk through untrusted directories, up to limits."""

import os
import time
from collections import deque
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

from symphony.infrastructure.git.files.untrusted_directory import DIRECTORY_FLAGS

MAX_DIRECTORIES = 100_000
_ENTRIES_PER_CLOCK_CHECK = 1000
_GIT = ".git"
# Without these entries a directory is no repository, which excludes most directories.
_BARE_ENTRIES = frozenset({"HEAD", "objects", "refs"})
_SIGNIFICANT = _BARE_ENTRIES | {_GIT}

Visit = Callable[[Path], bool]
Clock = Callable[[], float]
_Parts = tuple[str, ...]


class Walk:
    """One walk through a directory and those below it, the upper ones first.

    No symbolic link is followed, not even one that replaces a directory during the walk. A
    directory that exists several times (mounted within itself, for example) is visited once. A
    directory that cannot be read is skipped.
    """

    def __init__(
        self,
        max_depth: int,
        deadline: float,
        *,
        max_directories: int = MAX_DIRECTORIES,
        clock: Clock = time.monotonic,
    ) -> None:
        self._max_depth = max_depth
        self._deadline = deadline  # a time of `clock`
        self._max_directories = max_directories
        self._clock = clock
        self._visited = set[tuple[int, int]]()
        self._is_stopped = False
        self.truncated = False
        """Whether directories were left unvisited."""

    def stop(self) -> None:
        """Stop the walk at its next check; any thread may call this."""
        self._is_stopped = self.truncated = True

    def is_over(self) -> bool:
        if self._clock() > self._deadline:
            self.stop()
        return self._is_stopped

    def run(self, top: Path, visit: Visit) -> None:
        """Call `visit` for each directory that may be a repository.

        `visit` returns whether to continue below the directory.

        Raises: OSError when the top directory cannot be read.
        """
        opened = os.open(top, DIRECTORY_FLAGS)
        try:
            pending = deque[_Parts]([()])
            while pending and not self.is_over():
                parts = pending.popleft()
                try:
                    with _open_below(opened, parts) as directory:
                        significant, directories = self._read(directory)
                except OSError:
                    if not parts:
                        raise
                    continue
                may_be_repository = _GIT in significant or significant >= _BARE_ENTRIES
                if may_be_repository and not visit(top.joinpath(*parts)):
                    continue
                if len(parts) < self._max_depth:
                    left = max(0, self._max_directories - len(self._visited) - len(pending))
                    pending.extend((*parts, name) for name in sorted(directories)[:left])
                    self.truncated |= len(directories) > left
        finally:
            os.close(opened)

    def _read(self, directory: int) -> tuple[set[str], list[str]]:
        """Return the significant entries and the directories; nothing on a second visit."""
        significant, directories = set[str](), list[str]()
        identity = _identity(os.fstat(directory))
        if identity in self._visited:
            return significant, directories
        self._visited.add(identity)
        with os.scandir(directory) as entries:
            for number, entry in enumerate(entries):
                if number % _ENTRIES_PER_CLOCK_CHECK == 0 and self.is_over():
                    break
                if entry.name in _SIGNIFICANT:
                    significant.add(entry.name)
                if entry.name != _GIT and entry.is_dir(follow_symlinks=False):
                    directories.append(entry.name)
        return significant, directories


@contextmanager
def _open_below(top: int, parts: _Parts) -> Generator[int]:
    """Open a directory part by part, so that no symbolic link on the way is followed."""
    directory = os.dup(top)
    try:
        for part in parts:
            inner = os.open(part, DIRECTORY_FLAGS, dir_fd=directory)
            os.close(directory)
            directory = inner
        yield directory
    finally:
        os.close(directory)


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino
