"""The work in a repository: its branches, tags and worktrees, and what of them is elsewhere."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class WorkKind(StrEnum):
    """What keeps commits in a repository."""

    BRANCH = "branch"
    DETACHED = "detached"
    """The HEAD of a worktree, on no branch."""
    TAG = "tag"


class Integration(StrEnum):
    """Whether the change of a branch is in the default branch of its remote."""

    MERGED = "merged"
    """Its commits are."""
    SQUASHED = "squashed"
    """Its whole change is, in other commits: squashed, rebased or picked."""
    NO = "no"
    UNKNOWN = "unknown"
    """It was not determined: beyond a limit, or where it cannot be proved."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkItem:
    """A branch, a detached HEAD or a tag; `head` is the id of its commit.

    `worktree` is the directory in which it is checked out, None when it is in none. `ahead` and
    `behind` compare a branch with its upstream; None without one. `unpushed_commits` are those that
    no remote-tracking branch reaches; None when unknown.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteHeads:
    """What the last sync of a repo saw of its remote; `branches` maps names to commits."""

    remote_url: str
    branches: Mapping[str, str]
    default_branch: str | None
    synced_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """All work that is committed: the most recent items first.

    `unpushed_commits` counts the commits that a branch, a tag or the HEAD of a worktree reaches,
    and no remote-tracking branch; None when unknown, with the `reason`. `at_risk` is the number of
    those whose change is not integrated elsewhere either: at least this many where something is
    unknown, None when it is unknown whether there is any. A `reason` beside a number names what was
    ignored, as git ignores it.
    """

    unpushed_commits: int | None
    at_risk: int | None
    items: Sequence[WorkItem]
    is_truncated: bool
    as_of: RemoteKnowledge | None
    reason: str | None = None
