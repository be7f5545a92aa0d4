"""Data in a git directory that neither branches and tags nor a remote are known to have."""

from collections.abc import Collection

from symphony.infrastructure.git.files.config import Config
from symphony.infrastructure.git.files.decoding import printable
from symphony.infrastructure.git.files.unreadable import broken
from symphony.infrastructure.git.files.untrusted_directory import UntrustedDirectory

_MAX_DIRECTORIES = 5_000
_GIT_DIRECTORIES = frozenset({"objects", "refs"})
# Of git-lfs and git-annex, which copy files to a remote themselves.
_LARGE_FILES = ("lfs/objects", "annex/objects")

Identity = tuple[int, int]


def large_files(common: UntrustedDirectory) -> list[str]:
    """Return the directories of other programs that have files of the history."""
    found = list[str]()
    for name in _LARGE_FILES:
        if common.has_directory(name):
            with common.open(*name.split("/")) as directory:
                if any(True for _ in directory.entries()):
                    found.append(f".git/{name}")
    return found


def is_shallow(common: UntrustedDirectory) -> bool:
    return bool(common.size("shallow"))


def is_partial(config: Config) -> bool:
    """Return whether the clone leaves objects at its remote (git-clone(1), `--filter`)."""
    names = ("promisor", "partialclonefilter")
    return config.last("extensions.partialclone") is not None or any(
        True for name in names for _ in config.subsections("remote", name)
    )


def unvisited_modules(
    git_directory: UntrustedDirectory, visited: Collection[Identity]
) -> list[str]:
    """Return the git directories of submodules, except for those that were inspected.

    git keeps them when a submodule is no longer checked out.

    Raises: Unreadable, Stopped, OSError.
    """
    found, pending, count = list[str](), ["modules"], 0
    while pending:
        name = pending.pop()
        count += 1
        if count > _MAX_DIRECTORIES:
            raise broken("The repository has too many submodules.")
        if not git_directory.has_directory(name):
            continue
        with git_directory.open(*name.split("/")) as directory:
            entries = directory.entries()
            names = {each.name for each in entries if each.is_dir(follow_symlinks=False)}
            is_repository = names >= _GIT_DIRECTORIES and directory.mode("HEAD") is not None
            identity = directory.identity
        if not is_repository:
            pending += [f"{name}/{each}" for each in sorted(names)]
            continue
        if identity not in visited:
            found.append(printable(f".git/{name}"))
        if "modules" in names:
            pending.append(f"{name}/modules")
    return sorted(found)
