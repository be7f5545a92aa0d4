"""The list of linked worktrees in a repository (git-worktree(1), gitrepository-layout(5))."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from symphony.infrastructure.git.files.unreadable import broken
from symphony.infrastructure.git.files.untrusted_directory import UntrustedDirectory

_WORKTREES = "worktrees"
_MAX_POINTER = 8192  # bytes; a path has at most 4,096
_MAX_WORKTREES = 200
_HEAD = re.compile(
    rb"(?:ref:[ \t]*(?:refs/heads/(?P<branch>[^\x00-\x20\x7f]+)|[^\x00-\x20\x7f]+)"
    rb"|(?P<id>[0-9a-f]{40,64}))\s*"
)


@dataclass(frozen=True, slots=True)
class WorktreeHead:
    """What a worktree has checked out: a branch or a commit; neither for another ref."""

    branch: str | None
    commit: str | None


@dataclass(frozen=True, slots=True)
class LinkedEntry:
    """A linked worktree as its repository lists it: `path` is where it was created or moved to."""

    name: str
    path: Path
    head: WorktreeHead
    is_locked: bool


def linked_entries(common: UntrustedDirectory) -> Iterator[LinkedEntry]:
    """Yield the linked worktrees of the repository with this common directory.

    Raises: Unreadable when one is damaged or there are more than 200; Stopped, OSError.
    """
    if not common.has_directory(_WORKTREES):
        return
    with common.open(_WORKTREES) as directory:
        names = list[str]()
        for entry in directory.entries():
            if len(names) == _MAX_WORKTREES:
                raise broken(f"The repository has more than {_MAX_WORKTREES} linked worktrees.")
            names.append(entry.name)
        for name in sorted(names):
            if directory.has_directory(name):
                with directory.open(name) as own:
                    yield _entry(name, own)


def read_head(git_directory: UntrustedDirectory) -> WorktreeHead:
    """Raises: Unreadable when HEAD is damaged."""
    head = _HEAD.fullmatch(git_directory.read("HEAD", _MAX_POINTER) or b"")
    if head is None:
        raise broken("The HEAD of a worktree is damaged.")
    branch, commit = head["branch"], head["id"]
    return WorktreeHead(
        None if branch is None else os.fsdecode(branch),
        None if commit is None else commit.decode(),
    )


def _entry(name: str, own: UntrustedDirectory) -> LinkedEntry:
    pointer = own.read("gitdir", _MAX_POINTER)
    target = (pointer or b"").rstrip(b"\r\n")
    if not target or b"\0" in target:
        raise broken("The place of a linked worktree is not recorded.")
    # A relative path (worktree.useRelativePaths) starts in the entry.
    path = own.path / os.fsdecode(target)
    return LinkedEntry(name, path.parent, read_head(own), own.mode("locked") is not None)


def is_entry_of(entry: LinkedEntry, git_directory: UntrustedDirectory) -> bool:
    """Return whether this is the entry of the worktree whose git directory is given."""
    path = git_directory.path
    return path.name == entry.name and path.parent.name == _WORKTREES
