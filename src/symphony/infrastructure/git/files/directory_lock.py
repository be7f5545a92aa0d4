"""Exclusive locks on directories."""

import errno
import fcntl
import os
from contextlib import ExitStack
from pathlib import Path


def lock_directory(path: Path) -> int:
    """Lock a directory; the lock is released when the returned file descriptor is closed.

    The operating system closes it when the process terminates, in whatever way.

    Raises: BlockingIOError when another process or thread holds the lock, FileNotFoundError when
    the directory is removed meanwhile, OSError.
    """
    with ExitStack() as on_error:
        directory = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        on_error.callback(os.close, directory)
        fcntl.flock(directory, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # The directory may have been removed, and created again, before it was locked.
        if not os.path.samestat(os.fstat(directory), os.lstat(path)):
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
        on_error.pop_all()
    return directory
