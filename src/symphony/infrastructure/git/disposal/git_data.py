"""Data in a git directory that neither branches and tags nor a remote are known to have."""

import re
from collections.abc import Collection, Iterator

from symphony.infrastructure.git.files.config import Config
from symphony.infrastructure.git.files.decoding import printable
from symphony.infrastructure.git.files.unreadable import broken
from symphony.infrastructure.git.files.untrusted_directory import UntrustedDirectory

_MAX_PACKED_REFS = 16 << 20  # bytes
_MAX_DIRECTORIES = 5_000
_MAX_FOUND = 1_000
_KNOWN_REFS = {"heads", "tags", "remotes", "prefetch"}  # the last one: of `git maintenance`
_STASH = "stash"
_PACKED_REF = re.compile(rb"^[0-9a-f]{40,64} refs/([^/\n]+)(/[^\n]*)?$", re.MULTILINE)
_GIT_DIRECTORIES = frozenset({"objects", "refs"})
# Of git-lfs and git-annex, which copy files to a remote themselves.
_LARGE_FILES = ("lfs/objects", "annex/objects")

Identity = tuple[int, int]


def other_refs(git_directory: UntrustedDirectory) -> list[str]:
    """Return the refs that are neither branches, tags, remote-tracking branches nor stashes.

    Stashes are counted by their log, so without it `refs/stash` is one of these.

    Raises: Unreadable, Stopped, OSError.
    """
    found, known = set[str](), set(_KNOWN_REFS)
    if git_directory.size("logs/refs/stash"):
        known.add(_STASH)
    content = git_directory.read("packed-refs", _MAX_PACKED_REFS) or b""
    for match in _PACKED_REF.finditer(content):
        git_directory.check_stopped()
        if match[1].decode("utf-8", "replace") not in known:
            found.add(f"refs/{_decoded(match[1])}{_decoded(match[2] or b'')}")
        if len(found) > _MAX_FOUND:
            break
    if git_directory.has_directory("refs"):
        found.update(_loose_refs(git_directory, known))
    return sorted(found)


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


def _loose_refs(git_directory: UntrustedDirectory, known: Collection[str]) -> Iterator[str]:
    with git_directory.open("refs") as refs:
        pending = list[str]()
        for entry in refs.entries():
            if entry.name in known or entry.name.endswith(".lock"):
                continue
            if entry.is_dir(follow_symlinks=False):
                pending.append(entry.name)
            else:
                yield printable(f"refs/{entry.name}")
        found = 0
        for number, name in enumerate(pending):  # grows meanwhile
            if number > _MAX_DIRECTORIES or found > _MAX_FOUND:
                yield "refs/…"
                return
            with refs.open(*name.split("/")) as directory:
                for entry in directory.entries():
                    inner = f"{name}/{entry.name}"
                    if entry.is_dir(follow_symlinks=False):
                        pending.append(inner)
                    else:
                        found += 1
                        yield printable(f"refs/{inner}")


def _decoded(name: bytes) -> str:
    return name.decode("utf-8", "replace")
