"""The state of a repo's remote, and the port through which remotes are contacted."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from symphony.domain.errors import DomainError
from symphony.domain.git.work import Comparison, RemoteHeads
from symphony.domain.reach import Reach

_MAX_BRANCHES = _MAX_TAGS = 2_000
_MAX_BYTES = 128 << 10


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteState:
    """The state of a remote at `synced_at`; `branches` maps names to commits.

    `comparison` is of the branch that is checked out in the repo's directory with the same branch
    of the remote; None when the directory cannot be read or one branch is missing. `tags` are the
    objects that tags refer to.
    `default_branch` is None when the remote names none, or one that it does not have.
    """

    branches: Mapping[str, str]
    default_branch: str | None
    comparison: Comparison | None
    tags: Collection[str] = ()
    synced_at: datetime

    @property
    def ahead(self) -> int | None:
        return None if self.comparison is None else self.comparison.ahead

    @property
    def behind(self) -> int | None:
        return None if self.comparison is None else self.comparison.behind


def storable(state: RemoteState, remote_url: str) -> RemoteHeads:
    """Return what is stored of the state of the remote at an address.

    Of a remote with more than 2,000 branches, or 128 KiB of names and commits, only the default
    branch is stored, and that with which the directory was compared. Of more than 2,000 objects of
    tags that no branch has, none is stored.
    """
    tags = frozenset(state.tags).difference(state.branches.values())
    heads = RemoteHeads(
        remote_url=remote_url,
        branches=state.branches,
        default_branch=state.default_branch,
        comparison=state.comparison,
        tags=tags if len(tags) <= _MAX_TAGS else frozenset(),
        synced_at=state.synced_at,
    )
    size = sum(len(name.encode()) + len(commit) for name, commit in state.branches.items())
    if len(state.branches) <= _MAX_BRANCHES and size <= _MAX_BYTES:
        return heads
    compared = None if state.comparison is None else state.comparison.upstream
    names = {state.default_branch}
    names.add(next((name for name, commit in state.branches.items() if commit == compared), None))
    kept = {name: commit for name, commit in state.branches.items() if name in names}
    return replace(heads, branches=kept, is_complete=False)


class RemoteHeadsRepository(ABC):
    """What the last sync of each repo saw, as long as the repo has the same remote."""

    @abstractmethod
    async def of_repo(self, reach: Reach, repo_id: UUID) -> RemoteHeads | None:
        """What the last sync of a user's repo saw; None when it was never synced."""

    @abstractmethod
    async def of_user(
        self, reach: Reach, user_profile_id: UUID, workspace_id: UUID | None
    ) -> Mapping[UUID, RemoteHeads]:
        """The same for all repos of a user, or of one workspace, by their ids."""

    @abstractmethod
    async def save(self, repo_id: UUID, heads: RemoteHeads) -> None:
        """Store what a sync saw, in place of the previous one."""


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
