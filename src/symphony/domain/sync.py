"""The state of a repo's remote, and the port through which remotes are asked."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from symphony.domain.errors import DomainError


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteState:
    """A remote as it answered at `synced_at`; `branches` maps names to commits.

    `ahead` and `behind` compare the branch that is checked out in the repo's folder with the same
    branch of the remote; None when the folder cannot be read or one of the two is missing.
    `default_branch` is None when the remote names none, or one that it does not have.
    """

    branches: Mapping[str, str]
    default_branch: str | None
    ahead: int | None
    behind: int | None
    synced_at: datetime


class Remotes(ABC):
    """Asks remotes without credentials, and changes no repository on disk."""

    @abstractmethod
    async def sync(self, user_id: UUID, repo_id: UUID, path: str, remote_url: str) -> RemoteState:
        """The current state of a repo's remote, compared with the repository in a folder.

        Raises: SyncInProgress, RemoteFailed, RemoteTimeout, Overloaded.
        """

    @abstractmethod
    async def forget(self, repo_id: UUID) -> None:
        """Remove what is cached of a repo's remote to make the next sync faster."""


class NoRemote(DomainError):
    """The repo is registered without a remote."""

    def __init__(self) -> None:
        super().__init__("no-remote", "The repo has no `remote_url`.")


class RemoteChanged(DomainError):
    """The repo's remote was replaced while the previous one was asked."""

    def __init__(self) -> None:
        detail = "The repo's `remote_url` was updated during the sync; sync again."
        super().__init__("remote-changed", detail)


class SyncInProgress(DomainError):
    """Another sync of the same repo is running."""

    def __init__(self) -> None:
        super().__init__("sync-in-progress", "Another sync of this repo is in progress.")


class RemoteFailed(DomainError):
    """The remote may not be asked, cannot be reached, or refused; `reason` says which."""

    def __init__(self, reason: str) -> None:
        super().__init__("remote-failed", reason)


class RemoteTimeout(DomainError):
    """The remote did not answer in time."""

    def __init__(self, seconds: float) -> None:
        super().__init__("remote-timeout", f"The remote did not answer within {seconds} seconds.")
