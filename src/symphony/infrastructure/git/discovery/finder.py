"""Finding repositories on this machine's disk: so many searches at once, each with an end."""

import asyncio
import os
import time
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from uuid import UUID

from symphony.application.ports import Overloaded
from symphony.domain.discovery import Finder, FoundRepository, SearchResult
from symphony.domain.errors import FieldError, Invalid
from symphony.domain.repos import RegisteredRepo
from symphony.infrastructure.git.discovery.classify import RepositoryFolder, classify
from symphony.infrastructure.git.discovery.walk import Walk
from symphony.infrastructure.git.files.roots import Roots, real_path
from symphony.infrastructure.git.files.unreadable import Unreadable
from symphony.infrastructure.git.process.fair_queue import FairQueue
from symphony.infrastructure.git.process.temporary_directory import is_service_temporary

MAX_FOUND = 2000
SEARCH_LIMIT = 15.0  # seconds, waiting in line included; then it tells what it has found
TIME_LIMIT = 19.0  # seconds, for a disk that does not answer
AT_ONCE = 2
MAX_WAITING = 8  # of one user, of whom one search is done at a time


class LocalFinder(Finder):
    """Looks for repositories in the allowed folders, in threads of its own."""

    def __init__(self, roots: Iterable[Path]) -> None:
        self._roots = Roots(roots)
        self._queue = FairQueue("find", of_one=1, in_all=AT_ONCE)
        self._walks = set[Walk]()

    async def find(
        self, user_id: UUID, root: str, max_depth: int, registered: Sequence[RegisteredRepo]
    ) -> SearchResult:
        line = self._queue.line(user_id)
        walk = Walk(max_depth, time.monotonic() + SEARCH_LIMIT)
        self._walks.add(walk)
        try:
            with line.place(MAX_WAITING):
                async with asyncio.timeout(TIME_LIMIT):
                    return await line.run(partial(self._find, walk, root, registered))
        except TimeoutError:
            raise Overloaded from None
        finally:
            walk.stop()  # whoever waited may be gone
            self._walks.discard(walk)

    def close(self) -> None:
        """Ends what is still running."""
        for walk in self._walks:
            walk.stop()
        self._queue.close()

    def _find(self, walk: Walk, root: str, registered: Sequence[RegisteredRepo]) -> SearchResult:
        if walk.is_over():
            raise Overloaded
        sightings: list[RepositoryFolder] = []

        def look(folder: Path) -> bool:
            if is_service_temporary(folder):
                return False  # what is made for a look is much like a bare repository
            sighting = classify(folder, self._roots)
            if sighting is None:
                return True
            if len(sightings) == MAX_FOUND:
                walk.stop()
            else:
                sightings.append(sighting)
            return sighting.git_directory != folder

        top = self._folder(root)
        try:
            walk.through(top, look)
        except OSError:
            raise _bad_root("not-a-folder", "A folder that is there and can be read.") from None
        # One that is named by another one's .git is told there.
        inner = {each.git_directory for each in sightings if each.git_directory != each.folder}
        names = {
            real_path(os.path.expanduser(each.path)): each.name for each in reversed(registered)
        }
        found = [
            FoundRepository(
                path=str(each.folder),
                kind=each.kind,
                remote_url=each.remote_url,
                reason=each.reason,
                registered_as=names.get(each.folder),
            )
            for each in sorted(sightings, key=lambda each: each.folder)
            if each.folder not in inner
        ]
        return SearchResult(found, walk.truncated)

    def _folder(self, root: str) -> Path:
        try:
            return self._roots.resolve(os.path.expanduser(root), "It")
        except Unreadable:
            raise _bad_root(
                "outside-roots", "A folder in those in which this service may look."
            ) from None


def _bad_root(code: str, detail: str) -> Invalid:
    return Invalid([FieldError("root", code, detail)])
