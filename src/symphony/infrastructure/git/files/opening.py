"""Opening of directories one component after the other, without following symbolic links.

A path that was checked as text may lead elsewhere when it is opened later. A directory that is
opened relative to the descriptor of the one above it cannot be replaced in between.
"""

import errno
import os
import stat
from collections.abc import Sequence

_DIRECTORY = os.O_DIRECTORY | os.O_NOFOLLOW
READABLE = os.O_RDONLY | _DIRECTORY
# To open what is in it. On Linux this needs no permission to list the directory.
SEARCHABLE: int = getattr(os, "O_PATH", os.O_RDONLY) | _DIRECTORY


class SymbolicLink(NotADirectoryError):
    """A component of a path is a symbolic link."""


def open_below(top: int, parts: Sequence[str], flags: int = READABLE) -> int:
    """Open the directory that `parts` lead to from the open directory `top`.

    Raises: SymbolicLink when a component is a symbolic link; FileNotFoundError when a component
    does not exist, or one before the last is not a directory; NotADirectoryError when the last one
    is not; OSError.
    """
    if not parts:
        return os.open(".", flags, dir_fd=top)
    directory = top
    for number, part in enumerate(parts, start=1):
        is_last = number == len(parts)
        try:
            inner = os.open(part, flags if is_last else SEARCHABLE, dir_fd=directory)
        except OSError as error:
            # Linux reports a symbolic link as ENOTDIR, macOS as ELOOP.
            if error.errno not in {errno.ENOTDIR, errno.ELOOP}:
                raise
            if _is_symbolic_link(part, directory):
                raise SymbolicLink(errno.ELOOP, os.strerror(errno.ELOOP)) from None
            kind = NotADirectoryError if is_last else FileNotFoundError
            raise kind(errno.ENOTDIR, os.strerror(errno.ENOTDIR)) from None
        finally:
            if directory != top:
                os.close(directory)
        directory = inner
    return directory


def _is_symbolic_link(name: str, directory: int) -> bool:
    try:
        return stat.S_ISLNK(os.stat(name, dir_fd=directory, follow_symlinks=False).st_mode)
    except FileNotFoundError:
        return False
