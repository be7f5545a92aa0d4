"""Submodules that differ from the commits that their superproject records.

git would run itself in each of them, with the submodule's own configuration. Instead, an
option keeps git out of them, and each is inspected like any other repository.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from symphony.domain.git.status import RepoState
from symphony.infrastructure.git.files.config_files import read_values
from symphony.infrastructure.git.files.decoding import printable
from symphony.infrastructure.git.files.unreadable import Unreadable
from symphony.infrastructure.git.files.untrusted_directory import Identity, UntrustedDirectory
from symphony.infrastructure.git.process.private_directory import PrivateDirectory
from symphony.infrastructure.git.status.findings import Findings
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
    git_directory: Identity
    findings: Findings
    """What exists only in it, its own changes included."""


InspectSubmodule = Callable[[UntrustedDirectory], Submodule]


@dataclass(slots=True)
class Comparison:
    """How many submodules are at another commit, have changes, or are missing, and what was found
    in them; `git_directories` are those of the submodules that were inspected."""

    modified: int = 0
    findings: Findings = field(default_factory=Findings)
    git_directories: set[Identity] = field(default_factory=set[Identity])


def compare(
    private: PrivateDirectory, submodules: RecordedSubmodules, inspect: InspectSubmodule
) -> Comparison:
    """Raises: Unreadable, Stopped, OSError."""
    comparison = Comparison()
    if not submodules:
        return comparison
    work_tree = private.location.work_tree
    assert work_tree is not None  # noqa: S101 - a bare repository has no files
    ignore = _ignore_values(private, work_tree)
    for path, commit in submodules:
        work_tree.check_stopped()
        _add(comparison, work_tree, path, commit, ignore(path), inspect)
    return comparison


def _add(
    comparison: Comparison,
    work_tree: UntrustedDirectory,
    path: str,
    commit: str,
    ignore: str,
    inspect: InspectSubmodule,
) -> None:
    try:
        directory = work_tree.open(*path.split("/"))
    except (FileNotFoundError, NotADirectoryError):
        comparison.modified += ignore not in _IGNORE_ALWAYS
        return
    with directory:
        if directory.mode(".git") is None:
            _add_files_without_repository(comparison.findings, directory, path)
            return
        submodule = _inspected(directory, ignore, inspect, comparison.findings)
    if submodule is not None:
        comparison.git_directories.add(submodule.git_directory)
        comparison.findings.add(submodule.findings)
        comparison.modified += _is_modified(submodule, commit, ignore)


def _add_files_without_repository(
    findings: Findings, directory: UntrustedDirectory, path: str
) -> None:
    """git reports no files in the directory of a submodule that is not checked out."""
    if any(True for _ in directory.entries()):
        findings.is_at_risk = True
        findings.notes.append(
            f"The directory of the submodule {printable(path)[:200]}, which is not checked out, has"
            " files that git does not report."
        )


def _inspected(
    directory: UntrustedDirectory, ignore: str, inspect: InspectSubmodule, findings: Findings
) -> Submodule | None:
    """Inspect a submodule; a damaged one that is ignored is only unknown."""
    try:
        return inspect(directory)
    except Unreadable as unreadable:
        if ignore not in _IGNORE_ALWAYS or unreadable.state == RepoState.REFUSED:
            raise
        findings.unknown.append(unreadable.reason)
    return None


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


def _is_modified(submodule: Submodule, commit: str, ignore: str) -> bool:
    return ignore not in _IGNORE_ALWAYS and (
        (submodule.head is not None and submodule.head != commit)
        or (submodule.has_changes and ignore not in _IGNORE_CHANGES)
        or (submodule.has_untracked and ignore not in _IGNORE_UNTRACKED)
    )
