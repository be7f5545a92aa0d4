"""Observations: what the last inspection of each repo's directory found, in short."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Self
from uuid import UUID

from symphony.domain.git.status import RepoState, RepoStatus
from symphony.domain.reach import Reach


@dataclass(frozen=True, slots=True, kw_only=True)
class RepoObservation:
    """The facts of an inspection of a repo's directory that the attention board tells.

    `is_unfinished`: files have conflicts, or an operation (a merge, a rebase) is in progress.
    `has_unpushed`: a branch or tag has commits that are on no remote, and not known to be
    integrated there; `unpushed_branches` names up to 20 such branches. `has_detached`: only the
    detached HEAD of a worktree reaches such commits. `has_dirty_worktree`: a linked worktree is
    dirty. The other fields are those of the status.
    """

    repo_id: UUID
    path: str
    observed_at: datetime
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

    @classmethod
    def of(cls, repo_id: UUID, path: str, status: RepoStatus) -> Self:
        """The facts of a status; `path` is the inspected directory."""
        return cls(
            repo_id=repo_id,
            path=path,
            observed_at=status.observed_at,
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
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardRepo:
    """A repo and its last observation; None when it has never been inspected."""

    id: UUID
    workspace_id: UUID
    name: str
    name_key: str
    path: str
    observation: RepoObservation | None


@dataclass(frozen=True, slots=True, kw_only=True)
class UnlockedVault:
    id: UUID
    workspace_id: UUID
    name: str
    name_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpiringToken:
    """An API token that expires soon and has no successor."""

    id: UUID
    name: str
    name_key: str


@dataclass(frozen=True, slots=True)
class BoardFacts:
    """The facts from which a board is derived, in no order."""

    repos: Sequence[BoardRepo]
    vaults: Sequence[UnlockedVault]
    tokens: Sequence[ExpiringToken] = ()


class ObservationRepository(ABC):
    """The last observation of each repo."""

    @abstractmethod
    async def board_facts(
        self, reach: Reach, user_profile_id: UUID, workspace_id: UUID | None
    ) -> BoardFacts:
        """A user's repos and observations, and the unlocked vaults: in all workspaces or one.

        Empty when the user or the workspace does not exist.
        """

    @abstractmethod
    async def save(self, reach: Reach, observations: Sequence[RepoObservation]) -> None:
        """Store observations, one per repo, unless a later one is stored.

        Skips observations of repos that no longer exist or have another path by now.
        """
