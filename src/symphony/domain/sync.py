"""The state of a repo's remote, and the port through which remotes are contacted."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from symphony.domain.errors import DomainError


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteState:
    """The state of a remote at `synced_at`; `branches` maps names to commits.

    `ahead` and `behind` compare the branch that is checked out in the repo's directory with the
    same branch of the remote; None when the directory cannot be read or one branch is missing.
    `default_branch` is None when the remote names none, or one that it does not have.
    """

    branches: Mapping[str, str]
    default_branch: str | None
    ahead: int | None
    behind: int | None
    synced_at: datetime


class Remotes(ABC):
    """The port to remotes: it sends no credentials, and changes no repository on disk."""

    @abstractmethod
    async def sync(self, user_id: UUID, repo_id: UUID, path: str, remote_url: str) -> RemoteState:
        """The current state of a repo's remote, compared with the repository at a path.

        Raises: SyncInProgress, RemoteFailed, RemoteTimeout, Overloaded.
        """

    @abstractmethod
    async def forget(self, repo_id: UUID) -> None:
        """Remove the data of a repo's remote that were stored to make the next sync faster."""


class NoRemote(DomainError):
    """The repo is registered without a remote."""

    def __init__(self) -> None:
        super().__init__("no-remote", "The repo has no `remote_url`.")


class RemoteChanged(DomainError):
    """The repo's `remote_url` was updated while a sync contacted the previous remote."""

    def __init__(self) -> None:
        detail = "The repo's `remote_url` was updated during the sync; sync again."
        super().__init__("remote-changed", detail)


class SyncInProgress(DomainError):
    """Another sync of the same repo is running."""

    def __init__(self) -> None:
        super().__init__("sync-in-progress", "Another sync of this repo is in progress.")


class RemoteFailed(DomainError):
    """The remote is not allowed, cannot be reached, or refused the request; `reason` says which."""

    def __init__(self, reason: str) -> None:
        super().__init__("remote-failed", reason)


class RemoteTimeout(DomainError):
    """The remote did not answer in time."""

    def __init__(self, seconds: float) -> None:
        super().__init__("remote-timeout", f"The remote did not answer within {seconds} seconds.")
