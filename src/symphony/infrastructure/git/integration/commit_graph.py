"""The part of a history in which some commits differ from another one."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from symphony.infrastructure.git.process.private_directory import PrivateDirectory
from symphony.infrastructure.git.process.program import OutOfTime

_MAX_COMMITS = 20_000  # of the target, and again of the tips
_MAX_PARENTS = 200_000  # of all commits together
_MAX_CORRECTIONS = 500_000  # of flags
_TARGET = 1  # the flag of commits that the target reaches; the others are those of the tips


@dataclass(frozen=True, slots=True)
class CommitGraph:
    """The commits that were read, with their parents and trees, by their ids.

    `in_target` are those that the target reaches, also some that were not read. Everything that
    only the target or only a tip reaches was read, except for the `incomplete` tips.
    """

    target: str
    parents: Mapping[str, Sequence[str]]
    trees: Mapping[str, str]
    in_target: frozenset[str]
    incomplete: frozenset[str]

    def children_first(self) -> list[str]:
        """Return the commits that were read, each one before its parents."""
        children = dict.fromkeys(self.parents, 0)
        for parents in self.parents.values():
            for parent in parents:
                if parent in children:
                    children[parent] += 1
        ready = [commit for commit, count in children.items() if count == 0]
        ordered: list[str] = []
        while ready:
            commit = ready.pop()
            ordered.append(commit)
            for parent in self.parents[commit]:
                if parent in children:
                    children[parent] -= 1
                    if children[parent] == 0:
                        ready.append(parent)
        return ordered

    def reached_from(self, starts: Iterable[str]) -> dict[str, int]:
        """Return for each commit which of `starts` reach it, as bits; the first one is bit 0."""
        reached = {start: 1 << number for number, start in enumerate(starts)}
        for commit in self.children_first():
            if bits := reached.get(commit):
                for parent in self.parents[commit]:
                    reached[parent] = reached.get(parent, 0) | bits
        return reached


def read_graph(
    directory: PrivateDirectory, tips: Sequence[str], target: str, deadline: float
) -> CommitGraph:
    """Read the history of the target and of the tips, back to the commits that all have in common.

    Raises: Unreadable, Stopped.
    """
    walk = _Walk(directory, tips, target)
    with suppress(_Enough, OutOfTime):
        directory.stream_with_input(
            *("rev-list", "--no-commit-header", "--format=%H %T %P", "--stdin"),
            data="".join(f"{commit}\n" for commit in (target, *tips)).encode(),
            consume=walk.consume,
            deadline=deadline,
        )
    return walk.graph()


class _Enough(Exception):
    """Nothing that follows in git's output is needed."""


class _Walk:
    """The commits in git's output, the most recent first.

    Each commit has flags: those of the target and the tips that reach it. Once every commit that is
    still to come has all flags, nothing that follows can differ.
    """

    def __init__(self, directory: PrivateDirectory, tips: Sequence[str], target: str) -> None:
        self._check_stopped = directory.program.check_stopped
        self._target = target
        self._tips = tips
        self._all = (1 << len(tips) + 1) - 1
        self._parents: dict[str, tuple[str, ...]] = {}
        self._trees: dict[str, str] = {}
        self._flags: dict[str, int] = {}
        self._unread: set[str] = set()
        self._differing: set[str] = set()  # of the unread ones, those without all flags
        self._last: set[str] | None = None  # the commits to read before the end
        self._edges = 0
        self._corrections = 0
        self._numbers = [0, 0]  # of commits of the tips, and of the target
        self._rest = ""
        self._add(target, _TARGET)
        for number, tip in enumerate(tips, 1):
            self._add(tip, 1 << number)

    def consume(self, chunk: bytes) -> None:
        self._check_stopped()
        *lines, self._rest = (self._rest + chunk.decode("ascii", "replace")).split("\n")
        for line in lines:
            self._read(*line.split())

    def _read(self, commit: str, tree: str, *parents: str) -> None:
        self._parents[commit] = parents
        self._trees[commit] = tree
        self._unread.discard(commit)
        self._differing.discard(commit)
        flags = self._flags[commit]
        for parent in parents:
            self._add(parent, flags)
        self._edges += len(parents)
        self._numbers[flags & _TARGET] += 1
        if self._numbers[flags & _TARGET] > _MAX_COMMITS or self._edges > _MAX_PARENTS:
            raise _Enough
        if self._last is None and not self._differing:
            self._last = set(self._unread)  # among them are the merge bases, whose trees are needed
        if self._last is not None and not self._differing:
            self._last.discard(commit)
            if not self._last:
                raise _Enough

    def _add(self, commit: str, flags: int) -> None:
        """Add flags to a commit, and to its ancestors where these came first, by wrong clocks."""
        pending = [commit]
        while pending:
            each = pending.pop()
            known = self._flags.get(each, 0)
            if known | flags == known:
                continue
            self._flags[each] = known | flags
            if each in self._parents:
                self._corrections += 1
                if self._corrections > _MAX_CORRECTIONS:
                    raise _Enough
                pending.extend(self._parents[each])
            else:
                self._unread.add(each)
                if known | flags == self._all:
                    self._differing.discard(each)
                else:
                    self._differing.add(each)

    def graph(self) -> CommitGraph:
        incomplete = self._all if self._corrections > _MAX_CORRECTIONS else 0
        for commit in self._differing:
            flags = self._flags[commit]
            incomplete |= ~flags if flags & _TARGET else flags
        return CommitGraph(
            self._target,
            self._parents,
            self._trees,
            frozenset(commit for commit, flags in self._flags.items() if flags & _TARGET),
            frozenset(tip for number, tip in enumerate(self._tips, 1) if incomplete >> number & 1),
        )
