"""Discovery of repositories on this machine's disk: a queue of searches with time limits."""

import asyncio
import os
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from uuid import UUID

from symphony.application.ports import Overloaded
from symphony.domain.discovery import Finder, FoundRepository, SearchResult
from symphony.domain.errors import FieldError, Invalid
from symphony.domain.repos import RegisteredRepo
from symphony.infrastructure.git.confinement.confinement import Confinement, ConfinementFailed
from symphony.infrastructure.git.confinement.landlock import DetectLandlock, detect_landlock
from symphony.infrastructure.git.discovery.classification import ClassifiedRepository, classify
from symphony.infrastructure.git.discovery.walk import MAX_DIRECTORIES, Clock, Walk
from symphony.infrastructure.git.files.roots import GitRoots, real_path
from symphony.infrastructure.git.files.unreadable import Unreadable
from symphony.infrastructure.git.process.fair_queue import FairQueue
from symphony.infrastructure.git.process.program import ProgramOptions
from symphony.infrastructure.git.process.temporary_directory import is_service_temporary


@dataclass(frozen=True, slots=True)
class SearchLimits:
    """The limits of searches; times are in seconds and include the wait in the queue.

    After `search_time` a search returns what it has found. `time_limit` is for a disk that does not
    answer. One search of a user runs at a time; `max_queued` is per user.
    """

    search_time: float = 15.0
    time_limit: float = 19.0
    max_found: int = 2000
    max_directories: int = MAX_DIRECTORIES
    concurrency: int = 2
    max_queued: int = 8


class LocalFinder(Finder):
    """Searches for repositories in the git roots, in threads."""

    def __init__(
        self,
        roots: Iterable[Path],
        limits: SearchLimits | None = None,
        detect: DetectLandlock = detect_landlock,
        *,
        clock: Clock = time.monotonic,
    ) -> None:
        directories = tuple(roots)
        self._roots = GitRoots(directories)
        self._confinement = Confinement(directories, ProgramOptions().search_path, detect)
        self._limits = limits or SearchLimits()
        self._clock = clock
        self._queue = FairQueue("find", per_user=1, total=self._limits.concurrency)
        self._walks = set[Walk]()

    async def find(
        self, user_id: UUID, root: str, max_depth: int, registered: Sequence[RegisteredRepo]
    ) -> SearchResult:
        limits = self._limits
        queue = self._queue.for_user(user_id)
        walk = Walk(
            max_depth,
            self._clock() + limits.search_time,
            max_directories=limits.max_directories,
            clock=self._clock,
        )
        self._walks.add(walk)
        try:
            with queue.slot(limits.max_queued):
                async with asyncio.timeout(limits.time_limit):
                    search = partial(self._search, walk, root, registered)
                    return await queue.run(partial(self._confinement.run_in_roots, search))
        except (TimeoutError, ConfinementFailed):
            raise Overloaded from None
        finally:
            walk.stop()  # the caller may have been cancelled
            self._walks.discard(walk)

    def close(self) -> None:
        """Stop the running searches."""
        for walk in self._walks:
            walk.stop()
        self._queue.close()

    def _search(self, walk: Walk, root: str, registered: Sequence[RegisteredRepo]) -> SearchResult:
        if walk.is_over():
            raise Overloaded
        repositories: list[ClassifiedRepository] = []

        def visit(directory: Path) -> bool:
            if is_service_temporary(directory):
                return False  # a private git directory resembles a bare repository
            repository = classify(directory, self._roots)
            if repository is None:
                return True
            if len(repositories) == self._limits.max_found:
                walk.stop()
            else:
                repositories.append(repository)
            return repository.git_directory != directory

        top = self._resolve(root)
        try:
            walk.run(top, visit)
        except OSError:
            detail = "Must be a directory that exists and can be read."
            raise _invalid_root("not-a-folder", detail) from None
        # A bare repository that is the git directory of another one is not reported separately.
        reported = {
            each.git_directory for each in repositories if each.git_directory != each.directory
        }
        names = {
            real_path(os.path.expanduser(each.path)): each.name for each in reversed(registered)
        }
        found = [
            FoundRepository(
                path=str(each.directory),
                kind=each.kind,
                remote_url=each.remote_url,
                reason=each.reason,
                registered_as=names.get(each.directory),
            )
            for each in sorted(repositories, key=lambda each: each.directory)
            if each.directory not in reported
        ]
        return SearchResult(found, walk.truncated)

    def _resolve(self, root: str) -> Path:
        try:
            return self._roots.resolve(os.path.expanduser(root), "The directory")
        except Unreadable:
            detail = "Must be a directory inside the git roots of this service."
            raise _invalid_root("outside-roots", detail) from None


def _invalid_root(code: str, detail: str) -> Invalid:
    return Invalid([FieldError("root", code, detail)])
