"""How far branches are ahead of and behind their upstreams."""

from collections.abc import Mapping, Sequence
from contextlib import suppress

from symphony.infrastructure.git.history.commits import Reader, reach

_MAX_COMMITS = 20_000
_MAX_PARENTS = 200_000  # of all commits together
_SLOP = 100  # commits that are read beyond the end, for clocks that were wrong

Pair = tuple[str, str]
"""The commits of a branch and of its upstream."""


def compare(reader: Reader, pairs: Sequence[Pair]) -> Mapping[Pair, tuple[int, int]]:
    """Return ahead and behind for each pair; a pair that is beyond the limits is not in the result.

    Raises: Unreadable, Stopped, OutOfTime.
    """
    different = list(dict.fromkeys(pair for pair in pairs if pair[0] != pair[1]))
    answers = {pair: (0, 0) for pair in pairs if pair[0] == pair[1]}
    if not different:
        return answers
    walk = _Walk(different)
    starts = list(dict.fromkeys(commit for pair in different for commit in pair))
    with suppress(_Enough):
        reader.run(("rev-list", "--parents", "--stdin"), starts, walk.read)
    incomplete = walk.incomplete()
    reached = reach(walk.parents, starts, reader.private.program.check_stopped)
    for number, (own, upstream) in enumerate(different):
        if not incomplete >> 2 * number & 1:
            ahead = (reached[own] & ~reached[upstream]).bit_count()
            behind = (reached[upstream] & ~reached[own]).bit_count()
            answers[own, upstream] = ahead, behind
    return answers


class _Enough(Exception):
    """Nothing that follows in git's output is needed."""


class _Walk:
    """The commits in git's output, the most recent first.

    Each commit has two flags for each pair: one for each end that reaches it. Once every commit
    that is still to come has both flags of a pair or none, nothing that follows can differ.
    """

    def __init__(self, pairs: Sequence[Pair]) -> None:
        self.parents: dict[str, list[str]] = {}
        self._firsts = sum(1 << 2 * number for number in range(len(pairs)))
        self._flags: dict[str, int] = {}
        self._unread: set[str] = set()
        self._differing: set[str] = set()
        self._edges = 0
        self._slop = _SLOP
        for number, (own, upstream) in enumerate(pairs):
            self._add(own, 1 << 2 * number)
            self._add(upstream, 2 << 2 * number)

    def read(self, line: str) -> None:
        commit, *parents = line.split(" ")
        self.parents[commit] = parents
        self._unread.discard(commit)
        self._differing.discard(commit)
        flags = self._flags.get(commit, 0)
        for parent in parents:
            self._add(parent, flags)
        self._edges += len(parents)
        if len(self.parents) >= _MAX_COMMITS or self._edges > _MAX_PARENTS:
            raise _Enough
        if not self._differing:
            self._slop -= 1
            if self._slop < 0:
                raise _Enough

    def incomplete(self) -> int:
        """Return the pairs of which not everything was read, as their first flags."""
        flags = 0
        for commit in self._differing:
            flags |= self._difference(self._flags[commit])
        return flags

    def _add(self, commit: str, flags: int) -> None:
        """Add flags to a commit, and to its ancestors where these came first, by wrong clocks."""
        pending = [commit]
        while pending:
            each = pending.pop()
            known = self._flags.get(each, 0)
            if known | flags == known:
                continue
            self._flags[each] = known | flags
            if each in self.parents:
                pending.extend(self.parents[each])
            else:
                self._unread.add(each)
                if self._difference(known | flags):
                    self._differing.add(each)
                else:
                    self._differing.discard(each)

    def _difference(self, flags: int) -> int:
        return (flags ^ flags >> 1) & self._firsts
