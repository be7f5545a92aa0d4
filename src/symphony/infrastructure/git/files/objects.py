"""The object directories of a repository, and a check that its objects are its own.

git reads objects in place, because copying them would take too long. Symbolic links and alternates
must therefore be in the git roots as well: a commit that the service shows is read from there.
"""

import os
import stat
from pathlib import Path

from symphony.infrastructure.git.files.roots import GitRoots
from symphony.infrastructure.git.files.unreadable import broken, refused
from symphony.infrastructure.git.files.untrusted_directory import UntrustedDirectory

_ALTERNATES = "info/alternates"  # gitrepository-layout(5)
_MAX_ALTERNATES = 1 << 16  # bytes
_MAX_OBJECT_DIRECTORIES = 50
_ALTERNATE = "The alternate object directory"


def find_object_directories(objects: Path, roots: GitRoots) -> list[Path]:
    """Return the object directories, the repository's own first.

    Raises: Unreadable, OSError.
    """
    found: list[Path] = []
    pending = [objects]
    while pending:
        directory = pending.pop()
        if directory in found:
            continue
        if len(found) == _MAX_OBJECT_DIRECTORIES:
            raise broken(
                f"The repository has more than {_MAX_OBJECT_DIRECTORIES} object directories."
            )
        found.append(directory)
        pending += _alternates(directory, roots)
    return found


def check_loose_object(object_directories: list[Path], object_id: str) -> None:
    """Check an object whose content will be shown.

    Raises: Unreadable (refused) when it is a symbolic link.
    """
    for path in object_directories:
        with UntrustedDirectory(path) as directory:
            mode = directory.mode(f"{object_id[:2]}/{object_id[2:]}")
        if mode is not None and not stat.S_ISREG(mode):
            raise refused("An object is not a regular file.")


def _alternates(objects: Path, roots: GitRoots) -> list[Path]:
    """Return the alternates of an object directory, after a check for symbolic links in it."""
    with UntrustedDirectory(objects) as directory:
        _refuse_links(objects)
        if directory.has_directory("pack"):
            _refuse_links(objects / "pack")
        content = directory.read(_ALTERNATES, _MAX_ALTERNATES) or b""
    alternates: list[Path] = []
    for line in content.split(b"\n"):
        if not line or line.startswith(b"#"):
            continue
        if line.startswith(b'"') or b"\0" in line:
            raise refused(f"{_ALTERNATE} has a path that is quoted or contains a NUL character.")
        alternate = roots.resolve(objects / os.fsdecode(line), _ALTERNATE)
        if alternate.is_dir():
            alternates.append(alternate)
    return alternates


def _refuse_links(directory: Path) -> None:
    with os.scandir(directory) as entries:
        if any(entry.is_symlink() for entry in entries):
            raise refused("An object directory contains a symbolic link.")
