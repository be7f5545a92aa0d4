"""A walk through untrusted directories, up to limits."""

import time
from collections import deque
from collections.abc import Callable, Collection
from contextlib import ExitStack

from symphony.infrastructure.git.files.untrusted_directory import UntrustedDirectory

MAX_DIRECTORIES = 100_000
_ENTRIES_PER_CLOCK_CHECK = 1000
_GIT = ".git"
# Without these entries a directory is no repository, which excludes most directories.
_BARE_ENTRIES = frozenset({"HEAD", "objects", "refs"})
_SIGNIFICANT = _BARE_ENTRIES | {_GIT}

Visit = Callable[[UntrustedDirectory], bool]
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
        skipped: Collection[str] = (),
        clock: Clock = time.monotonic,
    ) -> None:
        """Directories with the names in `skipped` are not visited."""
        self._max_depth = max_depth
        self._deadline = deadline  # a time of `clock`
        self._max_directories = max_directories
        self._clock = clock
        self._skipped = {_GIT, *skipped}
        self._visited = set[tuple[int, int]]()
        self._is_stopped = False
        self.truncated = False
        """Whether directories were left unvisited."""

    def stop(self) -> None:
        """Stop the walk at its next check; what was found so far is the result."""
        self._is_stopped = self.truncated = True

    def is_over(self) -> bool:
        if self._clock() > self._deadline:
            self.stop()
        return self._is_stopped

    def run(self, top: UntrustedDirectory, visit: Visit) -> None:
        """Call `visit` for each directory that may be a repository, while it is open.

        `visit` returns whether to continue below the directory.

        Raises: OSError when the top directory cannot be read, Stopped.
        """
        pending = deque[_Parts]([()])
        while pending and not self.is_over():
            parts = pending.popleft()
            with ExitStack() as opened:
                try:
                    directory = opened.enter_context(top.open(*parts))
                    significant, directories = self._read(directory)
                except OSError:
                    if not parts:
                        raise
                    continue
                may_be_repository = _GIT in significant or significant >= _BARE_ENTRIES
                if may_be_repository and not visit(directory):
                    continue
            if len(parts) < self._max_depth:
                left = max(0, self._max_directories - len(self._visited) - len(pending))
                pending.extend((*parts, name) for name in sorted(directories)[:left])
                self.truncated |= len(directories) > left

    def _read(self, directory: UntrustedDirectory) -> tuple[set[str], list[str]]:
        """Return the significant entries and the directories; nothing on a second visit.

        Of more directories than the walk visits, the last ones are missing.
        """
        significant, directories = set[str](), list[str]()
        if directory.identity in self._visited:
            return significant, directories
        self._visited.add(directory.identity)
        for number, entry in enumerate(directory.entries()):
            if number % _ENTRIES_PER_CLOCK_CHECK == 0 and self.is_over():
                break
            if entry.name in _SIGNIFICANT:
                significant.add(entry.name)
            if entry.name not in self._skipped and entry.is_dir(follow_symlinks=False):
                directories.append(entry.name)
                if len(directories) > 2 * self._max_directories:
                    directories.sort()
                    del directories[self._max_directories :]
        return significant, directories
