"""The committed work of a repository: what its branches, tags and worktrees hold."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace

from symphony.domain.git.status import RepoState
from symphony.domain.git.work import RemoteHeads, Tracking, Work, WorkKind
from symphony.infrastructure.git.files.decoding import printable
from symphony.infrastructure.git.files.unreadable import Unreadable
from symphony.infrastructure.git.history.commits import Commit, Reader
from symphony.infrastructure.git.history.comparison import Pair
from symphony.infrastructure.git.history.items import (
    Checkout,
    Entry,
    compare_with_upstreams,
    create_items,
    list_entries,
    most_recent,
    pair_of,
)
from symphony.infrastructure.git.history.memory import Memory
from symphony.infrastructure.git.history.other_refs import reason_of_risk
from symphony.infrastructure.git.history.places import unpushed_places
from symphony.infrastructure.git.history.refs import Refs, RefsOnce
from symphony.infrastructure.git.history.remote_knowledge import read_remotes
from symphony.infrastructure.git.history.risk import find_risk
from symphony.infrastructure.git.process.private_directory import PrivateDirectory
from symphony.infrastructure.git.process.program import OutOfTime

_MAX_ITEMS = 500
_TIME_LIMIT = 5.0  # seconds
_MAX_NAMED = 5  # damaged refs in a reason
_UNKNOWN_INTEGRATION = "Whether the unpushed commits are integrated is unknown."
_KINDS = {
    WorkKind.BRANCH: "The branch",
    WorkKind.DETACHED: "The detached HEAD",
    WorkKind.TAG: "The tag",
}


def read_work(
    private: PrivateDirectory,
    memory: Memory,
    checkouts: Sequence[Checkout],
    synced: RemoteHeads | None,
    refs: RefsOnce,
) -> Work:
    """Return the committed work of the repository.

    A damaged ref, a limit or the end of the time makes `unpushed_commits` None, with a reason; so
    does what cannot be proved with `at_risk`. A reason beside both numbers names what is ignored,
    as git ignores it.

    Raises: Unreadable (refused), Stopped.
    """
    try:
        return _read(private, memory, checkouts, synced, refs)
    except Unreadable as unreadable:
        if unreadable.state == RepoState.REFUSED:
            raise
        reason = unreadable.reason
    except OutOfTime:
        reason = f"The commits take longer to read than {_TIME_LIMIT} seconds."
    except OSError as error:
        reason = f"The refs cannot be read: {error.strerror or 'unknown error'}."
    return unknown_work(reason)


def unknown_work(reason: str) -> Work:
    return Work(
        unpushed_commits=None, at_risk=None, items=[], is_truncated=True, as_of=None, reason=reason
    )


def _read(
    private: PrivateDirectory,
    memory: Memory,
    checkouts: Sequence[Checkout],
    synced: RemoteHeads | None,
    refs_once: RefsOnce,
) -> Work:
    deadline = time.monotonic() + _TIME_LIMIT
    reader = Reader(private, deadline)
    refs = refs_once.read()
    remotes = read_remotes(reader, refs, synced)
    location = private.location
    is_main = location.work_tree is not None and not location.is_linked
    main = str(location.work_tree.path) if is_main and location.work_tree is not None else None
    entries = list_entries(refs, checkouts, main, remotes.ids)
    for entry in entries:
        if entry.kind == WorkKind.BRANCH and entry.name is not None:
            private.program.check_stopped()
            entry.upstream = remotes.upstream(entry.name)
    damaged = [*refs.damaged, *_set_commits(reader, memory, entries, checkouts, refs)]
    tips = {entry.commit.id for entry in entries if entry.commit is not None}
    unpushed = memory.read_unpushed(reader, tips, remotes.ids)
    shown = most_recent(entries, unpushed)
    listed = shown[:_MAX_ITEMS]
    listed_tips = {entry.commit.id for entry in listed if entry.commit is not None}
    risk = find_risk(reader, memory, listed_tips, unpushed, remotes.targets)
    current = next((entry for entry in entries if _is_current(entry, checkouts)), None)
    compared = compare_with_upstreams(
        reader, memory, listed if current is None else [*listed, current], remotes.comparison
    )
    count = unpushed.count
    at_risk = risk.commits
    is_unproved = at_risk is None and unpushed.count is not None
    reason = _UNKNOWN_INTEGRATION if is_unproved else unpushed.reason
    if damaged:
        count, reason = None, _joined(damaged)
        at_risk = at_risk or None
    else:
        elsewhere = reason_of_risk(reader, refs.others, {*remotes.ids, *tips})
        if elsewhere is not None:
            at_risk = at_risk or None
        sentences = [each for each in (reason, elsewhere) if each is not None]
        reason = _joined(sentences or refs.ignored) or None
    return Work(
        unpushed_commits=count,
        at_risk=at_risk,
        items=create_items(listed, unpushed, risk.integrated, compared),
        is_truncated=len(shown) > _MAX_ITEMS,
        as_of=remotes.as_of,
        places=unpushed_places(shown, unpushed, risk),
        tracking=_tracking(current, compared) if remotes.is_synced else None,
        reason=reason,
    )


def _is_current(entry: Entry, checkouts: Sequence[Checkout]) -> bool:
    """Return whether a branch is checked out in the inspected worktree, which is the first."""
    branches = [each.branch for each in checkouts[:1] if each.branch is not None]
    return entry.kind == WorkKind.BRANCH and entry.name in branches


def _tracking(current: Entry | None, compared: Mapping[Pair, tuple[int, int]]) -> Tracking | None:
    """Return how the checked-out branch compares with what the last sync saw of its upstream."""
    if current is None or current.upstream is None or (pair := pair_of(current)) is None:
        return None
    ahead, behind = compared.get(pair, (None, None))
    return Tracking(ahead, behind, is_behind=current.upstream.is_absent or bool(behind))


def _set_commits(
    reader: Reader,
    memory: Memory,
    entries: Sequence[Entry],
    checkouts: Sequence[Checkout],
    refs: Refs,
) -> list[str]:
    """Set the commits of entries and of their upstreams; return a sentence for each damaged ref.

    Raises: Unreadable, Stopped, OutOfTime.
    """
    known: dict[str, Commit | None] = {
        each.head: Commit(each.head, each.committed_at)
        for each in checkouts
        if each.head is not None and each.committed_at is not None
    }
    needed = dict.fromkeys(entry.id for entry in entries)
    upstreams = (each.id for entry in entries if (each := entry.upstream) and not each.is_absent)
    needed |= dict.fromkeys(each for each in upstreams if each is not None)
    commits = known | memory.commits.each(needed.keys() - known.keys(), reader.commits)
    without = list[Entry]()
    for entry in entries:
        entry.commit = commits[entry.id]
        if entry.commit is None:
            without.append(entry)
        if entry.upstream and entry.upstream.id is not None and not entry.upstream.is_absent:
            upstream = commits[entry.upstream.id]
            entry.upstream = replace(entry.upstream, id=None if upstream is None else upstream.id)
    return _damages(reader, without, refs)


def _damages(reader: Reader, without: Sequence[Entry], refs: Refs) -> list[str]:
    """Return a sentence for each entry without a commit, except for tags of other objects."""
    existing = reader.existing({entry.id for entry in without})
    damages = list[str]()
    for entry in without:
        shown = f"{_KINDS[entry.kind]} {printable(entry.name or '')[:200]}".rstrip()
        if entry.id not in existing:
            damages.append(f"{shown} refers to an object that the repository lacks.")
        elif entry.kind == WorkKind.TAG:
            refs.ignored.append(f"{shown} refers to no commit.")
        else:
            damages.append(f"{shown} refers to no commit.")
    return damages


def _joined(sentences: Sequence[str]) -> str:
    others = len(sentences) - _MAX_NAMED
    more = [f"And {others:,} more."] if others > 0 else []
    return " ".join([*sentences[:_MAX_NAMED], *more])
