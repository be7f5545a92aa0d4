"""Submodules that differ from the commits that their superproject records.

git would run itself in each of them, with the submodule's own configuration. Instead, an
option keeps git out of them, and each is inspected like any other repository.
"""

from collections.abc import Callable
from dataclasses import dataclass

from symphony.infrastructure.git.files.config_files import read_values
from symphony.infrastructure.git.files.untrusted_directory import UntrustedDirectory
from symphony.infrastructure.git.process.private_directory import PrivateDirectory
from symphony.infrastructure.git.status.index import RecordedSubmodules

# The values of `ignore` with which a submodule, its changes, or its untracked files do not count.
_IGNORE_ALWAYS = {"all"}
_IGNORE_CHANGES = {"all", "dirty"}
_IGNORE_UNTRACKED = {"all", "dirty", "untracked"}


@dataclass(frozen=True, slots=True)
class Submodule:
    """The facts about a checked out submodule that its superproject needs."""

    head: str | None
    has_changes: bool
    has_untracked: bool
    at_risk: bool | None
    """Whether something exists only in it."""


InspectSubmodule = Callable[[UntrustedDirectory], Submodule]


def count_modified(
    private: PrivateDirectory, submodules: RecordedSubmodules, inspect: InspectSubmodule
) -> int:
    """Return how many submodules are at another commit, have changes, or are missing.

    Raises: Unreadable, Stopped, OSError.
    """
    if not submodules:
        return 0
    work_tree = private.location.work_tree
    assert work_tree is not None  # noqa: S101 - a bare repository has no files
    ignore = _ignore_values(private, work_tree)
    modified = 0
    for path, commit in submodules:
        work_tree.check_stopped()
        modified += _is_modified(work_tree, path, commit, ignore(path), inspect)
    return modified


def _ignore_values(
    private: PrivateDirectory, work_tree: UntrustedDirectory
) -> Callable[[str], str]:
    """Return a function from a path to its value of `ignore` (gitmodules(5),
    `submodule.<name>.ignore`)."""
    modules = read_values(work_tree, ".gitmodules")
    sections = {
        values[-1]: section
        for (section, name), values in modules.items()
        if section.startswith("submodule.") and name == "path"
    }

    def ignore_value(path: str) -> str:
        section = sections.get(path, "")
        from_modules = modules.get((section, "ignore"), ("none",))[-1]
        general = private.config.last("diff.ignoresubmodules")
        return private.config.last(f"{section}.ignore") or general or from_modules

    return ignore_value


def _is_modified(
    work_tree: UntrustedDirectory, path: str, commit: str, ignore: str, inspect: InspectSubmodule
) -> bool:
    if ignore in _IGNORE_ALWAYS:
        return False
    try:
        directory = work_tree.open(*path.split("/"))
    except (FileNotFoundError, NotADirectoryError):
        return True
    with directory:
        if directory.mode(".git") is None:
            return False  # it is not checked out
        submodule = inspect(directory)
    return (
        (submodule.head is not None and submodule.head != commit)
        or (submodule.has_changes and ignore not in _IGNORE_CHANGES)
        or (submodule.has_untracked and ignore not in _IGNORE_UNTRACKED)
    )
