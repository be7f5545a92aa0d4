"""The linked worktrees of a repository, each inspected like the repository itself."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from symphony.domain.git.status import LinkedWorktree, RepoState
from symphony.infrastructure.git.files.decoding import printable
from symphony.infrastructure.git.files.location import Location
from symphony.infrastructure.git.files.unreadable import Unreadable, broken
from symphony.infrastructure.git.files.worktrees import (
    LinkedEntry,
    WorktreeHead,
    is_entry_of,
    linked_entries,
    read_head,
)
from symphony.infrastructure.git.history.items import Checkout

_PRUNABLE = "The worktree was deleted; `git worktree prune` removes it from the list."
_AWAY = "The worktree is locked, and its directory does not exist: it may be on another medium."


@dataclass(frozen=True, slots=True)
class Inspected:
    """What an inspection of a linked worktree has found: the id of its commit, changes, and whether
    something exists only in a submodule of it."""

    head: str | None
    is_dirty: bool
    is_complete: bool
    submodules_at_risk: bool | None


InspectWorktree = Callable[[Path], Inspected]


@dataclass(frozen=True, slots=True)
class Others:
    """The other worktrees of a repository, what they and the main one have checked out, and whether
    something exists only in a submodule of a linked one."""

    worktrees: list[LinkedWorktree] = field(default_factory=list[LinkedWorktree])
    checkouts: list[Checkout] = field(default_factory=list[Checkout])
    submodules_at_risk: list[bool | None] = field(default_factory=list[bool | None])
    incomplete: list[str] = field(default_factory=list[str])
    """The linked worktrees of which not all was compared."""


def inspect_linked(location: Location, inspect: InspectWorktree) -> Others:
    """Inspect the other worktrees of a repository; one that cannot be inspected has a reason.

    Raises: Unreadable when the list cannot be read; Stopped, OSError.
    """
    others = Others()
    if location.is_linked:
        others.checkouts.append(
            _checkout(main_directory(location), read_head(location.common_directory))
        )
    for entry in linked_entries(location.common_directory):
        location.roots.check_stopped()
        if location.is_linked and is_entry_of(entry, location.git_directory):
            continue
        worktree = _inspected(entry, inspect, others)
        others.worktrees.append(worktree)
        head = WorktreeHead(entry.head.branch, entry.head.commit or worktree.head)
        others.checkouts.append(_checkout(worktree.path, head))
    return others


def main_directory(location: Location) -> str | None:
    """Return the main repository of a linked worktree: its working tree, or a bare repository."""
    if not location.is_linked:
        return None
    common = location.common_directory.path
    return str(common.parent if common.name == ".git" else common)


def _inspected(entry: LinkedEntry, inspect: InspectWorktree, others: Others) -> LinkedWorktree:
    head, reason = entry.head.commit, None
    try:
        inspected = inspect(entry.path)
    except Unreadable as unreadable:
        state, reason = unreadable.state, unreadable.reason
        if state == RepoState.MISSING and entry.is_locked:
            state, reason = RepoState.ERROR, _AWAY
        elif state == RepoState.MISSING:
            reason = _PRUNABLE
    except OSError as error:
        state = RepoState.ERROR
        reason = f"The worktree cannot be read: {error.strerror or 'unknown error'}."
    else:
        state = RepoState.DIRTY if inspected.is_dirty else RepoState.CLEAN
        head = inspected.head
        others.submodules_at_risk.append(inspected.submodules_at_risk)
        if not inspected.is_complete:
            others.incomplete.append(entry.name)
    branch = entry.head.branch
    return LinkedWorktree(
        path=printable(str(entry.path)),
        branch=None if branch is None else printable(branch),
        head=head,
        state=state,
        reason=reason,
    )


def _checkout(path: str | None, head: WorktreeHead) -> Checkout:
    if head.branch is None and head.commit is None:
        raise broken("The commit that a worktree has checked out is unknown.")
    return Checkout(path, head.branch, head.commit)
