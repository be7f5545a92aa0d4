"""The classification of a directory: the kind of its repository, and the URL to register."""

import stat
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from symphony.domain.discovery import RepoKind, remote_to_register
from symphony.domain.git.status import RepoState
from symphony.infrastructure.git.files.config import Config, read_config
from symphony.infrastructure.git.files.location import Location, locate
from symphony.infrastructure.git.files.roots import OpenedRoots
from symphony.infrastructure.git.files.unreadable import Unreadable
from symphony.infrastructure.git.files.untrusted_directory import UntrustedDirectory
from symphony.infrastructure.git.files.work_tree import is_bare

_MAX_SUPERPROJECTS = 8  # that may contain a git directory; each takes a walk from its root


@dataclass(frozen=True, slots=True)
class ClassifiedRepository:
    """A directory with a repository, and the facts that can be determined without running git.

    `git_directory` is None when it cannot be determined; for a bare repository it is the directory
    itself. `reason` says what is missing or was changed.
    """

    directory: Path
    kind: RepoKind = RepoKind.REPOSITORY
    git_directory: Path | None = None
    remote_url: str | None = None
    reason: str | None = None


def classify(directory: UntrustedDirectory, roots: OpenedRoots) -> ClassifiedRepository | None:
    """Return the repository whose top directory this is, if there is one. Raises: Stopped."""
    kind, git_directory = RepoKind.REPOSITORY, None
    try:
        with locate(directory, roots) as location:
            git_directory = location.git_directory.path
            kind = _kind(location)
            config = read_config(location)
            kind = kind_of(location, config)
    except Unreadable as unreadable:
        if unreadable.state in {RepoState.MISSING, RepoState.NOT_A_REPOSITORY}:
            return None
        reason = unreadable.reason
    except OSError as error:
        reason = f"The repository cannot be read: {error.strerror or 'unknown error'}."
    else:
        return ClassifiedRepository(
            directory.path,
            kind,
            git_directory,
            *remote_to_register(dict(config.subsections("remote", "url"))),
        )
    return ClassifiedRepository(directory.path, kind, git_directory, reason=reason)


def kind_of(location: Location, config: Config) -> RepoKind:
    """Return the kind of a located repository."""
    if is_bare(location, config):
        return RepoKind.BARE
    kind = _kind(location)
    # With core.worktree, the files are in another directory.
    return RepoKind.REPOSITORY if kind == RepoKind.BARE else kind


def _kind(location: Location) -> RepoKind:
    if location.work_tree is None:
        return RepoKind.BARE
    if location.is_linked:
        return RepoKind.WORKTREE
    # The git directories of submodules are in that of the superproject (gitrepository-layout(5)).
    git_directory = location.git_directory.path
    if git_directory.parent == location.work_tree.path:
        return RepoKind.REPOSITORY
    superprojects = (each.parent for each in git_directory.parents if each.name == "modules")
    if any(_has_head(each, location.roots) for each in islice(superprojects, _MAX_SUPERPROJECTS)):
        return RepoKind.SUBMODULE
    return RepoKind.REPOSITORY


def _has_head(directory: Path, roots: OpenedRoots) -> bool:
    try:
        with roots.open(directory, "The superproject") as superproject:
            mode = superproject.mode("HEAD")
    except (Unreadable, OSError):
        return False
    return mode is not None and stat.S_ISREG(mode)
