"""What a folder is in which a search has come upon a repository."""

import os
from dataclasses import dataclass
from pathlib import Path

from symphony.domain import fields as rules
from symphony.domain.discovery import RepoKind
from symphony.domain.errors import RuleBroken
from symphony.domain.git import RepoState
from symphony.infrastructure.git.files.config import Config, read_config
from symphony.infrastructure.git.files.credentials import without_credentials
from symphony.infrastructure.git.files.location import Location, locate
from symphony.infrastructure.git.files.roots import Roots
from symphony.infrastructure.git.files.unreadable import Unreadable

_USUAL = "origin"
_SEVERAL = "It has several remotes, and none is called origin."
_NOT_A_REMOTE = "Its remote has an address that a repo cannot be registered with."
_SHORTENED = "Its remote's address is shown without the credentials that are in it."


@dataclass(frozen=True, slots=True)
class RepositoryFolder:
    """A repository, as far as it can be told without git.

    `git_directory` is None when that cannot be told; it is the folder itself in a bare one.
    """

    folder: Path
    kind: RepoKind = RepoKind.REPOSITORY
    git_directory: Path | None = None
    remote_url: str | None = None
    reason: str | None = None


def classify(folder: Path, roots: Roots) -> RepositoryFolder | None:
    """The repository whose top this folder is, if there is one."""
    location = None
    try:
        if roots.resolve(folder, "It") != folder:
            return None  # a link has taken the place of a folder above
        location = locate(folder, roots)
        config = read_config(location)
    except Unreadable as unreadable:
        if unreadable.state in {RepoState.MISSING, RepoState.NOT_A_REPOSITORY}:
            return None
        reason = unreadable.reason
    except OSError as error:
        reason = f"It cannot be read: {error.strerror or 'unknown'}."
    else:
        kind = RepoKind.BARE if config.is_true("core.bare") else _kind(location)
        return RepositoryFolder(folder, kind, location.own, *_remote(config))
    if location is None:
        return RepositoryFolder(folder, reason=reason)
    return RepositoryFolder(folder, _kind(location), location.own, reason=reason)


def _kind(location: Location) -> RepoKind:
    if location.work_tree is None:
        return RepoKind.BARE
    if location.is_linked:
        return RepoKind.WORKTREE
    # Git directories of submodules stand in the superproject's (gitrepository-layout(5)).
    is_elsewhere = location.own.parent != location.work_tree
    if is_elsewhere and any(
        above.name == "modules" and os.path.isfile(above.parent / "HEAD")
        for above in location.own.parents
    ):
        return RepoKind.SUBMODULE
    return RepoKind.REPOSITORY


def _remote(config: Config) -> tuple[str | None, str | None]:
    """The address to register it with, and why there is none, or another one."""
    urls = dict(config.subsections("remote", "url"))
    if not urls:
        return None, None
    if _USUAL not in urls and len(urls) > 1:
        return None, _SEVERAL
    url = urls[_USUAL] if _USUAL in urls else next(iter(urls.values()))
    try:
        shown = rules.remote_url(without_credentials(rules.text(url)))
    except RuleBroken:
        return None, _NOT_A_REMOTE
    return shown, None if shown == url else _SHORTENED
