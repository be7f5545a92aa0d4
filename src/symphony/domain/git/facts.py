"""The facts of a status from which reasons for attention are derived."""

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from datetime import UTC, datetime
from typing import Any, Self

from symphony.domain.git.since import earliest
from symphony.domain.git.status import RepoState, RepoStatus
from symphony.domain.git.work import UnpushedPlaces, WorkItem, WorkKind
from symphony.domain.json_objects import JsonValue

_MAX_BRANCHES = 20


@dataclass(frozen=True, slots=True)
class UnfinishedWork:
    """A branch, a detached HEAD or a tag with commits that are on no remote, or may be on none, and
    whose change is not known to be integrated there; `head` is the id of its commit, `since` the
    time of the oldest of these commits, if it is known."""

    kind: WorkKind
    name: str | None
    head: str
    since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RepoFacts:
    """The facts of a status, in short.

    `is_unfinished`: files have conflicts, or an operation (a merge, a rebase) is in progress.
    `has_unpushed`: a branch or tag has commits that are on no remote, and not known to be
    integrated there; `unpushed_branches` names up to 20 such branches. `has_detached`: only the
    detached HEAD of a worktree reaches such commits. `has_dirty_worktree`: a linked worktree is
    dirty. `unfinished` is where such commits are, None when not all of it is known.
    `is_only_unpushed`: nothing but `unfinished` can put anything at risk. `worktrees_since`: since
    when linked worktrees are dirty; `unpushed_since`: since when such commits exist, where it is
    not known of each in `unfinished`. The other fields are those of the status.
    """

    state: RepoState
    has_remote: bool
    is_unfinished: bool
    branch: str | None
    ahead: int | None
    behind: int | None
    is_behind: bool
    staged: int
    modified: int
    untracked: int
    conflicted: int
    stashes: int
    unpushed_commits: int | None
    unpushed_branches: Sequence[str]
    has_unpushed: bool
    has_detached: bool
    has_dirty_worktree: bool
    at_risk: bool | None
    authored_at: datetime | None
    unfinished: Sequence[UnfinishedWork] | None = None
    is_only_unpushed: bool = False
    changed_since: datetime | None = None
    worktrees_since: datetime | None = None
    stashed_since: datetime | None = None
    unpushed_since: datetime | None = None

    @property
    def unfinished_since(self) -> datetime | None:
        """Since when, at least, something of this is unfinished; None when it is unknown, or
        nothing is.

        The time of work that does not exist does not count: a report may have one. In clean files
        there can still be work that `git status` does not report, which is then at risk.
        """
        is_hidden = self.at_risk is True
        times = list[datetime | None]()
        if self.state == RepoState.DIRTY or self.is_unfinished or is_hidden:
            times.append(self.changed_since)
        if self.has_dirty_worktree or is_hidden:
            times.append(self.worktrees_since)
        if self.stashes:
            times.append(self.stashed_since)
        if self.has_unpushed or self.has_detached:
            times.append(self.unpushed_since)
            times += [each.since for each in self.unfinished or ()]
        return earliest(times)

    @classmethod
    def of(cls, status: RepoStatus, **others: Any) -> Self:
        """The facts of a status; a subclass has `others`."""
        is_complete = not status.work_truncated and status.unpushed_commits is not None
        unfinished = unfinished_work(status.work)
        return cls(
            state=status.state,
            has_remote=bool(status.remotes),
            is_unfinished=status.conflicted > 0 or status.operation is not None,
            branch=status.branch,
            ahead=status.ahead,
            behind=status.behind,
            is_behind=status.is_behind,
            staged=status.staged,
            modified=status.modified,
            untracked=status.untracked,
            conflicted=status.conflicted,
            stashes=status.stashes,
            unpushed_commits=status.unpushed_commits,
            unpushed_branches=tuple(status.places.branches),
            has_unpushed=status.places.in_refs,
            has_detached=status.places.detached_only,
            has_dirty_worktree=any(each.state == RepoState.DIRTY for each in status.worktrees),
            at_risk=status.at_risk,
            authored_at=status.head.authored_at if status.head else None,
            unfinished=unfinished if is_complete else None,
            is_only_unpushed=is_complete and _has_nothing_but_commits(status),
            changed_since=status.changed_since,
            worktrees_since=earliest(each.changed_since for each in status.worktrees),
            stashed_since=status.stashed_since,
            unpushed_since=None if is_complete else earliest(each.since for each in unfinished),
            **others,
        )

    def to_json(self) -> dict[str, JsonValue]:
        """The facts as JSON, from which `read_facts` restores them.

        What is unfinished is left out when it is nothing: the previous version reads this too.
        """
        written: dict[str, Any] = {name: getattr(self, name) for name in _REQUIRED}
        written["unpushed_branches"] = list(self.unpushed_branches)
        written["authored_at"] = self.authored_at and self.authored_at.isoformat()
        if self.unfinished:
            written["unfinished"] = [[each.kind, each.name, each.head] for each in self.unfinished]
            written["is_only_unpushed"] = self.is_only_unpushed
        return written

    def times_to_json(self) -> dict[str, JsonValue]:
        """Since when what is unfinished, in seconds since 1970: for `read_facts` too. What is
        unknown is left out."""
        written: dict[str, Any] = {
            name: int(at.timestamp()) for name in _TIMES if (at := getattr(self, name)) is not None
        }
        unfinished = [each.since and int(each.since.timestamp()) for each in self.unfinished or ()]
        if any(unfinished):
            written["unfinished"] = unfinished
        return written


_TIMES = ("changed_since", "worktrees_since", "stashed_since", "unpushed_since")
_REQUIRED = tuple(each.name for each in fields(RepoFacts) if each.default is MISSING)
_NAMES = {*_REQUIRED, "unfinished", "is_only_unpushed"}


def read_facts(
    written: Mapping[str, Any], times: Mapping[str, Any] | None = None
) -> dict[str, Any] | None:
    """The fields of `RepoFacts` from what `to_json` and `times_to_json` returned; None if another
    version wrote it."""
    if not _NAMES.issuperset(written) or not written.keys() >= set(_REQUIRED):
        return None
    authored_at, unfinished = written["authored_at"], written.get("unfinished")
    times = times or {}
    return {
        **written,
        "state": RepoState(written["state"]),
        "unpushed_branches": tuple(written["unpushed_branches"]),
        "authored_at": authored_at and datetime.fromisoformat(authored_at),
        "unfinished": unfinished and _read_unfinished(unfinished, times.get("unfinished")),
        **{name: _read_time(times[name]) for name in _TIMES if name in times},
    }


def _read_unfinished(
    unfinished: Sequence[Any], times: Sequence[int | None] | None
) -> tuple[UnfinishedWork, ...]:
    return tuple(
        UnfinishedWork(WorkKind(kind), name, head, None if at is None else _read_time(at))
        for (kind, name, head), at in zip(
            unfinished, times or [None] * len(unfinished), strict=True
        )
    )


def _read_time(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def unfinished_work(work: Sequence[WorkItem]) -> tuple[UnfinishedWork, ...]:
    """Return the items with commits that are, or may be, on no remote nor integrated there."""
    return tuple(
        UnfinishedWork(each.kind, each.name, each.head, each.unpushed_since)
        for each in work
        if each.unpushed_commits != 0 and not each.integrated.is_proved
    )


def places_of(work: Sequence[WorkItem]) -> UnpushedPlaces:
    """Derive where the unpushed commits are from items of work, the most recent ones first.

    A detached HEAD at the commit of a branch or tag adds nothing. One at an earlier commit is
    counted, since the items do not tell which commits it reaches.
    """
    unpushed = [each for each in work if each.unpushed_commits]
    exposed = [each for each in unpushed if not each.integrated.is_proved]
    by_refs = {each.head for each in unpushed if each.kind != WorkKind.DETACHED}
    names = [
        each.name for each in exposed if each.kind == WorkKind.BRANCH and each.name is not None
    ]
    return UnpushedPlaces(
        branches=tuple(names[:_MAX_BRANCHES]),
        in_refs=any(each.kind != WorkKind.DETACHED for each in exposed),
        detached_only=any(
            each.kind == WorkKind.DETACHED and each.head not in by_refs for each in exposed
        ),
    )


def _has_nothing_but_commits(status: RepoStatus) -> bool:
    """Return whether only commits can be at risk: the rest was compared, and is clean."""
    return (
        status.state == RepoState.CLEAN
        and status.reason is None
        and bool(status.remotes)
        and status.operation is None
        and not status.stashes
        and not (status.staged or status.modified or status.untracked or status.conflicted)
        and all(each.state == RepoState.CLEAN for each in status.worktrees)
    )
