"""Commits of a repository, read by their ids: no name of a ref reaches git."""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from symphony.infrastructure.git.files.unreadable import broken
from symphony.infrastructure.git.process.private_directory import PrivateDirectory

_MAX_COMMITS_READ = 32 << 20  # bytes
_MAX_PARENTS = 200_000  # of all commits together
_MAX_LINE = 1 << 20  # characters: a commit with its parents
_HEADER = re.compile(rb"([0-9a-f]+) commit (\d+)\n")
_COMMITTER = re.compile(rb"committer [^\n]*> (-?\d{1,15}) [+-]\d+")
_OTHER = re.compile(rb"[^\n]*\n")  # `<what was asked> missing`, or one of another kind


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit to which an id leads, through any number of tags."""

    id: str
    committed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads commits until a deadline, a time of the monotonic clock."""

    private: PrivateDirectory
    deadline: float

    def commits(self, ids: Collection[str]) -> dict[str, Commit | None]:
        """Return the commit for each id; None for one that does not lead to a commit.

        Raises: Unreadable, Stopped, OutOfTime.
        """
        found: dict[str, Commit | None] = dict.fromkeys(ids)
        usable = self._usable(ids)
        if not usable:
            return found
        output = self._output(
            ("cat-file", "--batch"), (f"{each}^{{commit}}" for each in usable), _MAX_COMMITS_READ
        )
        position = 0
        for each in usable:
            self.private.program.check_stopped()
            header = _HEADER.match(output, position)
            if header is None:
                other = _OTHER.match(output, position)
                if other is None or not other[0].endswith((b" missing\n", b" ambiguous\n")):
                    raise broken("git printed something unexpected about an object.")
                position = other.end()
                continue
            end = header.end() + int(header[2])
            head = output[header.end() : end].partition(b"\n\n")[0]
            committer = _COMMITTER.search(head)
            time = None if committer is None else to_time(int(committer[1]))
            found[each] = Commit(header[1].decode(), time)
            position = end + 1
        return found

    def existing(self, ids: Collection[str]) -> set[str]:
        """Return the ids of objects that exist, with all that they lead to if they are tags.

        Raises: Unreadable, Stopped, OutOfTime.
        """
        usable = self._usable(ids)
        if not usable:
            return set()
        output = self._output(
            ("cat-file", "--batch-check"), (f"{each}^{{}}" for each in usable), _MAX_COMMITS_READ
        )
        lines = output.split(b"\n")
        return {
            each
            for each, line in zip(usable, lines, strict=False)
            if not line.endswith((b" missing", b" ambiguous"))
        }

    def reached(
        self,
        tips: Iterable[str],
        but_not_from: Iterable[str],
        limit: int,
        times: dict[str, int] | None = None,
    ) -> dict[str, list[str]] | None:
        """Return the commits that `tips` reach and the others do not, with their parents.

        None when there are more than `limit`. `times` gets the time of each, in seconds since 1970.

        Raises: Unreadable, Stopped, OutOfTime.
        """
        commits: dict[str, list[str]] = {}
        lines = [*tips, *(f"^{each}" for each in but_not_from)]

        edges = 0

        def consume(line: str) -> None:
            nonlocal edges
            seconds, commit, *parents = line.split(" ")
            commits[commit] = parents
            if times is not None:
                times[commit] = int(seconds)
            edges += len(parents)
            if edges > _MAX_PARENTS:
                raise broken(f"The commits have more than {_MAX_PARENTS:,} parents.")

        command = ("rev-list", "--timestamp", "--parents", f"--max-count={limit + 1}", "--stdin")
        self.run(command, lines, consume)
        return None if len(commits) > limit else commits

    def run(
        self, arguments: tuple[str, ...], lines: Iterable[str], consume: Callable[[str], None]
    ) -> None:
        """Pass each line of git's output to `consume`. Raises: Unreadable, Stopped, OutOfTime."""
        rest = ""

        def split(chunk: bytes) -> None:
            nonlocal rest
            self.private.program.check_stopped()
            *complete, rest = (rest + chunk.decode("ascii", "replace")).split("\n")
            for line in complete:
                consume(line)
            if len(rest) > _MAX_LINE:
                raise broken("A commit has too many parents.")

        self.private.stream_with_input(
            *arguments, data=_joined(lines), consume=split, deadline=self.deadline
        )

    def _usable(self, ids: Iterable[str]) -> list[str]:
        """Return the ids that have the length of this repository's ids."""
        length = 2 * self.private.config.id_size()
        return [each for each in ids if len(each) == length]

    def _output(self, arguments: tuple[str, ...], lines: Iterable[str], limit: int) -> bytes:
        output = bytearray()

        def consume(chunk: bytes) -> None:
            output.extend(chunk)
            if len(output) > limit:
                raise broken(f"The commits of the refs exceed {limit:,} bytes.")

        self.private.stream_with_input(
            *arguments, data=_joined(lines), consume=consume, deadline=self.deadline
        )
        return bytes(output)


def to_time(seconds: int) -> datetime | None:
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def reach(
    parents: Mapping[str, Collection[str]],
    tips: Collection[str],
    check_stopped: Callable[[], None],
) -> dict[str, int]:
    """Return for each tip which of the commits it reaches, as bits.

    A tip that is none of the commits reaches nothing.
    """
    children = dict.fromkeys(parents, 0)
    for each in parents.values():
        for parent in each:
            if parent in children:
                children[parent] += 1
    remaining = {commit: sum(p in children for p in own) for commit, own in parents.items()}
    by_parent: dict[str, list[str]] = {}
    for commit, own in parents.items():
        for parent in own:
            by_parent.setdefault(parent, []).append(commit)
    kept = set(tips)
    ready = [commit for commit, count in remaining.items() if count == 0]
    reached: dict[str, int] = {}
    for number, commit in enumerate(ready):  # grows meanwhile
        if number % 1_000 == 0:
            check_stopped()
        bits = 1 << number
        for parent in parents[commit]:
            if parent in children:
                bits |= reached[parent]
                children[parent] -= 1
                if children[parent] == 0 and parent not in kept:
                    del reached[parent]
        reached[commit] = bits
        for child in by_parent.get(commit, ()):
            remaining[child] -= 1
            if remaining[child] == 0:
                ready.append(child)
    return {tip: reached.get(tip, 0) for tip in kept}


def oldest_reached(
    parents: Mapping[str, Collection[str]], times: Mapping[str, int], tips: Collection[str]
) -> dict[str, int]:
    """Return for each tip the earliest of the `times` of the commits that it reaches.

    A tip that reaches no commit with a time is left out.
    """
    children: dict[str, list[str]] = {}
    for commit, own in parents.items():
        for parent in own:
            children.setdefault(parent, []).append(commit)
    found: dict[str, int] = {}
    for oldest in sorted(times, key=times.__getitem__):
        pending = [oldest]
        while pending:
            commit = pending.pop()
            if commit not in found:
                found[commit] = times[oldest]
                pending += children.get(commit, ())
    return {tip: found[tip] for tip in tips if tip in found}


def _joined(lines: Iterable[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()
