"""What git answered about the commits of each repository, for as long as its objects stay.

The id of a commit says what it is and what it reaches, so an answer about ids is the same as long
as no object was added or removed. All that can change otherwise (files, refs, settings) is read in
each inspection.
"""

import threading
from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from hashlib import blake2b

from symphony.domain.git.status import Head
from symphony.domain.git.work import Integration
from symphony.infrastructure.git.files.objects import ObjectTimes, object_times
from symphony.infrastructure.git.files.untrusted_directory import Identity
from symphony.infrastructure.git.history.answers import Answers
from symphony.infrastructure.git.history.commits import Commit, Reader
from symphony.infrastructure.git.history.comparison import Pair
from symphony.infrastructure.git.history.unpushed import Unpushed, read_unpushed
from symphony.infrastructure.git.process.private_directory import PrivateDirectory

_MAX_ANSWERS = 60_000  # of all repositories: about 15 MiB
_MAX_REACHED = 1 << 20  # bits of one answer


@dataclass(frozen=True, slots=True)
class Memory:
    """The answers about one repository.

    - `heads`: what is shown of a commit, and when it was created.
    - `integrations`: of a tip and the commit of a default branch.
    - `comparisons`: ahead and behind, of a branch and its upstream.
    - `unpushed`: by a digest of the tips and of the commits of the remotes.
    - `root_commits`: by a digest of the tips.
    """

    heads: Answers[str, tuple[Head, datetime | None]] = field(
        default_factory=lambda: Answers(lambda _: True)
    )
    commits: Answers[str, Commit | None] = field(
        default_factory=lambda: Answers(lambda commit: commit is not None)
    )
    integrations: Answers[tuple[str, str], Integration] = field(
        default_factory=lambda: Answers(lambda found: found != Integration.UNKNOWN)
    )
    comparisons: Answers[Pair, tuple[int, int]] = field(
        default_factory=lambda: Answers(lambda _: True)
    )
    unpushed: Answers[bytes, Unpushed] = field(default_factory=lambda: Answers(_is_small))
    root_commits: Answers[bytes, tuple[str, ...]] = field(
        default_factory=lambda: Answers(lambda _: True)
    )

    def __len__(self) -> int:
        return 1 + sum(len(getattr(self, kind.name)) for kind in fields(self))

    def read_unpushed(
        self, reader: Reader, tips: Collection[str], remote_ids: Collection[str]
    ) -> Unpushed:
        """As `unpushed.read_unpushed`. Raises: Unreadable (refused), Stopped."""

        def read() -> Unpushed:
            return replace(read_unpushed(reader, tips, remote_ids), pushed=())

        question = "\n".join((*sorted(tips), "", *sorted(remote_ids)))
        found = self.unpushed.one(blake2b(question.encode()).digest(), read)
        return replace(found, pushed=remote_ids)


@dataclass(frozen=True, slots=True)
class Kept:
    """What is remembered of a repository, for as long as its objects have these times."""

    repository: Identity
    times: ObjectTimes
    memory: Memory
    size: int


class Memories:
    """The memories of all repositories; beyond the limit, the one that was not needed for the
    longest time is forgotten. Threads share it."""

    def __init__(self, limit: int = _MAX_ANSWERS) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._kept = OrderedDict[Identity, Kept]()
        self._total = 0

    def of(self, private: PrivateDirectory) -> Memory:
        """Return what is remembered of a repository; nothing when its objects have changed.

        Of a shallow or partial clone nothing is remembered: it lacks objects without a change.

        Raises: Unreadable, Stopped, OSError.
        """
        memory = Memory()
        if (private.path / "shallow").exists() or private.config.is_partial_clone():
            return memory
        times = object_times(private.object_directories, private.location.roots)
        if times is None:
            return memory
        repository = private.location.common_directory.identity
        with self._lock:
            known = self._take(repository)
            if known is not None and known.times == times:
                memory = known.memory
            # What this inspection adds is counted when the next one begins.
            self._keep(Kept(repository, times, memory, len(memory)))
        return memory

    def add(self, kept: Kept) -> None:
        """Remember what another process found."""
        with self._lock:
            self._take(kept.repository)
            self._keep(kept)

    def all(self) -> list[Kept]:
        """Return what is remembered, first what was not needed for the longest time."""
        with self._lock:
            return list(self._kept.values())

    def _take(self, repository: Identity) -> Kept | None:
        known = self._kept.pop(repository, None)
        if known is not None:
            self._total -= known.size
        return known

    def _keep(self, kept: Kept) -> None:
        self._kept[kept.repository] = kept
        self._total += kept.size
        while self._total > self._limit and len(self._kept) > 1:
            self._total -= self._kept.popitem(last=False)[1].size


def _is_small(unpushed: Unpushed) -> bool:
    if unpushed.count is None:
        return False
    return unpushed.count * len(unpushed.reached) <= _MAX_REACHED
