"""What needs somebody's attention: repos in which work is unfinished, vaults left unlocked."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import Self
from uuid import UUID

from symphony.domain.git import RepoState, RepoStatus
from symphony.domain.json_objects import compact

STALE_AFTER = timedelta(days=30)


class AttentionKind(StrEnum):
    """The kind of thing that needs attention."""

    REPO = "repo"
    VAULT = "vault"


class AttentionReason(StrEnum):
    """Why a repo needs attention, and for a vault `unlocked`."""

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
    """What is remembered of a look at a repo's folder: what reasons are made of.

    `lacks_upstream`: a branch with commits has none, or it is gone. `is_unfinished`: there are
    files with a conflict, or something (a merge, a rebase) is under way.
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
        """What is remembered of a status; `path` is that of the folder that was looked at."""
        return cls(
            repo_id=repo_id,
            path=path,
            observed_at=status.observed_at,
            state=status.state,
            has_remote=bool(status.remotes),
            # The branches of a bare repository need none: it is an upstream, or a copy of one.
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
        """Each by itself is so: what has diverged is unpushed and behind as well."""
        if self.state == RepoState.MISSING:
            return (AttentionReason.MISSING,)
        if self.state not in {RepoState.CLEAN, RepoState.DIRTY}:
            return (AttentionReason.UNREADABLE,)
        so = {
            AttentionReason.DIRTY: self.state == RepoState.DIRTY,
            AttentionReason.UNPUSHED: self.ahead > 0 or (self.lacks_upstream and self.has_remote),
            AttentionReason.BEHIND: self.behind > 0,
            AttentionReason.DIVERGED: self.ahead > 0 and self.behind > 0,
            AttentionReason.STASHED: self.stashes > 0,
            AttentionReason.CONFLICT: self.is_unfinished,
            AttentionReason.NO_REMOTE: not self.has_remote,
        }
        reasons = [reason for reason, is_so in so.items() if is_so]
        # What is finished may rest as long as it likes.
        is_old = self.authored_at is not None and now - self.authored_at > STALE_AFTER
        if is_old and not _UNFINISHED.isdisjoint(reasons):
            reasons.append(AttentionReason.STALE)
        return tuple(reasons)


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardRepo:
    """A repo, and what was last seen of its folder; None when nobody has looked at it yet."""

    id: UUID
    workspace_id: UUID
    name: str
    name_key: str
    path: str
    seen: RepoObservation | None


@dataclass(frozen=True, slots=True, kw_only=True)
class UnlockedVault:
    id: UUID
    workspace_id: UUID
    name: str
    name_key: str


@dataclass(frozen=True, slots=True)
class BoardFacts:
    """What a board is made from."""

    repos: Sequence[BoardRepo]
    vaults: Sequence[UnlockedVault]


@dataclass(frozen=True, slots=True)
class AttentionItem:
    """Something that needs attention, and why."""

    kind: AttentionKind
    id: UUID
    name: str
    workspace_id: UUID
    reasons: tuple[AttentionReason, ...]
    observed_at: datetime


@dataclass(frozen=True, slots=True)
class AttentionBoard:
    """What needs attention, workspace by workspace in the order in which they were made, repos
    before vaults, by name.

    `observed_at` is the oldest of the looks that it is made from, also of those at what needs
    nothing. `unobserved` repos have not been looked at yet.
    """

    items: Sequence[AttentionItem]
    observed_at: datetime
    unobserved: int

    @property
    def tag(self) -> str:
        """Names what needs attention and why, whenever that was seen."""
        named = [
            [each.kind, each.id.hex, each.name, each.workspace_id.hex, *each.reasons]
            for each in self.items
        ]
        return sha256(compact([self.unobserved, *named]).encode()).hexdigest()[:32]


def attention_board(
    repos: Sequence[BoardRepo],
    vaults: Sequence[UnlockedVault],
    now: datetime,
    only: AttentionReason | None = None,
) -> AttentionBoard:
    """The board of what is known `now`, with all items or those that have one reason."""
    items = list[AttentionItem]()
    for repo in sorted(repos, key=lambda each: (each.workspace_id, each.name_key)):
        if repo.seen is not None and (reasons := repo.seen.reasons(now)):
            items.append(
                AttentionItem(
                    AttentionKind.REPO,
                    repo.id,
                    repo.name,
                    repo.workspace_id,
                    reasons,
                    repo.seen.observed_at,
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
    seen = [each.seen.observed_at for each in repos if each.seen is not None]
    return AttentionBoard(
        items=[each for each in items if only is None or only in each.reasons],
        observed_at=min([*seen, now]),
        unobserved=len(repos) - len(seen),
    )


class Observations(ABC):
    """What was last seen of each repo."""

    @abstractmethod
    async def known(
        self, owner_id: UUID, user_profile_id: UUID, workspace_id: UUID | None
    ) -> BoardFacts:
        """The repos of a user with what was seen, and the vaults that are not locked, in no order:
        over all workspaces or in one. Nothing when there is no such user or workspace."""

    @abstractmethod
    async def keep(self, owner_id: UUID, observations: Sequence[RepoObservation]) -> None:
        """Remembers what was seen of repos, one observation of each, unless a later one is known.

        What was seen of a repo that is gone, or is at another path by now, is left out.
        """
