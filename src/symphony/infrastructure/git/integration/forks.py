"""What a branch changed: its own commits, and the commit of the target where they begin."""

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from symphony.infrastructure.git.files.stopping import CheckStopped
from symphony.infrastructure.git.integration.commit_graph import CommitGraph

_MAX_VISITED = 200_000  # commits, of all tips together
_MAX_BOUNDARIES = 4_000


@dataclass(frozen=True, slots=True)
class Fork:
    """The commits that `tip` reaches and the target does not: their ids and `base`, their merge
    base with the target; None when the histories are unrelated."""

    tip: str
    base: str | None
    commits: Sequence[str]
    has_merges: bool


@dataclass(frozen=True, slots=True)
class Forks:
    """The forks of tips. A tip with several merge bases, or beyond a limit, has none.

    `reached` has for each commit the `bits` of the bases that reach it.
    """

    of: Mapping[str, Fork]
    bits: Mapping[str, int]
    reached: Mapping[str, int]

    def without(self, tips: Container[str]) -> "Forks":
        return replace(self, of={tip: fork for tip, fork in self.of.items() if tip not in tips})

    def is_after(self, commit: str, base: str | None) -> bool:
        """Return whether a commit of the target is no ancestor of the base, nor the base."""
        return base is None or not self.reached.get(commit, 0) & self.bits[base]


def find_forks(graph: CommitGraph, tips: Iterable[str], check_stopped: CheckStopped) -> Forks:
    """Find the forks of tips that were read completely. Raises: Stopped."""
    own: dict[str, tuple[list[str], set[str]]] = {}
    visited = 0
    boundaries: dict[str, int] = {}
    for tip in tips:
        check_stopped()
        start = without_merges_of_the_target(graph, tip)
        own[tip] = commits, boundary = _own_commits(graph, start)
        for commit in boundary:
            boundaries.setdefault(commit, 1 << len(boundaries))
        visited += len(commits)
        if visited > _MAX_VISITED or len(boundaries) > _MAX_BOUNDARIES:
            break
    reached = graph.reached_from(boundaries)
    forks: dict[str, Fork] = {}
    for tip, (commits, boundary) in own.items():
        check_stopped()
        of_all = sum(boundaries[commit] for commit in boundary)
        bases = [each for each in boundary if reached[each] & of_all == boundaries[each]]
        if len(bases) > 1 or any(base not in graph.trees for base in bases):
            continue
        base = bases[0] if bases else None
        has_merges = any(len(graph.parents[commit]) > 1 for commit in commits)
        forks[tip] = Fork(commits[0], base, commits, has_merges)
    return Forks(forks, boundaries, reached)


def without_merges_of_the_target(graph: CommitGraph, tip: str) -> str:
    """Return the commit before the last merges that only took over the state of the target.

    Such a merge has the tree of the parent that is in the target, so nothing in it can be lost.
    """
    commit = tip
    while len(graph.parents[commit]) == 2:
        first, second = graph.parents[commit]
        if (first in graph.in_target) == (second in graph.in_target):
            break
        own, merged = (second, first) if first in graph.in_target else (first, second)
        if graph.trees.get(merged) != graph.trees[commit]:
            break
        commit = own
    return commit


def _own_commits(graph: CommitGraph, start: str) -> tuple[list[str], set[str]]:
    """Return the commits outside of the target, from `start` on, and those of the target behind
    them."""
    commits = [start]
    boundary = set[str]()
    seen = {start}
    for commit in commits:  # grows meanwhile
        for parent in graph.parents[commit]:
            if parent in graph.in_target:
                boundary.add(parent)
            elif parent not in seen:
                seen.add(parent)
                commits.append(parent)
    return commits, boundary
