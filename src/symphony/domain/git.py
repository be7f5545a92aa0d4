"""What a git repository on a disk is like at a moment, and the port to whoever can tell."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from symphony.domain.errors import Forbidden


class RepoState(StrEnum):
    """How a repo's folder was found."""

    CLEAN = "clean"
    DIRTY = "dirty"
    MISSING = "missing"
    NOT_A_REPOSITORY = "not-a-repository"
    REFUSED = "refused"
    """It lies outside the allowed folders, or is not safe to read."""
    ERROR = "error"


class Operation(StrEnum):
    """What somebody has begun in a repository, and neither finished nor given up."""

    MERGE = "merge"
    REBASE = "rebase"
    CHERRY_PICK = "cherry-pick"
    REVERT = "revert"
    BISECT = "bisect"


@dataclass(frozen=True, slots=True)
class Head:
    """The commit that is checked out."""

    id: str
    subject: str
    author: str
    authored_at: datetime | None
    """None when the commit does not tell, or tells what is no time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RepoStatus:
    """A repository as it was seen by a look that began at `observed_at`.

    Where nothing could be read, `reason` says why and the rest is empty. A bare repository, which
    `is_bare`, is clean and has a reason all the same: it has no files to compare. `branch` is None
    when HEAD is detached, `head` when the branch has no commit yet, `ahead` and `behind` when there
    is no upstream, or none any more. A file may count as staged and as modified. `remotes` has the
    address of each remote, without credentials.
    """

    state: RepoState
    reason: str | None = None
    is_bare: bool = False
    branch: str | None = None
    head: Head | None = None
    upstream: str | None = None
    ahead: int | None = None
    behind: int | None = None
    staged: int = 0
    modified: int = 0
    untracked: int = 0
    conflicted: int = 0
    stashes: int = 0
    operation: Operation | None = None
    remotes: Mapping[str, str] = field(default_factory=dict[str, str])
    observed_at: datetime


class Git(ABC):
    """Looks at repositories, and neither changes them nor runs anything that they ask for."""

    @abstractmethod
    async def status(self, user_id: UUID, path: str) -> RepoStatus:
        """The state of the repository in a folder: absolute, or `~/…` for the service's own home.

        Of the looks of one user only so many are taken at once, so that they hold up nobody else.
        Whatever is wrong with it is a state with a reason.

        Raises: Overloaded.
        """

    @abstractmethod
    async def statuses(
        self, user_id: UUID, paths: Iterable[str], within: float
    ) -> Mapping[str, RepoStatus]:
        """The state of each repository, in this order, as far as `within` seconds are enough.

        Raises: Overloaded.
        """


class GitDisabled(Forbidden):
    """The operator has named no folders in which to look at repositories."""

    def __init__(self) -> None:
        super().__init__("git-disabled", "This service may not look at repositories on its disk.")
