"""Observations: what the last inspection of each repo's directory found, in short."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Self
from uuid import UUID

from symphony.domain.git.facts import RepoFacts
from symphony.domain.git.status import RepoStatus
from symphony.domain.reach import Reach


@dataclass(frozen=True, slots=True, kw_only=True)
class RepoObservation(RepoFacts):
    """The facts of an inspection of a repo's directory that the attention board returns."""

    repo_id: UUID
    path: str
    observed_at: datetime

    @classmethod
    def of_repo(cls, repo_id: UUID, path: str, status: RepoStatus) -> Self:
        """The facts of a status; `path` is the inspected directory."""
        return cls.of(status, repo_id=repo_id, path=path, observed_at=status.observed_at)


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
