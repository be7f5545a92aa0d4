"""Walking through folders that somebody else has filled, within bounds."""

import os
import time
from collections import deque
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

from symphony.infrastructure.git.files.folder import FOLDER

MAX_FOLDERS = 100_000
_ENTRIES_BETWEEN_LOOKS_AT_THE_CLOCK = 1000
_GIT = ".git"
# By these, told by their names alone, most folders are no repository.
_SIGNS = frozenset({_GIT, "HEAD", "objects", "refs"})
_BARE = frozenset({"HEAD", "objects", "refs"})

Look = Callable[[Path], bool]
_Parts = tuple[str, ...]


class Walk:
    """One way through a folder and those below it, the upper ones first.

    No link is followed, also none that is put in the place of a folder meanwhile. A folder that is
    there several times (mounted within itself, say) is visited once. One that cannot be read is
    passed over.
    """

    def __init__(self, max_depth: int, deadline: float) -> None:
        self._max_depth = max_depth
        self._deadline = deadline  # of `time.monotonic`
        self._visited = set[tuple[int, int]]()
        self._ended = False
        self.truncated = False
        """Whether there was more than it has come to."""

    def stop(self) -> None:
        """Ends it soon; any thread may call this."""
        self._ended = self.truncated = True

    def is_over(self) -> bool:
        if time.monotonic() > self._deadline:
            self.stop()
        return self._ended

    def through(self, top: Path, look: Look) -> None:
        """Shows each folder that may be a repository to `look`, which says whether to go on below.

        Raises: OSError when the folder at the top cannot be read.
        """
        opened = os.open(top, FOLDER)
        try:
            waiting = deque[_Parts]([()])
            while waiting and not self.is_over():
                parts = waiting.popleft()
                try:
                    with _below(opened, parts) as folder:
                        signs, folders = self._content(folder)
                except OSError:
                    if not parts:
                        raise
                    continue
                may_be_one = _GIT in signs or signs >= _BARE
                if may_be_one and not look(top.joinpath(*parts)):
                    continue
                if len(parts) < self._max_depth:
                    room = max(0, MAX_FOLDERS - len(self._visited) - len(waiting))
                    waiting.extend((*parts, name) for name in sorted(folders)[:room])
                    self.truncated |= len(folders) > room
        finally:
            os.close(opened)

    def _content(self, folder: int) -> tuple[set[str], list[str]]:
        """What speaks for a repository, and the folders in it; nothing on the second visit."""
        signs, folders = set[str](), list[str]()
        identity = _identity(os.fstat(folder))
        if identity in self._visited:
            return signs, folders
        self._visited.add(identity)
        with os.scandir(folder) as entries:
            for number, entry in enumerate(entries):
                if number % _ENTRIES_BETWEEN_LOOKS_AT_THE_CLOCK == 0 and self.is_over():
                    break
                if entry.name in _SIGNS:
                    signs.add(entry.name)
                if entry.name != _GIT and entry.is_dir(follow_symlinks=False):
                    folders.append(entry.name)
        return signs, folders


@contextmanager
def _below(top: int, parts: _Parts) -> Generator[int]:
    """A folder, opened step by step."""
    folder = os.dup(top)
    try:
        for part in parts:
            inner = os.open(part, FOLDER, dir_fd=folder)
            os.close(folder)
            folder = inner
        yield folder
    finally:
        os.close(folder)


def _identity(seen: os.stat_result) -> tuple[int, int]:
    return seen.st_dev, seen.st_ino
