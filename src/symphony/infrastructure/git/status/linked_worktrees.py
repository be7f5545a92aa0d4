"""The other worktrees of a repository, each inspected like the repository itself."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
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
from symphony.infrastructure.git.status.findings import Findings

_PRUNABLE = "The worktree was deleted; `git worktree prune` removes it from the list."
_MAX_SHOWN = 200  # characters of a path
_AWAY = "The worktree is locked, and its directory does not exist: it may be on another medium."


@dataclass(frozen=True, slots=True)
class Inspected:
    """What an inspection of a worktree has found. `work_tree` is its directory, None for a bare
    repository, `head` the id of its commit."""

    work_tree: Path | None
    head: str | None
    is_dirty: bool
    findings: Findings
    changed_since: datetime | None


InspectWorktree = Callable[[Path], Inspected]


@dataclass(frozen=True, slots=True)
class Others:
    """The other worktrees of a repository, what they have checked out, and what was found in
    them."""

    worktrees: list[LinkedWorktree] = field(default_factory=list[LinkedWorktree])
    checkouts: list[Checkout] = field(default_factory=list[Checkout])
    findings: Findings = field(default_factory=Findings)


def inspect_others(location: Location, inspect: InspectWorktree) -> Others:
    """Inspect the other worktrees of a repository, the main one first; one that cannot be inspected
    has a reason.

    Raises: Unreadable when the list cannot be read; Stopped, OSError.
    """
    others = Others()
    main = location.main_directory
    if main is not None:
        head = read_head(location.common_directory)
        entry = LinkedEntry("", main, head, is_locked=False)
        _add(others, entry, inspect)
    for entry in linked_entries(location.common_directory):
        location.roots.check_stopped()
        if not (location.is_linked and is_entry_of(entry, location.git_directory)):
            _add(others, entry, inspect)
    return others


def _add(others: Others, entry: LinkedEntry, inspect: InspectWorktree) -> None:
    path, head, reason = str(entry.path), entry.head.commit, None
    is_bare = False
    changed_since = None
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
        changed_since = inspected.changed_since
        is_bare = inspected.work_tree is None
        path = path if inspected.work_tree is None else str(inspected.work_tree)
        where = f"In the worktree {printable(path)[:_MAX_SHOWN]}: "
        others.findings.add(inspected.findings, where)
    branch = entry.head.branch
    others.checkouts.append(_checkout(path, WorktreeHead(branch, entry.head.commit or head)))
    if is_bare:
        return
    others.worktrees.append(
        LinkedWorktree(
            path=printable(path),
            branch=None if branch is None else printable(branch),
            head=head,
            state=state,
            reason=reason,
            changed_since=changed_since,
        )
    )


def _checkout(path: str | None, head: WorktreeHead) -> Checkout:
    if head.branch is None and head.commit is None:
        raise broken("The commit that a worktree has checked out is unknown.")
    return Checkout(path, head.branch, head.commit)
