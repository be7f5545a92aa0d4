"""Remotes that are the repository itself: what they have is nowhere else."""

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import unquote

from symphony.infrastructure.git.files.config import Config
from symphony.infrastructure.git.files.location import Location, locate
from symphony.infrastructure.git.files.unreadable import Unreadable

_FILE_URL = "file://"
# As git decides it (connect.c, url_is_local_not_ssh): no colon before the first slash.
_LOCAL_PATH = re.compile(r"(?:[^:]*|[^:/]*/.*)", re.DOTALL)
# What git appends to find the repository (path.c, enter_repo).
_SUFFIXES = ("", ".git")
_ADDRESSES = ("url", "pushurl")
_MAX_PATHS = 100  # of remotes
_MAX_REWRITES = 100


def own_remotes(location: Location, config: Config) -> set[str]:
    """Return the names of the remotes with an address that leads to this repository, to one of its
    worktrees, or to a submodule stored in it.

    Beyond a limit, all of them count as such. Raises: Stopped, OSError.
    """
    rewrites = _rewrites(config)
    names = {name for setting in _ADDRESSES for name, _ in config.subsections("remote", setting)}
    if len(rewrites) > _MAX_REWRITES:
        return names
    paths = set[tuple[str, str]]()
    for name in names:
        location.roots.check_stopped()
        for setting in _ADDRESSES:
            for url in config.all(f"remote.{name}.{setting}"):
                path = _path(_rewritten(url, rewrites))
                if path is not None:
                    paths.add((name, path))
    if len(paths) > _MAX_PATHS:
        return names
    return {name for name, path in paths if _is_own(location, path)}


def local_path(config: Config, url: str) -> str | None:
    """Return the path of a remote on this machine, as git finds it; None for another one.

    Beyond a limit of rewrites, none is applied.
    """
    rewrites = _rewrites(config)
    return _path(url if len(rewrites) > _MAX_REWRITES else _rewritten(url, rewrites))


def _path(url: str) -> str | None:
    """Return the path of a remote on this machine; None for another one."""
    if url.startswith(_FILE_URL):
        return unquote(url.removeprefix(_FILE_URL))
    return os.path.expanduser(url) if _LOCAL_PATH.fullmatch(url) else None


def _rewrites(config: Config) -> list[tuple[str, str]]:
    """Return what begins an address and what git puts in its place (`url.<base>.insteadOf`)."""
    return [
        (beginning, base)
        for base, _ in config.subsections("url", "insteadof")
        for beginning in config.all(f"url.{base}.insteadof")
    ]


def _rewritten(url: str, rewrites: Sequence[tuple[str, str]]) -> str:
    """Apply the rewrite with the longest beginning, as git does."""
    matching = [each for each in rewrites if url.startswith(each[0])]
    if not matching:
        return url
    beginning, base = max(matching, key=lambda each: len(each[0]))
    return base + url.removeprefix(beginning)


def _is_own(location: Location, path: str) -> bool:
    common = location.common_directory
    for start in _starts(location):
        for suffix in _SUFFIXES:
            try:
                with (
                    location.roots.open(f"{start / path}{suffix}", "The remote") as directory,
                    locate(directory, location.roots) as found,
                ):
                    other = found.common_directory
                    if other.identity == common.identity or common.path in other.path.parents:
                        return True
            except (Unreadable, FileNotFoundError, NotADirectoryError):
                continue  # it is not here, so it is another one
    return False


def _starts(location: Location) -> Iterator[Path]:
    """Yield the directories from which a relative path may lead: those where git runs."""
    yield (location.work_tree or location.git_directory).path
    if location.is_linked:
        yield location.common_directory.path.parent
        yield location.common_directory.path
