"""The folders in which the service may look."""

import os
from collections.abc import Iterable
from pathlib import Path

from symphony.infrastructure.git.files.unreadable import refused


class Roots:
    """What lies in one of these folders, after resolving all links, may be read."""

    def __init__(self, folders: Iterable[Path]) -> None:
        self._folders = tuple(Path(os.path.realpath(folder)) for folder in folders)

    def resolve(self, path: str | Path, what: str) -> Path:
        """The real place of a path, which need not exist.

        Raises: Unreadable (refused) when it is outside; `what` names it in the reason. Whether
        something is there is not told then.
        """
        try:
            os.fsencode(path)
        except UnicodeError:
            words = f"{what} has a path that cannot be written on this service's system."
            raise refused(words) from None
        real = real_path(path)
        if real is None or not any(real.is_relative_to(folder) for folder in self._folders):
            raise refused(f"{what} lies outside the folders in which this service may look.")
        return real


def real_path(path: str | Path) -> Path | None:
    """A path with all its links resolved.

    None where these are more than can be followed, or the system has no characters for it.
    """
    try:
        return Path(os.path.realpath(path))
    except (RecursionError, UnicodeError):  # the system gives up after 40 of them
        return None
