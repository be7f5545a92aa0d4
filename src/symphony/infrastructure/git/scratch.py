"""The temporary folder of this process."""

import fcntl
import os
import shutil
import tempfile
from pathlib import Path

_PREFIX = "symphony-git-"


class Scratch:
    """A folder below the system's temporary one, which only this user may read.

    Its owner holds a lock on it, which ends with the process, however that ends. So whoever starts
    can tell the folders that nobody uses any more, and removes them.
    """

    def __init__(self) -> None:
        _sweep()
        while True:
            path = Path(tempfile.mkdtemp(prefix=_PREFIX))
            lock = locked(path)
            if lock is not None:
                break  # otherwise somebody has swept it away before it was locked
        self.path = path
        self._lock = lock

    def close(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)
        os.close(self._lock)


def is_scratch(folder: Path) -> bool:
    """Whether it is in a temporary folder of this service, whichever of its processes has that."""
    temporary = Path(os.path.realpath(tempfile.gettempdir()))
    return any(
        each.parent == temporary and each.name.startswith(_PREFIX)
        for each in (folder, *folder.parents)
    )


def _sweep() -> None:
    for path in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        lock = locked(path)
        if lock is not None:
            shutil.rmtree(path, ignore_errors=True)
            os.close(lock)


def locked(path: Path) -> int | None:
    """A lock on this user's folder; None when it is somebody else's, in use, or gone."""
    try:
        folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        if os.fstat(folder).st_uid == os.geteuid():
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.fstat(folder), os.lstat(path)):
                return folder
    except OSError:
        pass
    os.close(folder)
    return None
