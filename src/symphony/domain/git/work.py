"""The work in a repository: its branches, tags and worktrees, and what of them is elsewhere."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class WorkKind(StrEnum):
    """What keeps commits in a repository."""

    BRANCH = "branch"
    DETACHED = "detached"
    """The HEAD of a worktree, on no branch."""
    TAG = "tag"


class Integration(StrEnum):
    """Whether the change of a branch is in the default branch of a remote."""

    MERGED = "merged"
    """Its commits are."""
    SQUASHED = "squashed"
    """Its whole change is, in other commits: squashed, rebased or picked."""
    NO = "no"
    UNKNOWN = "unknown"
    """It was not determined: beyond a limit, or where it cannot be proved."""

    @property
    def is_proved(self) -> bool:
        """Whether the change is certainly there."""
        return self in {Integration.MERGED, Integration.SQUASHED}


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkItem:
    """A branch, a detached HEAD or a tag; `head` is the id of its commit.

    `worktree` is the directory in which it is checked out, None when it is in none. `ahead` and
    `behind` compare a branch with its upstream; None without one. `unpushed_commits` are those that
    no remote-tracking branch reaches; None when unknown. `unpushed_since` is when the oldest of
    these was committed; None without any, or when its time is unknown or cannot be true.
    """

    kind: WorkKind
    name: str | None
    worktree: str | None
    head: str
    upstream: str | None
    ahead: int | None
    behind: int | None
    unpushed_commits: int | None
    integrated: Integration
    committed_at: datetime | None
    unpushed_since: datetime | None = None


class KnowledgeSource(StrEnum):
    """Where the knowledge of the remote comes from."""

    FETCH = "fetch"
    """The remote-tracking branches of the repository."""
    SYNC = "sync"
    """The last sync of the repo."""


@dataclass(frozen=True, slots=True)
class RemoteKnowledge:
    """How old the knowledge of the remote is; `at` is None when it is unknown."""

    source: KnowledgeSource
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """How many commits only `head` reaches (ahead), and how many only `upstream` does (behind)."""

    head: str
    upstream: str
    ahead: int
    behind: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteHeads:
    """What the last sync of a repo saw of its remote; `branches` maps names to commits.

    `comparison` is of the branch that was checked out, with commits that may exist at the remote
    only; None when there was none. `tags` are objects that tags of the remote refer to. When not
    `is_complete`, the remote has further branches.
    """

    remote_url: str
    branches: Mapping[str, str] = field(hash=False)
    default_branch: str | None
    comparison: Comparison | None = None
    tags: Collection[str] = field(default=frozenset(), hash=False)
    is_complete: bool = True
    synced_at: datetime


@dataclass(frozen=True, slots=True)
class Tracking:
    """How the checked-out branch compares with its upstream; None for a number that is unknown.

    `is_behind` is known without the number when the repository lacks the commit of the upstream.
    """

    ahead: int | None
    behind: int | None
    is_behind: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class UnpushedPlaces:
    """Where the unpushed commits are that are not known to be integrated elsewhere.

    `branches` are the names of up to 20 branches, the most recent ones first. `in_refs` says
    whether a branch or a tag has such commits, `detached_only` whether some are reached by nothing
    but the detached HEAD of a worktree.
    """

    branches: Sequence[str] = ()
    in_refs: bool = False
    detached_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """All work that is committed: the most recent items first.

    `unpushed_commits` counts the commits that a branch, a tag or the HEAD of a worktree reaches,
    and no remote-tracking branch; None when unknown, with the `reason`. `at_risk` is the number of
    those whose change is not integrated elsewhere either: at least this many where something is
    unknown, None when it is unknown whether there is any, with the `reason` too. A `reason` beside
    two numbers names what was ignored, as git ignores it. `tracking` is set when the last sync
    knows more of the upstream of the checked-out branch than the repository.
    """

    unpushed_commits: int | None
    at_risk: int | None
    items: Sequence[WorkItem]
    is_truncated: bool
    as_of: RemoteKnowledge | None
    places: UnpushedPlaces = field(default_factory=UnpushedPlaces)
    tracking: Tracking | None = None
    reason: str | None = None
