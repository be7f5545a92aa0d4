"""The directories of a repository's data: `.git`, or others for worktrees and submodules."""

import os
import stat
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from symphony.domain.git.status import RepoState
from symphony.infrastructure.git.files.roots import OpenedRoots, real_path
from symphony.infrastructure.git.files.unreadable import Unreadable, broken
from symphony.infrastructure.git.files.untrusted_directory import UntrustedDirectory

_GIT_DIRECTORY = "The git directory"
_MAX_POINTER = 8192  # bytes; a path has at most 4,096
_GIT_FILE = b"gitdir: "  # gitrepository-layout(5)
# Links that the tool `repo` of Android and git's `git-new-workdir` create. Not HEAD: git reads such
# a link as a symbolic ref.
_MAY_BE_LINKS = (
    *("config", "info", "info/attributes", "info/exclude", "info/sparse-checkout", "logs"),
    *("logs/refs", "objects", "packed-refs", "refs", "shallow"),
)
_LINKED = "A part of the git directory"


@dataclass(frozen=True, slots=True)
class Location:
    """The directories of a repository, all in `roots` and opened.

    `git_directory` (git's `$GIT_DIR`) has HEAD and the index of this working tree.
    `common_directory` (git's `$GIT_COMMON_DIR`) has what all working trees share: config, refs and
    objects. Both are the same directory except in a linked worktree. `work_tree` is None for a bare
    repository.
    """

    roots: OpenedRoots
    work_tree: UntrustedDirectory | None
    git_directory: UntrustedDirectory
    common_directory: UntrustedDirectory

    @property
    def is_linked(self) -> bool:
        return self.git_directory.path != self.common_directory.path

    @property
    def main_directory(self) -> Path | None:
        """The main repository of a linked worktree: its working tree, or a bare repository."""
        if not self.is_linked:
            return None
        common = self.common_directory.path
        return common.parent if common.name == ".git" else common


def open_directory(path: str, roots: OpenedRoots) -> UntrustedDirectory:
    """Open the directory that a user named.

    Raises: Unreadable, OSError.
    """
    try:
        return roots.open(os.path.expanduser(path), "The directory")
    except FileNotFoundError:
        raise Unreadable(RepoState.MISSING, "Nothing exists at this path.") from None
    except NotADirectoryError:
        raise _not_a_repository("The path is not a directory.") from None


@contextmanager
def locate(
    top: UntrustedDirectory, roots: OpenedRoots, shared: UntrustedDirectory | None = None
) -> Generator[Location]:
    """Locate the repository whose top directory this is; its parents are not searched.

    `shared` is the common directory of a located worktree; another one of the same repository is
    not opened again.

    Raises: Unreadable, OSError.
    """
    with ExitStack() as opened:
        git_directory = _open_git_directory(top, roots)
        if git_directory is None:
            if top.mode("HEAD") is not None:
                _resolve_links(top, roots, opened)
            if not _is_git_directory(top):
                raise _not_a_repository("The directory has no .git.")
            yield Location(roots, None, top, top)
            return
        opened.callback(git_directory.close)
        _resolve_links(git_directory, roots, opened)
        pointer = git_directory.read("commondir", _MAX_POINTER)
        common = git_directory
        if pointer is not None:
            common = _follow(git_directory.path, pointer, roots)
            opened.callback(common.close)
            if shared is not None and common.identity == shared.identity:
                common = shared
            else:
                _resolve_links(common, roots, opened)
        is_complete = common is shared or _has_objects_and_refs(common)
        if git_directory.mode("HEAD") is None or not is_complete:
            reason = "The git directory is incomplete: HEAD, objects or refs is missing."
            raise _not_a_repository(reason)
        yield Location(roots, top, git_directory, common)


def _open_git_directory(top: UntrustedDirectory, roots: OpenedRoots) -> UntrustedDirectory | None:
    mode = top.mode(".git")
    if mode is None:
        return None
    if stat.S_ISLNK(mode):
        try:
            return roots.open(top.path / ".git", _GIT_DIRECTORY)
        except (FileNotFoundError, NotADirectoryError):
            reason = "The .git is a symbolic link that does not lead to a directory."
            raise broken(reason) from None
    if stat.S_ISDIR(mode):
        return top.open(".git")
    pointer = top.read(".git", _MAX_POINTER)
    if pointer is None or not pointer.startswith(_GIT_FILE):
        raise broken("The .git file does not name a git directory.")
    return _follow(top.path, pointer.removeprefix(_GIT_FILE), roots)


def _follow(start: Path, pointer: bytes, roots: OpenedRoots) -> UntrustedDirectory:
    """Open the directory that a `.git` file or a `commondir` names."""
    target = pointer.rstrip(b"\r\n")
    if b"\0" in target:
        raise broken("The path of the git directory contains a NUL character.")
    try:
        return roots.open(start / os.fsdecode(target), _GIT_DIRECTORY)
    except (FileNotFoundError, NotADirectoryError):
        reason = "The git directory is stored elsewhere, and does not exist there."
        raise broken(reason) from None


def _resolve_links(directory: UntrustedDirectory, roots: OpenedRoots, opened: ExitStack) -> None:
    """Let each part that is a link lead to its target, which is opened from its git root.

    A link that leads outside the git roots, or to nothing, stays a link: it is refused when the
    part is read.

    Raises: Stopped, OSError.
    """
    for name in _behind_links(directory):
        real = real_path(directory.path / name)
        if real is None:
            continue
        try:
            parent = roots.open(real.parent, _LINKED)
        except (Unreadable, FileNotFoundError, NotADirectoryError):
            continue
        opened.callback(parent.close)
        directory.link(name, parent.entry(real.name))


def _behind_links(directory: UntrustedDirectory) -> list[str]:
    links = {entry.name for entry in directory.entries() if entry.is_symlink()}
    return [
        name
        for name in _MAY_BE_LINKS
        if name in links or ("/" in name and directory.is_behind_link(name))
    ]


def _is_git_directory(directory: UntrustedDirectory) -> bool:
    return directory.mode("HEAD") is not None and _has_objects_and_refs(directory)


def _has_objects_and_refs(directory: UntrustedDirectory) -> bool:
    return directory.has_directory("objects") and directory.has_directory("refs")


def _not_a_repository(reason: str) -> Unreadable:
    return Unreadable(RepoState.NOT_A_REPOSITORY, reason)
