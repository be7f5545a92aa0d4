"""Repos that may need attention, kept until something changes that they are derived from.

Most boards are requested again before anything is reported, inspected or synced. What is kept has
its inputs beside it, each of which never changes and is compared by its identity; the reasons are
derived again with each board, since they depend on the time.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from symphony.domain.machines.assessment import (
    AssessedCheckout,
    ComparedCheckout,
    RepoCheckouts,
    assessed_at,
)
from symphony.domain.machines.matching import MatchedRepo

_MAX_BYTES = 12 << 20
_OBJECTS = 2_048  # bytes of the objects of a checkout, beside its texts
_HEAD = 256  # bytes of a branch or tag that a sync saw
_MAX_CHECKOUTS = 20  # more are rare


@dataclass(slots=True)
class Candidate:
    """A repo with all of its checkouts whose facts can be read.

    `heads` are the commits that would be no longer unpushed if a machine's remote had them.
    """

    matched: MatchedRepo
    checkouts: RepoCheckouts
    ids: Sequence[UUID] = field(init=False)
    heads: AbstractSet[str] = field(init=False)
    _found: Sequence[AbstractSet[str] | None] | None = field(default=None, init=False)
    _compared: Sequence[ComparedCheckout] = field(default=(), init=False)

    def __post_init__(self) -> None:
        self.ids = [each.id for each in self.checkouts.of_machines]
        self.heads = self.checkouts.heads_to_find()

    @property
    def is_partly_unread(self) -> bool:
        return len(self.ids) < len(self.matched.checkouts)

    def is_of(self, matched: MatchedRepo, others: RepoCheckouts) -> bool:
        """Return whether it is derived from these checkouts, and the same of the server and of the
        last sync as `others`."""
        own, other = self.checkouts.own, others.own
        return (
            self.matched is matched
            and self.checkouts.synced is others.synced
            and (own and own.facts) is (other and other.facts)
        )

    def assessed(
        self, found: Mapping[UUID, AbstractSet[str]], now: datetime
    ) -> list[AssessedCheckout]:
        known = [found.get(each) for each in self.ids] if self.heads else []
        if self._found != known:
            self._compared = self.checkouts.compared(found)
            self._found = known
        return assessed_at(self._compared, now)


class KeptCandidates:
    """The candidates that were used last, by the ids of their repos."""

    def __init__(self, max_bytes: int = _MAX_BYTES) -> None:
        self._max_bytes = max_bytes
        self._kept = OrderedDict[UUID, tuple[Candidate, int]]()
        self._bytes = 0

    def get(self, repo_id: UUID, matched: MatchedRepo, others: RepoCheckouts) -> Candidate | None:
        kept = self._kept.get(repo_id)
        if kept is None or not kept[0].is_of(matched, others):
            return None
        self._kept.move_to_end(repo_id)
        return kept[0]

    def keep(self, repo_id: UUID, candidate: Candidate) -> None:
        self._bytes -= self._kept.pop(repo_id, (None, 0))[1]
        if len(candidate.matched.checkouts) > _MAX_CHECKOUTS:
            return
        size = _size(candidate)
        self._kept[repo_id] = (candidate, size)
        self._bytes += size
        while self._bytes > self._max_bytes:
            _, (_, size) = self._kept.popitem(last=False)
            self._bytes -= size


def _size(candidate: Candidate) -> int:
    # A text is in what is stored, in the facts, and in those that are left of them.
    size = sum(_OBJECTS + 3 * len(each.facts) for each in candidate.matched.checkouts)
    # A sync stays in memory as long as what was compared with it, wherever else it is forgotten.
    synced = candidate.checkouts.synced
    return size + (0 if synced is None else _HEAD * (len(synced.branches) + len(synced.tags)))
