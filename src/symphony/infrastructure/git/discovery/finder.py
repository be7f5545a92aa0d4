"""Discovery of repositories on this machine's disk: a queue of searches with time limits."""

import asyncio
import logging
import os
import time
from collections.abc import Collection, Iterable, Sequence
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
from symphony.infrastructure.git.files.roots import GitRoots, OpenedRoots, real_path
from symphony.infrastructure.git.files.stopping import Stopped, StopSignal
from symphony.infrastructure.git.files.unreadable import Unreadable
from symphony.infrastructure.git.files.untrusted_directory import UntrustedDirectory
from symphony.infrastructure.git.process.fair_queue import FairQueue
from symphony.infrastructure.git.process.program import ProgramOptions
from symphony.infrastructure.git.process.temporary_directory import is_service_temporary

_LOG = logging.getLogger("symphony")
_FAILED = "The repository cannot be read: an unexpected error, which the service has logged."


@dataclass(frozen=True, slots=True)
class SearchLimits:
    """The limits of searches; times are in seconds and include the wait in the queue.

    After `search_time` a search returns what it has found. `time_limit` is for a disk that does not
    answer. One search of a user runs at a time; `max_queued` is per user. Directories with the
    names in `skipped` are not searched.
    """

    search_time: float = 15.0
    time_limit: float = 19.0
    max_found: int = 2000
    max_directories: int = MAX_DIRECTORIES
    skipped: Collection[str] = ()
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
        self._running = set[StopSignal]()

    async def find(
        self, user_id: UUID, root: str, max_depth: int, registered: Sequence[RegisteredRepo]
    ) -> SearchResult:
        limits = self._limits
        queue = self._queue.for_user(user_id)
        walk = Walk(
            max_depth,
            self._clock() + limits.search_time,
            max_directories=limits.max_directories,
            skipped=limits.skipped,
            clock=self._clock,
        )
        signal = StopSignal()
        self._running.add(signal)
        try:
            with queue.slot(limits.max_queued):
                async with asyncio.timeout(limits.time_limit):
                    search = partial(self._search, walk, signal, root, registered)
                    return await queue.run(partial(self._confinement.run_in_roots, search))
        except (TimeoutError, ConfinementFailed):
            raise Overloaded from None
        except Stopped:
            raise Overloaded from None  # the service is stopping
        finally:
            signal.stop()  # the caller may have been cancelled
            self._running.discard(signal)

    def close(self) -> None:
        """Stop the running searches."""
        for signal in self._running:
            signal.stop()
        self._queue.close()

    def _search(
        self, walk: Walk, signal: StopSignal, root: str, registered: Sequence[RegisteredRepo]
    ) -> SearchResult:
        if walk.is_over():
            raise Overloaded
        with self._roots.opened(signal.check) as roots:
            repositories = self._walk(walk, root, roots)
        # A bare repository that is the git directory of another one is not reported separately.
        reported = {
            each.git_directory for each in repositories if each.git_directory != each.directory
        }
        names = dict[Path | None, str]()
        for each in reversed(registered):
            signal.check()
            names[real_path(os.path.expanduser(each.path))] = each.name
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

    def _walk(self, walk: Walk, root: str, roots: OpenedRoots) -> list[ClassifiedRepository]:
        repositories: list[ClassifiedRepository] = []

        def visit(directory: UntrustedDirectory) -> bool:
            if is_service_temporary(directory.path):
                return False  # a private git directory resembles a bare repository
            try:
                repository = classify(directory, roots)
            except Stopped:
                raise
            except Exception:  # one repository must not make the whole search fail
                _LOG.exception("a repository could not be classified")
                repository = ClassifiedRepository(directory.path, reason=_FAILED)
            if repository is None:
                return True
            if len(repositories) == self._limits.max_found:
                walk.stop()
            else:
                repositories.append(repository)
            return repository.git_directory != directory.path

        try:
            with roots.open(os.path.expanduser(root), "The directory") as top:
                walk.run(top, visit)
        except Unreadable:
            detail = "Must be a directory inside the git roots of this service."
            raise _invalid_root("outside-roots", detail) from None
        except OSError:
            detail = "Must be a directory that exists and can be read."
            raise _invalid_root("not-a-folder", detail) from None
        return repositories


def _invalid_root(code: str, detail: str) -> Invalid:
    return Invalid([FieldError("root", code, detail)])
