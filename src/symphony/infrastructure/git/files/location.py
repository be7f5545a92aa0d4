"""Where a repository keeps what: beside its files, or elsewhere for worktrees and submodules."""

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from symphony.domain.git import RepoState
from symphony.infrastructure.git.files.folder import Folder
from symphony.infrastructure.git.files.roots import Roots
from symphony.infrastructure.git.files.unreadable import Unreadable, broken

_ITS_GIT_DIRECTORY = "Its git directory"
_MAX_POINTER = 8192  # bytes; paths have at most 4,096
_GIT_FILE = b"gitdir: "  # gitrepository-layout(5)


@dataclass(frozen=True, slots=True)
class Location:
    """The folders of a repository, all of them allowed and none of them a link.

    `own` has HEAD and the index of this working tree, `common` what all working trees share; they
    are one unless this is a linked worktree. There is no `work_tree` in a bare repository.
    """

    work_tree: Path | None
    own: Path
    common: Path

    @property
    def is_linked(self) -> bool:
        return self.own != self.common


def locate(folder: Path, roots: Roots) -> Location:
    """The repository whose top this folder is; those above it are not looked for.

    Raises: Unreadable, OSError.
    """
    try:
        mode = os.stat(folder).st_mode
    except (FileNotFoundError, NotADirectoryError):
        raise Unreadable(RepoState.MISSING, "There is nothing at this path.") from None
    if not stat.S_ISDIR(mode):
        raise _not_a_repository("There is a file at this path, not a folder.")
    with Folder(folder) as top:
        own = _git_directory(top, roots)
        if own is None:
            if not _looks_like_one(top):
                raise _not_a_repository("There is no .git in this folder.")
            return Location(None, folder, folder)
    with Folder(own) as git_directory:
        pointer = git_directory.read("commondir", _MAX_POINTER)
        common = own if pointer is None else _led_to(own, pointer, roots)
        with Folder(common) as shared:
            if git_directory.mode("HEAD") is None or not _has_content(shared):
                raise _not_a_repository("Its .git is no git directory: a part of it is missing.")
    return Location(folder, own, common)


def _git_directory(top: Folder, roots: Roots) -> Path | None:
    mode = top.mode(".git")
    if mode is None:
        return None
    if stat.S_ISLNK(mode):
        real = roots.resolve(top.path / ".git", _ITS_GIT_DIRECTORY)
        if not real.is_dir():
            raise broken("Its .git is a symbolic link that leads to no folder.")
        return real
    if stat.S_ISDIR(mode):
        return top.path / ".git"
    pointer = top.read(".git", _MAX_POINTER)
    if pointer is None or not pointer.startswith(_GIT_FILE):
        raise broken("Its .git is a file that names no git directory.")
    return _led_to(top.path, pointer.removeprefix(_GIT_FILE), roots)


def _led_to(start: Path, pointer: bytes, roots: Roots) -> Path:
    target = pointer.rstrip(b"\r\n")
    if b"\0" in target:
        raise broken("Its git directory is named by what is no path.")
    real = roots.resolve(start / os.fsdecode(target), _ITS_GIT_DIRECTORY)
    if not real.is_dir():
        raise broken("Its git directory is elsewhere, and not there any more.")
    return real


def _looks_like_one(top: Folder) -> bool:
    return top.mode("HEAD") is not None and _has_content(top)


def _has_content(git_directory: Folder) -> bool:
    return git_directory.has_folder("objects") and git_directory.has_folder("refs")


def _not_a_repository(reason: str) -> Unreadable:
    return Unreadable(RepoState.NOT_A_REPOSITORY, reason)
