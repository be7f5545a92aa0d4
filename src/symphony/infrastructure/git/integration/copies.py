"""Changes of branches that are in the history of the target, in other commits."""

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from symphony.infrastructure.git.files.stopping import CheckStopped
from symphony.infrastructure.git.integration.changes import (
    Change,
    Outline,
    read_outlines,
    read_texts,
)
from symphony.infrastructure.git.integration.commit_graph import CommitGraph
from symphony.infrastructure.git.integration.forks import Fork, Forks
from symphony.infrastructure.git.process.private_directory import PrivateDirectory

_MAX_OWN_CHANGES = 20_000  # of all forks together
_MAX_COMPARED = 25_000  # changes that are compared as text

_EMPTY_TREES = {
    40: "4b825dc642cb6eb9a060e54bf8d69288fbee4904",
    64: "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321",
}


@dataclass(frozen=True, slots=True)
class Copies:
    """The forks whose changes were found, and those for which it could not be determined.

    `outlines` are those of the whole changes.
    """

    found: set[str]
    undecided: set[str]
    outlines: dict[str, Outline]


def find_copies(
    directory: PrivateDirectory, graph: CommitGraph, forks: Forks, deadline: float
) -> Copies:
    """Find the forks whose whole change is that of one commit of the target, or of which each
    commit has the same change as a commit of the target.

    Only commits that the merge base does not reach count, and no merges. A fork with merges must be
    in one commit, since a merge can have content of its own. An empty change is in no commit.

    Raises: Unreadable, Stopped.
    """
    search = _Search(directory, graph, forks, deadline)
    search.read_outlines()
    search.compare_texts()
    return search.result()


class _Search:
    def __init__(
        self, directory: PrivateDirectory, graph: CommitGraph, forks: Forks, deadline: float
    ) -> None:
        self._directory = directory
        self._check_stopped: CheckStopped = directory.program.check_stopped
        self._graph = graph
        self._forks = forks
        self._deadline = deadline
        self._wholes = {tip: whole_change(graph, fork) for tip, fork in forks.of.items()}
        self._own: dict[Change, Outline] = {}
        self._candidates: dict[bytes, list[tuple[str, bytes]]] = {}  # by the paths of the change
        self._is_complete = False
        self._texts: dict[Change, bytes] = {}

    def read_outlines(self) -> None:
        """Read the outlines of the forks, and of the commits of the target with the same paths."""
        own = set(own_in_order := self._own_changes()[:_MAX_OWN_CHANGES])
        wanted = set[bytes]()

        def add(change: Change, outline: Outline) -> None:
            if change in own:  # they are the first
                self._own[change] = outline
                if outline.paths:
                    wanted.add(outline.paths)
            elif outline.paths in wanted:
                self._candidates.setdefault(outline.paths, []).append((change, outline.exact))

        changes = [*own_in_order, *self._commits_of_the_target()]
        self._is_complete = read_outlines(self._directory, changes, add, self._deadline)

    def _own_changes(self) -> list[Change]:
        """Return the whole changes of all forks, then their single commits."""
        changes = dict.fromkeys(self._wholes.values())
        for fork in self._forks.of.values():
            changes.update(dict.fromkeys(_single_changes(fork)))
        return list(changes)

    def _commits_of_the_target(self) -> Iterable[str]:
        """Yield the commits that are not reached by every merge base, without merges."""
        bases = {fork.base for fork in self._forks.of.values()}
        of_all = sum(self._forks.bits[base] for base in bases if base is not None)
        for commit, parents in self._graph.parents.items():
            if commit in self._graph.in_target and len(parents) < 2:
                reached = self._forks.reached.get(commit, 0)
                if None in bases or reached & of_all != of_all:
                    yield commit

    def compare_texts(self) -> None:
        """Read the texts of changes that may be the same although they have other contents.

        First of each fork the change with the fewest counterparts: mostly, it has none.
        """
        for read_all in (False, True):
            needed: dict[Change, None] = {}
            for tip, fork in self._forks.of.items():
                for changes in self._undecided_ways(tip, fork):
                    self._add_texts(changes if read_all else changes[:1], fork, needed)
            missing = [change for change in needed if change not in self._texts]
            if missing:
                self._texts |= read_texts(self._directory, missing[:_MAX_COMPARED], self._deadline)

    def _undecided_ways(self, tip: str, fork: Fork) -> list[list[Change]]:
        """Return the changes of which it is not known whether they are in the target, unless the
        others decide it; those with the fewest counterparts first."""
        undecided: list[list[Change]] = []
        for changes in self._ways(tip):
            states = {change: self._is_in_target(change, fork) for change in changes}
            if False in states.values():
                continue
            pending = [change for change, state in states.items() if state is None]
            if not pending:
                return []
            undecided.append(sorted(pending, key=self._number_of_counterparts))
        return undecided

    def _number_of_counterparts(self, change: Change) -> int:
        outline = self._own.get(change)
        return 0 if outline is None else len(self._candidates.get(outline.paths, ()))

    def _add_texts(self, changes: Sequence[Change], fork: Fork, needed: dict[Change, None]) -> None:
        for change in changes:
            if self._is_late():
                return
            needed[change] = None
            needed.update((commit, None) for commit, _ in self._counterparts(change, fork))

    def _is_late(self) -> bool:
        self._check_stopped()
        return time.monotonic() > self._deadline

    def result(self) -> Copies:
        found, undecided = set[str](), set[str]()
        for tip, fork in self._forks.of.items():
            ways = ([self._is_in_target(each, fork) for each in way] for way in self._ways(tip))
            match _any(_all(way) for way in ways):
                case True:
                    found.add(tip)
                case None:
                    undecided.add(tip)
                case _:
                    pass
        outlines = {
            tip: self._own[whole] for tip, whole in self._wholes.items() if whole in self._own
        }
        return Copies(found, undecided, outlines)

    def _ways(self, tip: str) -> list[Sequence[Change]]:
        """Return the changes that must be in the target: all of the first, or all of the second."""
        single = _single_changes(self._forks.of[tip])
        return [[self._wholes[tip]], single] if single else [[self._wholes[tip]]]

    def _is_in_target(self, change: Change, fork: Fork) -> bool | None:
        """Return whether a commit of the target has the same change; None when it may have."""
        outline = self._own.get(change)
        if outline is None or self._is_late():
            return None
        if not outline.paths:
            return False
        text = self._texts.get(change)
        is_known = self._is_complete
        for commit, exact in self._counterparts(change, fork):
            if exact == outline.exact:
                return True
            other = self._texts.get(commit)
            if text is None or other is None:
                is_known = False
            elif text == other:
                return True
        return False if is_known else None

    def _counterparts(self, change: Change, fork: Fork) -> Iterator[tuple[str, bytes]]:
        """Yield the commits of the target that change the same paths, with their contents."""
        outline = self._own.get(change)
        if outline is not None and outline.paths:
            for commit, exact in self._candidates.get(outline.paths, ()):
                if self._forks.is_after(commit, fork.base):
                    yield commit, exact


def whole_change(graph: CommitGraph, fork: Fork) -> Change:
    """Return the change from the merge base to the tip; from nothing when there is no base."""
    tip_tree = graph.trees[fork.tip]
    base_tree = _EMPTY_TREES[len(tip_tree)] if fork.base is None else graph.trees[fork.base]
    return f"{base_tree} {tip_tree}"


def _single_changes(fork: Fork) -> Sequence[Change]:
    return fork.commits if len(fork.commits) > 1 and not fork.has_merges else ()


def _all(states: Iterable[bool | None]) -> bool | None:
    known = set(states)
    return False if False in known else None if None in known else True


def _any(states: Iterable[bool | None]) -> bool | None:
    known = set(states)
    return True if True in known else None if None in known else False
