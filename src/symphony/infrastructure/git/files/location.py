"""The directories of a repository's data: `.git`, or others for worktrees and submodules."""

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from symphony.domain.git import RepoState
from symphony.infrastructure.git.files.roots import GitRoots
from symphony.infrastructure.git.files.unreadable import Unreadable, broken
from symphony.infrastructure.git.files.untrusted_directory import UntrustedDirectory

_GIT_DIRECTORY = "The git directory"
_MAX_POINTER = 8192  # bytes; a path has at most 4,096
_GIT_FILE = b"gitdir: "  # gitrepository-layout(5)


@dataclass(frozen=True, slots=True)
class Location:
    """The directories of a repository, all in the git roots and without symbolic links.

    `git_directory` (git's `$GIT_DIR`) has HEAD and the index of this working tree.
    `common_directory` (git's `$GIT_COMMON_DIR`) has what all working trees share: config, refs and
    objects. Both are the same directory except in a linked worktree. `work_tree` is None for a bare
    repository.
    """

    work_tree: Path | None
    git_directory: Path
    common_directory: Path

    @property
    def is_linked(self) -> bool:
        return self.git_directory != self.common_directory


def locate(directory: Path, roots: GitRoots) -> Location:
    """Locate the repository whose top directory this is; its parents are not searched.

    Raises: Unreadable, OSError.
    """
    try:
        mode = os.stat(directory).st_mode
    except (FileNotFoundError, NotADirectoryError):
        raise Unreadable(RepoState.MISSING, "Nothing exists at this path.") from None
    if not stat.S_ISDIR(mode):
        raise _not_a_repository("The path is not a directory.")
    with UntrustedDirectory(directory) as top:
        git_directory = _find_git_directory(top, roots)
        if git_directory is None:
            if not _is_git_directory(top):
                raise _not_a_repository("The directory has no .git.")
            return Location(None, directory, directory)
    with UntrustedDirectory(git_directory) as own:
        pointer = own.read("commondir", _MAX_POINTER)
        common = git_directory if pointer is None else _follow(git_directory, pointer, roots)
        with UntrustedDirectory(common) as shared:
            if own.mode("HEAD") is None or not _has_objects_and_refs(shared):
                reason = "The git directory is incomplete: HEAD, objects or refs is missing."
                raise _not_a_repository(reason)
    return Location(directory, git_directory, common)


def _find_git_directory(top: UntrustedDirectory, roots: GitRoots) -> Path | None:
    mode = top.mode(".git")
    if mode is None:
        return None
    if stat.S_ISLNK(mode):
        real = roots.resolve(top.path / ".git", _GIT_DIRECTORY)
        if not real.is_dir():
            raise broken("The .git is a symbolic link that does not lead to a directory.")
        return real
    if stat.S_ISDIR(mode):
        return top.path / ".git"
    pointer = top.read(".git", _MAX_POINTER)
    if pointer is None or not pointer.startswith(_GIT_FILE):
        raise broken("The .git file does not name a git directory.")
    return _follow(top.path, pointer.removeprefix(_GIT_FILE), roots)


def _follow(start: Path, pointer: bytes, roots: GitRoots) -> Path:
    """Return the directory that a `.git` file or a `commondir` names."""
    target = pointer.rstrip(b"\r\n")
    if b"\0" in target:
        raise broken("The path of the git directory contains a NUL character.")
    real = roots.resolve(start / os.fsdecode(target), _GIT_DIRECTORY)
    if not real.is_dir():
        raise broken("The git directory is stored elsewhere, and does not exist there.")
    return real


def _is_git_directory(directory: UntrustedDirectory) -> bool:
    return directory.mode("HEAD") is not None and _has_objects_and_refs(directory)


def _has_objects_and_refs(directory: UntrustedDirectory) -> bool:
    return directory.has_directory("objects") and directory.has_directory("refs")


def _not_a_repository(reason: str) -> Unreadable:
    return Unreadable(RepoState.NOT_A_REPOSITORY, reason)
