"""Submodules that differ from what their superproject has of them.

git would look into each by running itself there, with the submodule's own configuration. So it is
told not to, and each is looked at as any other repository is.
"""

import os
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from symphony.infrastructure.git.files.config import parsed
from symphony.infrastructure.git.files.folder import Folder
from symphony.infrastructure.git.process.private_directory import PrivateDirectory
from symphony.infrastructure.git.status.index import Submodules

_ALWAYS_THE_SAME = {"all"}
_SAME_WHEN_DIRTY = {"all", "dirty"}
_SAME_WITH_UNTRACKED = {"all", "dirty", "untracked"}


@dataclass(frozen=True, slots=True)
class Submodule:
    """What a superproject asks of a submodule that is checked out."""

    head: str | None
    has_changes: bool
    has_untracked: bool


Look = Callable[[Path], Submodule]


def count_modified(private: PrivateDirectory, submodules: Submodules, look: Look) -> int:
    """How many of the submodules are at another commit, have changes, or are gone.

    Raises: Unreadable, OSError.
    """
    if not submodules:
        return 0
    ignored = _ignored(private)
    return sum(
        _is_modified(private, path, commit, ignored(path), look) for path, commit in submodules
    )


def _ignored(private: PrivateDirectory) -> Callable[[str], str]:
    """What is not to count, for each path (gitmodules(5), `submodule.<name>.ignore`)."""
    work_tree = private.location.work_tree
    assert work_tree is not None  # noqa: S101 - a bare one has no files
    with Folder(work_tree) as top:
        modules = parsed(top, ".gitmodules")
    sections = {
        values[-1]: section
        for (section, key), values in modules.items()
        if section.startswith("submodule.") and key == "path"
    }

    def of(path: str) -> str:
        section = sections.get(path, "")
        from_modules = modules.get((section, "ignore"), ("none",))[-1]
        general = private.config.last("diff.ignoresubmodules")
        return private.config.last(f"{section}.ignore") or general or from_modules

    return of


def _is_modified(
    private: PrivateDirectory, path: str, commit: str, ignored: str, look: Look
) -> bool:
    if ignored in _ALWAYS_THE_SAME:
        return False
    assert private.location.work_tree is not None  # noqa: S101 - a bare one has no files
    folder = private.location.work_tree / path
    try:
        mode = os.lstat(folder).st_mode
    except (FileNotFoundError, NotADirectoryError):
        return True
    if not stat.S_ISDIR(mode) or os.path.realpath(folder) != str(folder):
        return True
    if not os.path.lexists(folder / ".git"):
        return False  # it is not checked out
    submodule = look(folder)
    return (
        (submodule.head is not None and submodule.head != commit)
        or (submodule.has_changes and ignored not in _SAME_WHEN_DIRTY)
        or (submodule.has_untracked and ignored not in _SAME_WITH_UNTRACKED)
    )
