"""The commits that are on no remote, as far as is known."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from symphony.domain.git.since import FIRST
from symphony.domain.git.status import RepoState
from symphony.infrastructure.git.files.unreadable import Unreadable
from symphony.infrastructure.git.history.commits import Reader, oldest_reached, reach
from symphony.infrastructure.git.process.program import OutOfTime

_MAX_TIPS = 2_000
_MAX_COMMITS = 20_000
_MAX_SHALLOW = 1 << 20  # bytes
_FIRST = FIRST.timestamp()


@dataclass(frozen=True, slots=True)
class Unpushed:
    """The commits that are on no remote: `count`, or None with the `reason` why it is unknown.

    `reached` has for each tip the commits among them that it reaches, as bits. `pushed` are ids of
    commits that are on a remote, whatever else is unknown. `since` has for each tip the time of the
    oldest of the commits that it reaches, in seconds since 1970, without times before git existed;
    it may be in the future.
    """

    count: int | None
    reason: str | None = None
    reached: Mapping[str, int] = field(default_factory=dict[str, int])
    pushed: Collection[str] = ()
    since: Mapping[str, int] = field(default_factory=dict[str, int])

    def of(self, tip: str) -> int | None:
        """Return how many of the commits a tip reaches; None when unknown."""
        if tip in self.pushed:
            return 0
        return None if self.count is None else self.reached.get(tip, 0).bit_count()


def read_unpushed(reader: Reader, tips: Collection[str], remote_ids: Collection[str]) -> Unpushed:
    """Return the commits that a tip reaches, and no commit of a remote.

    Raises: Unreadable (refused), Stopped.
    """
    starts = [tip for tip in tips if tip not in remote_ids]
    if len(starts) > _MAX_TIPS:
        reason = f"More than {_MAX_TIPS:,} branches and tags differ from those of the remotes."
        return Unpushed(None, reason, pushed=remote_ids)
    try:
        return _read(reader, starts, remote_ids) if starts else Unpushed(0, pushed=remote_ids)
    except OutOfTime:
        reason = "The unpushed commits take too long to read."
    except Unreadable as unreadable:
        if unreadable.state == RepoState.REFUSED:
            raise
        reason = unreadable.reason
    return Unpushed(None, reason, pushed=remote_ids)


def _read(reader: Reader, starts: Collection[str], remote_ids: Collection[str]) -> Unpushed:
    is_missing = False
    times = dict[str, int]()
    try:
        commits = reader.reached(starts, remote_ids, _MAX_COMMITS, times)
    except Unreadable as unreadable:
        if unreadable.state == RepoState.REFUSED:
            raise
        existing = reader.existing(remote_ids)
        if len(existing) == len(remote_ids):
            raise
        is_missing = True
        times.clear()
        commits = reader.reached(starts, existing, _MAX_COMMITS, times)
    if commits is None:
        reason = f"More than {_MAX_COMMITS:,} commits are on no remote."
    elif commits and is_missing:
        reason = "The repository lacks the commit of a remote-tracking branch."
    elif commits and not _is_exact(reader, commits):
        reason = "The clone is shallow: whether its commits are on the remote is unknown."
    else:
        check_stopped = reader.private.program.check_stopped
        reached = reach(commits, starts, check_stopped) if commits else dict[str, int]()
        times = {commit: time for commit, time in times.items() if time >= _FIRST}
        since = oldest_reached(commits, times, starts)
        return Unpushed(len(commits), reached=reached, pushed=remote_ids, since=since)
    return Unpushed(None, reason, pushed=remote_ids)


def _is_exact(reader: Reader, commits: Mapping[str, Collection[str]]) -> bool:
    """Return whether no history that a shallow clone lacks can change which commits these are.

    Such a commit could be an ancestor of one whose parents are cut off, except when it descends
    from all of these.
    """
    file = reader.private.path / "shallow"
    if not file.exists():
        return True
    if file.stat().st_size > _MAX_SHALLOW:
        return False
    cut_off = set(file.read_text("ascii", "replace").split())
    if not cut_off.isdisjoint(commits):
        return False
    before = {parent for own in commits.values() for parent in own if parent not in commits}
    history = reader.reached(before, (), _MAX_COMMITS)
    if history is None or not cut_off <= history.keys():
        return False
    reached = reach(history, before | cut_off, reader.private.program.check_stopped)
    all_cut_off = 0
    for each in cut_off:
        all_cut_off |= reached[each]  # itself alone
    for own in commits.values():
        if any(parent in commits for parent in own):
            continue
        below = 0
        for parent in own:
            below |= reached[parent]
        if all_cut_off & ~below:
            return False
    return True
