"""The status of a git repository on disk, and the port through which it is inspected."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from symphony.domain.errors import Forbidden
from symphony.domain.git.disposal import Disposal
from symphony.domain.git.work import RemoteHeads, RemoteKnowledge, UnpushedPlaces, WorkItem


class RepoState(StrEnum):
    """The state of a repo's directory, found by an inspection."""

    CLEAN = "clean"
    DIRTY = "dirty"
    MISSING = "missing"
    NOT_A_REPOSITORY = "not-a-repository"
    REFUSED = "refused"
    """It is outside the git roots, or not safe to read."""
    ERROR = "error"


class GitConfinement(StrEnum):
    """What keeps inspections inside the git roots while other users change them."""

    LANDLOCK = "landlock"
    """The kernel."""
    OWNER_ONLY = "owner-only"
    """Nothing, but only the service's user and root may write to the roots."""
    TRUSTED_ROOTS = "trusted-roots"
    """Nothing: the operator trusts those who may write to the roots."""
    DISABLED = "disabled"
    """There are no git roots."""


class Operation(StrEnum):
    """A git operation that was started and is neither finished nor aborted."""

    MERGE = "merge"
    REBASE = "rebase"
    CHERRY_PICK = "cherry-pick"
    REVERT = "revert"
    BISECT = "bisect"
    AM = "am"
    """Patches from e-mail are applied (git-am(1))."""


@dataclass(frozen=True, slots=True)
class Head:
    """The commit that is checked out."""

    id: str
    subject: str
    author: str
    authored_at: datetime | None
    """None when the commit has no valid time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkedWorktree:
    """Another worktree of a repository (git-worktree(1)), inspected like the repository itself:
    a linked one or, beside a linked one, the main one.

    `branch` is None when its HEAD is detached. It is `missing` when its directory was deleted.
    `changed_since` is as that of the repository.
    """

    path: str
    branch: str | None
    head: str | None
    state: RepoState
    reason: str | None
    changed_since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RepoStatus:
    """The result of an inspection that started at `observed_at`.

    When nothing could be read, `reason` says why, and the rest is empty. A bare repository
    (`is_bare`) is clean, and still has a reason: there are no files to compare. `branch` is None
    when HEAD is on no branch, `head` when there is no commit yet, `ahead` and `behind` when there
    is no upstream, or it no longer exists. A file can count as staged and as modified. `remotes`
    maps the name of each remote to its address, without credentials.

    The rest is about the whole repository, of which this is one worktree. `unpushed_commits` is
    None when it is unknown. `at_risk` says whether something exists only here, None when that could
    not be determined. `reason`, or that of a worktree, says why either is unknown, and what exists
    only here that `git status` does not report. `is_behind` is true when the upstream has commits
    that the branch lacks, also where their number `behind` is unknown: the last sync saw a commit
    that does not exist here. `main_repository` is set for a linked worktree.

    `changed_since` is the earliest known time of what is changed in files, of an operation in
    progress, and of work in submodules; `stashed_since` that of a stash. Both say since when at
    least; None when it is unknown, or there is nothing.
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
    unpushed_commits: int | None = None
    work: Sequence[WorkItem] = ()
    work_truncated: bool = False
    worktrees: Sequence[LinkedWorktree] = ()
    at_risk: bool | None = None
    places: UnpushedPlaces = field(default_factory=UnpushedPlaces)
    is_behind: bool = False
    as_of: RemoteKnowledge | None = None
    main_repository: str | None = None
    changed_since: datetime | None = None
    stashed_since: datetime | None = None
    observed_at: datetime


def is_at_risk(
    *,
    has_changes: bool,
    has_commits: bool | None,
    has_remote: bool,
    unpushed: int | None,
    worktrees: Sequence[LinkedWorktree],
    hidden: bool | None,
) -> bool | None:
    """Return whether something exists only in a repository; None when it is unknown.

    `has_changes` includes stashes. `unpushed` is the number of commits that are on no remote and
    not integrated there in another form, None when unknown. Without a remote, every commit exists
    only here. `hidden` says whether something exists only here that `git status` does not report:
    in submodules, in marked files; None when not all was compared, or an operation may keep work in
    files of its own.
    """
    pushed = None if unpushed is None else unpushed > 0
    commits = pushed if has_remote else has_commits
    return any_of([has_changes, commits, hidden, *map(_is_dirty, worktrees)])


def any_of(each: Sequence[bool | None]) -> bool | None:
    """Return whether any is true; None when none is, and any is unknown."""
    return True if True in each else None if None in each else False


def _is_dirty(worktree: LinkedWorktree) -> bool | None:
    # One that is missing may have been moved, with all its changes.
    return {RepoState.CLEAN: False, RepoState.DIRTY: True}.get(worktree.state)


@dataclass(frozen=True, slots=True)
class Directory:
    """The directory of a repository, with what the last sync saw of its remote, if any."""

    path: str
    synced: RemoteHeads | None = None


class Git(ABC):
    """The port to inspect repositories: it changes nothing, and runs no program they configure."""

    @abstractmethod
    async def status(
        self, user_id: UUID, path: str, synced: RemoteHeads | None = None
    ) -> RepoStatus:
        """The status of the repository at a path: absolute, or `~/…` for the service's own home.

        `synced` is what the last sync of the repo saw of its remote.

        A concurrency limit applies to the inspections of one user, so that they do not delay those
        of other users. A problem with the repository is a state with a reason, not an error.

        Raises: Overloaded.
        """

    @abstractmethod
    async def statuses(
        self, user_id: UUID, directories: Iterable[Directory], within: float
    ) -> Mapping[Directory, RepoStatus]:
        """The status of each repository, in this order, as many as fit into `within` seconds.

        Raises: Overloaded.
        """

    @abstractmethod
    async def disposal(
        self, user_id: UUID, path: str, synced: RemoteHeads | None = None
    ) -> Disposal:
        """Whether the directory at a path can be deleted without a loss.

        `synced` is what the last sync of the repo saw of its remote: a remote-tracking branch that
        differs proves nothing. A problem with the repository is evidence, not an error.

        Raises: Overloaded.
        """


class GitDisabled(Forbidden):
    """The operator has configured no git roots."""

    def __init__(self) -> None:
        super().__init__(
            "git-disabled", "This service is not configured to inspect repositories on its disk."
        )
