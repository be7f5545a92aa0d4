"""The branches, detached HEADs and tags of a repository as items of work."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from symphony.domain.base import utc_now
from symphony.domain.git.since import plausible
from symphony.domain.git.status import RepoState
from symphony.domain.git.work import Comparison, Integration, WorkItem, WorkKind
from symphony.infrastructure.git.files.decoding import printable
from symphony.infrastructure.git.files.unreadable import Unreadable
from symphony.infrastructure.git.history.commits import Commit, Reader, to_time
from symphony.infrastructure.git.history.comparison import Pair, compare
from symphony.infrastructure.git.history.memory import Memory
from symphony.infrastructure.git.history.refs import Refs, short_name
from symphony.infrastructure.git.history.remote_knowledge import Upstream
from symphony.infrastructure.git.history.unpushed import Unpushed
from symphony.infrastructure.git.process.program import OutOfTime

_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Checkout:
    """A worktree of the repository: `branch` is None when its HEAD is detached, `head` is the id
    of its commit, None before the first one. The main worktree has no `path`.

    With `committed_at` of the head, git need not read the commit again.
    """

    path: str | None
    branch: str | None
    head: str | None
    committed_at: datetime | None = None


@dataclass(slots=True)
class Entry:
    """A ref or a detached HEAD with the id of its object, which leads to `commit`, if to any."""

    kind: WorkKind
    name: str | None
    worktree: str | None
    id: str
    upstream: Upstream | None = None
    commit: Commit | None = None


def list_entries(
    refs: Refs,
    checkouts: Sequence[Checkout],
    main_worktree: str | None,
    remote_ids: Collection[str],
) -> list[Entry]:
    """Return all branches, and the detached HEADs and tags that are not at a remote's commit."""
    checked_out = {
        each.branch: each.path or main_worktree for each in checkouts if each.branch is not None
    }
    return [
        *(
            Entry(WorkKind.BRANCH, name, checked_out.get(name), object_id)
            for name, object_id in refs.branches.items()
        ),
        *(
            Entry(WorkKind.DETACHED, None, each.path or main_worktree, each.head)
            for each in checkouts
            if each.branch is None and each.head is not None and each.head not in remote_ids
        ),
        *(
            Entry(WorkKind.TAG, name, None, object_id)
            for name, object_id in refs.tags.items()
            if object_id not in remote_ids
        ),
    ]


def most_recent(entries: Sequence[Entry], unpushed: Unpushed) -> list[Entry]:
    """Return the entries that are items of work, the most recent ones first: all branches, but
    detached HEADs and tags only with unpushed commits."""
    shown = [entry for entry in entries if _is_shown(entry, unpushed)]
    shown.sort(key=lambda entry: (entry.kind, entry.name or ""))
    shown.sort(key=_committed_at, reverse=True)
    return shown


def create_items(
    entries: Sequence[Entry],
    unpushed: Unpushed,
    integrated: Mapping[str, Integration],
    compared: Mapping[Pair, tuple[int, int]],
) -> list[WorkItem]:
    """Return the entries as items; `compared` has their commits and those of their upstreams."""
    now = utc_now()
    return [_item(entry, unpushed, integrated, compared, now) for entry in entries]


def compare_with_upstreams(
    reader: Reader, memory: Memory, entries: Iterable[Entry], known: Comparison | None
) -> Mapping[Pair, tuple[int, int]]:
    """Return ahead and behind for the commits of entries and of their upstreams, where possible.

    `known` is a comparison with a commit that the repository may lack.

    Raises: Unreadable (refused), Stopped.
    """
    pairs = {
        pair
        for entry in entries
        if (pair := pair_of(entry)) is not None and entry.upstream and not entry.upstream.is_absent
    }
    compared = memory.comparisons.each(sorted(pairs), partial(_compared, reader))
    if known is None:
        return compared
    return {(known.head, known.upstream): (known.ahead, known.behind), **compared}


def _committed_at(entry: Entry) -> datetime:
    return (entry.commit and entry.commit.committed_at) or _NEVER


def _is_shown(entry: Entry, unpushed: Unpushed) -> bool:
    if entry.kind == WorkKind.BRANCH:
        return True
    count = None if entry.commit is None else unpushed.of(entry.commit.id)
    return bool(count) or (count is None and entry.kind == WorkKind.DETACHED)


def _item(
    entry: Entry,
    unpushed: Unpushed,
    integrated: Mapping[str, Integration],
    compared: Mapping[Pair, tuple[int, int]],
    now: datetime,
) -> WorkItem:
    commit, pair = entry.commit, pair_of(entry)
    since = None if commit is None else unpushed.since.get(commit.id)
    ahead, behind = (None, None) if pair is None else compared.get(pair, (None, None))
    return WorkItem(
        kind=entry.kind,
        name=None if entry.name is None else printable(entry.name),
        worktree=None if entry.worktree is None else printable(entry.worktree),
        head=entry.id if commit is None else commit.id,
        upstream=None if entry.upstream is None else printable(short_name(entry.upstream.ref)),
        ahead=ahead,
        behind=behind,
        unpushed_commits=None if commit is None else unpushed.of(commit.id),
        integrated=Integration.UNKNOWN
        if commit is None
        else integrated.get(commit.id, Integration.UNKNOWN),
        committed_at=None if commit is None else commit.committed_at,
        unpushed_since=None if since is None else plausible(to_time(since), now),
    )


def pair_of(entry: Entry) -> Pair | None:
    """Return the commits of a branch and of its upstream; None when one of them is unknown."""
    if entry.commit is None or entry.upstream is None or entry.upstream.id is None:
        return None
    return entry.commit.id, entry.upstream.id


def _compared(reader: Reader, pairs: Sequence[Pair]) -> Mapping[Pair, tuple[int, int]]:
    try:
        return compare(reader, pairs)
    except OutOfTime:
        return {}
    except Unreadable as unreadable:
        if unreadable.state == RepoState.REFUSED:
            raise
        return {}
