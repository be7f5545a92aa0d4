"""The facts of a status from which reasons for attention are derived."""

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from datetime import datetime
from typing import Any, Self

from symphony.domain.git.status import RepoState, RepoStatus
from symphony.domain.git.work import UnpushedPlaces, WorkItem, WorkKind
from symphony.domain.json_objects import JsonValue

_MAX_BRANCHES = 20


@dataclass(frozen=True, slots=True)
class UnfinishedWork:
    """A branch, a detached HEAD or a tag with commits that are on no remote, or may be on none, and
    whose change is not known to be integrated there; `head` is the id of its commit."""

    kind: WorkKind
    name: str | None
    head: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RepoFacts:
    """The facts of a status, in short.

    `is_unfinished`: files have conflicts, or an operation (a merge, a rebase) is in progress.
    `has_unpushed`: a branch or tag has commits that are on no remote, and not known to be
    integrated there; `unpushed_branches` names up to 20 such branches. `has_detached`: only the
    detached HEAD of a worktree reaches such commits. `has_dirty_worktree`: a linked worktree is
    dirty. `unfinished` is where such commits are, None when not all of it is known.
    `is_only_unpushed`: nothing but `unfinished` can put anything at risk. The other fields are
    those of the status.
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

    @classmethod
    def of(cls, status: RepoStatus, **others: Any) -> Self:
        """The facts of a status; a subclass has `others`."""
        is_complete = not status.work_truncated and status.unpushed_commits is not None
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
            unfinished=unfinished_work(status.work) if is_complete else None,
            is_only_unpushed=is_complete and _has_nothing_but_commits(status),
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


_NAMES = frozenset(each.name for each in fields(RepoFacts))
_REQUIRED = tuple(each.name for each in fields(RepoFacts) if each.default is MISSING)


def read_facts(written: Mapping[str, Any]) -> dict[str, Any] | None:
    """The fields of `RepoFacts` from what `to_json` returned; None if another version wrote it."""
    if not _NAMES.issuperset(written) or not written.keys() >= set(_REQUIRED):
        return None
    authored_at, unfinished = written["authored_at"], written.get("unfinished")
    return {
        **written,
        "state": RepoState(written["state"]),
        "unpushed_branches": tuple(written["unpushed_branches"]),
        "authored_at": authored_at and datetime.fromisoformat(authored_at),
        "unfinished": unfinished
        and tuple(UnfinishedWork(WorkKind(kind), *others) for kind, *others in unfinished),
    }


def unfinished_work(work: Sequence[WorkItem]) -> tuple[UnfinishedWork, ...]:
    """Return the items with commits that are, or may be, on no remote nor integrated there."""
    return tuple(
        UnfinishedWork(each.kind, each.name, each.head)
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
