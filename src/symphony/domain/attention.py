"""The attention board: repos with unfinished work, and unlocked vaults, each with reasons."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import Self
from uuid import UUID

from symphony.domain.git.status import RepoState, RepoStatus
from symphony.domain.json_objects import compact

STALE_AFTER = timedelta(days=30)


class AttentionKind(StrEnum):
    """The kind of resource that needs attention."""

    REPO = "repo"
    VAULT = "vault"


class AttentionReason(StrEnum):
    """A reason why a repo needs attention; for vaults always `unlocked`."""

    DIRTY = "dirty"
    UNPUSHED = "unpushed"
    BEHIND = "behind"
    DIVERGED = "diverged"
    STASHED = "stashed"
    CONFLICT = "conflict"
    NO_REMOTE = "no-remote"
    MISSING = "missing"
    UNREADABLE = "unreadable"
    STALE = "stale"
    UNLOCKED = "unlocked"


_UNFINISHED = {
    AttentionReason.DIRTY,
    AttentionReason.UNPUSHED,
    AttentionReason.STASHED,
    AttentionReason.CONFLICT,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RepoObservation:
    """The facts of an inspection of a repo's directory from which reasons are derived.

    `lacks_upstream`: a branch with commits has no upstream, or it no longer exists.
    `is_unfinished`: files have conflicts, or an operation (a merge, a rebase) is in progress.
    """

    repo_id: UUID
    path: str
    observed_at: datetime
    state: RepoState
    has_remote: bool
    lacks_upstream: bool
    is_unfinished: bool
    ahead: int
    behind: int
    stashes: int
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
            # The branches of a bare repository need no upstream: it is one, or a copy of one.
            lacks_upstream=not status.is_bare
            and status.branch is not None
            and status.head is not None
            and status.ahead is None,
            is_unfinished=status.conflicted > 0 or status.operation is not None,
            ahead=status.ahead or 0,
            behind=status.behind or 0,
            stashes=status.stashes,
            authored_at=status.head.authored_at if status.head else None,
        )

    def reasons(self, now: datetime) -> tuple[AttentionReason, ...]:
        """All reasons that apply: a diverged branch is also unpushed and behind."""
        if self.state == RepoState.MISSING:
            return (AttentionReason.MISSING,)
        if self.state not in {RepoState.CLEAN, RepoState.DIRTY}:
            return (AttentionReason.UNREADABLE,)
        applies = {
            AttentionReason.DIRTY: self.state == RepoState.DIRTY,
            AttentionReason.UNPUSHED: self.ahead > 0 or (self.lacks_upstream and self.has_remote),
            AttentionReason.BEHIND: self.behind > 0,
            AttentionReason.DIVERGED: self.ahead > 0 and self.behind > 0,
            AttentionReason.STASHED: self.stashes > 0,
            AttentionReason.CONFLICT: self.is_unfinished,
            AttentionReason.NO_REMOTE: not self.has_remote,
        }
        reasons = [reason for reason, is_given in applies.items() if is_given]
        # Finished work does not become stale.
        is_old = self.authored_at is not None and now - self.authored_at > STALE_AFTER
        if is_old and not _UNFINISHED.isdisjoint(reasons):
            reasons.append(AttentionReason.STALE)
        return tuple(reasons)


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


@dataclass(frozen=True, slots=True)
class BoardFacts:
    """The facts from which a board is derived, in no order."""

    repos: Sequence[BoardRepo]
    vaults: Sequence[UnlockedVault]


@dataclass(frozen=True, slots=True)
class AttentionItem:
    """A resource that needs attention, and why."""

    kind: AttentionKind
    id: UUID
    name: str
    workspace_id: UUID
    reasons: tuple[AttentionReason, ...]
    observed_at: datetime


@dataclass(frozen=True, slots=True)
class AttentionBoard:
    """The items, by workspace in the order of creation, repos before vaults, then by name.

    `observed_at` is the time of the oldest observation in use, including those of repos
    that need no attention. `unobserved` is the number of repos that have never been inspected.
    """

    items: Sequence[AttentionItem]
    observed_at: datetime
    unobserved: int

    @property
    def tag(self) -> str:
        """The identifier of the items and reasons; times of observations make no difference."""
        items = [
            [each.kind, each.id.hex, each.name, each.workspace_id.hex, *each.reasons]
            for each in self.items
        ]
        return sha256(compact([self.unobserved, *items]).encode()).hexdigest()[:32]


def attention_board(
    repos: Sequence[BoardRepo],
    vaults: Sequence[UnlockedVault],
    now: datetime,
    only: AttentionReason | None = None,
) -> AttentionBoard:
    """The board at the time `now`, with all items or `only` the items with one reason."""
    items = list[AttentionItem]()
    for repo in sorted(repos, key=lambda each: (each.workspace_id, each.name_key)):
        observed = repo.observation
        if observed is not None and (reasons := observed.reasons(now)):
            items.append(
                AttentionItem(
                    AttentionKind.REPO,
                    repo.id,
                    repo.name,
                    repo.workspace_id,
                    reasons,
                    observed.observed_at,
                )
            )
    items += [
        AttentionItem(
            AttentionKind.VAULT,
            vault.id,
            vault.name,
            vault.workspace_id,
            (AttentionReason.UNLOCKED,),
            now,
        )
        for vault in sorted(vaults, key=lambda each: each.name_key)
    ]
    items.sort(key=lambda each: each.workspace_id)
    times = [each.observation.observed_at for each in repos if each.observation is not None]
    return AttentionBoard(
        items=[each for each in items if only is None or only in each.reasons],
        observed_at=min([*times, now]),
        unobserved=len(repos) - len(times),
    )


class ObservationRepository(ABC):
    """The last observation of each repo."""

    @abstractmethod
    async def board_facts(
        self, owner_id: UUID, user_profile_id: UUID, workspace_id: UUID | None
    ) -> BoardFacts:
        """A user's repos and observations, and the unlocked vaults: in all workspaces or one.

        Empty when the user or the workspace does not exist.
        """

    @abstractmethod
    async def save(self, owner_id: UUID, observations: Sequence[RepoObservation]) -> None:
        """Store observations, one per repo, unless a later one is stored.

        Skips observations of repos that no longer exist or have another path by now.
        """
