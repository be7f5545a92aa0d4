"""The object directories of a repository, and a check that its objects are its own.

git reads objects in place, because copying them would take too long. Symbolic links and alternates
must therefore be in the git roots as well: a commit that the service shows is read from there.
"""

import os
import re
import stat
import time
from collections.abc import Iterable, Mapping

from symphony.infrastructure.git.files.roots import OpenedRoots
from symphony.infrastructure.git.files.unreadable import Unreadable, broken, refused
from symphony.infrastructure.git.files.untrusted_directory import (
    Identity,
    Place,
    UntrustedDirectory,
)

_ALTERNATES = "info/alternates"  # gitrepository-layout(5)
_MAX_ALTERNATES = 1 << 16  # bytes
_MAX_OBJECT_DIRECTORIES = 50
_MAX_ENTRIES = 100_000  # of one of the directories that git reads packs from
_ALTERNATE = "The alternate object directory"
# With packs, their indexes, and graphs of commits (gitrepository-layout(5)).
_FANOUT = re.compile("[0-9a-f]{2}")  # the names of the directories with loose objects
_SETTLED_AFTER = 2 * 10**9  # nanoseconds: the coarsest times that a file system stores
_WITH_FILES = ("info", "info/commit-graphs", "pack", "pack/multi-pack-index.d")


ObjectTimes = Mapping[tuple[Identity, str], int]
"""When each directory with objects was changed last, in nanoseconds."""


def find_object_directories(common: UntrustedDirectory, roots: OpenedRoots) -> list[Place]:
    """Return the object directories, the repository's own first.

    Raises: Unreadable, OSError.
    """
    found: list[Place] = []
    with common.open("objects") as own:
        pending = _add(own, found)
    while pending:
        try:
            alternate = roots.open(pending.pop(), _ALTERNATE)
        except (FileNotFoundError, NotADirectoryError):
            continue  # git ignores it as well
        with alternate:
            pending += _add(alternate, found)
    return found


def object_times(places: Iterable[Place], roots: OpenedRoots) -> ObjectTimes | None:
    """Return what changes whenever an object or a pack is added or removed.

    None when that happened in the last seconds: another change might not change the times.

    Raises: Unreadable, Stopped, OSError.
    """
    times = dict[tuple[Identity, str], int]()
    for place in places:
        with roots.open(place.path, "The object directory") as directory:
            names = [entry.name for entry in directory.entries() if _FANOUT.fullmatch(entry.name)]
            times[place.identity, ""] = directory.own_modified_at
            for name in (*_WITH_FILES, *names):
                if (modified_at := directory.modified_at(name)) is not None:
                    times[place.identity, name] = modified_at
    return times if max(times.values()) < time.time_ns() - _SETTLED_AFTER else None


def check_loose_object(places: Iterable[Place], object_id: str, roots: OpenedRoots) -> None:
    """Check an object whose content will be shown.

    Raises: Unreadable (refused) when it is a symbolic link.
    """
    for place in places:
        with roots.open(place.path, "The object directory") as directory:
            mode = directory.mode(f"{object_id[:2]}/{object_id[2:]}")
        if mode is not None and not stat.S_ISREG(mode):
            raise refused("An object is not a regular file.")


def _add(directory: UntrustedDirectory, found: list[Place]) -> list[str]:
    """Add an object directory after a check for symbolic links; return its alternates."""
    if directory.place in found:
        return []
    if len(found) == _MAX_OBJECT_DIRECTORIES:
        raise _too_many_directories()
    found.append(directory.place)
    _refuse_links(directory)
    for name in _WITH_FILES:
        if directory.has_directory(name):
            with directory.open(*name.split("/")) as inner:
                _refuse_links(inner)
    return _alternates(directory)


def _alternates(directory: UntrustedDirectory) -> list[str]:
    """Return the paths of the alternates of an object directory."""
    content = directory.read(_ALTERNATES, _MAX_ALTERNATES) or b""
    lines = [line for line in content.split(b"\n") if line and not line.startswith(b"#")]
    if len(lines) > _MAX_OBJECT_DIRECTORIES:
        raise _too_many_directories()
    if any(line.startswith(b'"') or b"\0" in line for line in lines):
        raise refused(f"{_ALTERNATE} has a path that is quoted or contains a NUL character.")
    return [os.path.join(directory.path, os.fsdecode(line)) for line in lines]


def _refuse_links(directory: UntrustedDirectory) -> None:
    for number, entry in enumerate(directory.entries()):
        if entry.is_symlink():
            raise refused("An object directory contains a symbolic link.")
        if number == _MAX_ENTRIES:
            raise broken(f"An object directory has more than {_MAX_ENTRIES:,} entries.")


def _too_many_directories() -> Unreadable:
    return broken(f"The repository has more than {_MAX_OBJECT_DIRECTORIES} object directories.")
