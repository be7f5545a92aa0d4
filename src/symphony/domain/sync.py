"""What a repo's remote has at a moment, and the port to whoever can ask it."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from symphony.domain.errors import DomainError


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteState:
    """A remote as it was when it was asked, at `synced_at`: the commit of each branch, by its name.

    `ahead` and `behind` compare the branch that is checked out in the repo's folder with the one at
    the remote; None when the folder cannot be read, or one of the two is not there.
    `default_branch` is None when the remote names none that it has.
    """

    branches: Mapping[str, str]
    default_branch: str | None
    ahead: int | None
    behind: int | None
    synced_at: datetime


class Remotes(ABC):
    """Asks remotes, without credentials, and changes nothing in anybody's repository."""

    @abstractmethod
    async def sync(self, user_id: UUID, repo_id: UUID, path: str, remote_url: str) -> RemoteState:
        """What the remote of a user's repo has now, compared with the repository in a folder.

        Raises: SyncInProgress, RemoteFailed, RemoteTimeout, Overloaded.
        """

    @abstractmethod
    async def forget(self, repo_id: UUID) -> None:
        """Removes what was kept of a repo's remote to ask it more quickly the next time."""


class NoRemote(DomainError):
    """The repo is registered without a remote."""

    def __init__(self) -> None:
        super().__init__("no-remote", "The repo has no `remote_url`.")


class RemoteChanged(DomainError):
    """The repo has got another remote while the one before was asked."""

    def __init__(self) -> None:
        detail = "The repo's `remote_url` was changed meanwhile; sync again."
        super().__init__("remote-changed", detail)


class SyncInProgress(DomainError):
    """Somebody is asking the remote of this repo already."""

    def __init__(self) -> None:
        super().__init__("sync-in-progress", "This repo is being synchronised already.")


class RemoteFailed(DomainError):
    """The remote was not to be asked, could not be, or has refused; `reason` tells which."""

    def __init__(self, reason: str) -> None:
        super().__init__("remote-failed", reason)


class RemoteTimeout(DomainError):
    """The remote has not answered in time."""

    def __init__(self, seconds: float) -> None:
        super().__init__("remote-timeout", f"The remote has not answered within {seconds} seconds.")
