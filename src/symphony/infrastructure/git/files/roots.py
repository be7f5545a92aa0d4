"""The git roots: the directories that the operator allows the service to read."""

import os
from collections.abc import Iterable
from pathlib import Path

from symphony.infrastructure.git.files.unreadable import refused


class GitRoots:
    """A path is allowed when it is in a git root after all of its symbolic links are resolved."""

    def __init__(self, directories: Iterable[Path]) -> None:
        self._directories = tuple(Path(os.path.realpath(directory)) for directory in directories)

    def resolve(self, path: str | Path, subject: str) -> Path:
        """Return the path without symbolic links; nothing need exist there.

        Raises: Unreadable (refused) when it is outside the git roots; the reason begins with
        `subject`. It does not reveal whether anything exists there.
        """
        try:
            os.fsencode(path)
        except UnicodeError:
            raise refused(f"{subject} has a path that this system cannot encode.") from None
        real = real_path(path)
        if real is None or not any(real.is_relative_to(root) for root in self._directories):
            raise refused(f"{subject} is outside the git roots of this service.")
        return real


def real_path(path: str | Path) -> Path | None:
    """Resolve all symbolic links in a path.

    Returns None when there are too many of them, or the file system encoding lacks a character.
    """
    try:
        return Path(os.path.realpath(path))
    except (RecursionError, UnicodeError):  # the kernel itself allows 40 links
        return None
