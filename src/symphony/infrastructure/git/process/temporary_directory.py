"""The temporary directory of a service process."""

import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

from symphony.infrastructure.git.files.directory_lock import lock_directory
from symphony.infrastructure.git.process.reaper import Reaper

_PREFIX = "symphony-git-"


class ServiceTemporaryDirectory:
    """A directory in the system's temporary directory, readable by this user only.

    This process holds a lock on it, which is released when the process terminates, in whatever way.
    So a starting process recognizes the directories of processes that no longer exist, and removes
    them. The reaper kills the git processes that still use the directory of a killed process.
    """

    def __init__(self) -> None:
        _remove_abandoned()
        while True:
            path = Path(tempfile.mkdtemp(prefix=_PREFIX))
            # Until it is locked, another starting process may find it abandoned and remove it.
            with suppress(BlockingIOError, FileNotFoundError):
                self._lock = lock_directory(path)
                break
        self.path = path
        self._reaper = Reaper(path)

    def close(self) -> None:
        self._reaper.dismiss()
        shutil.rmtree(self.path, ignore_errors=True)
        os.close(self._lock)


def is_service_temporary(directory: Path) -> bool:
    """Return whether a directory is in the temporary directory of a process of this service."""
    if _PREFIX not in str(directory):
        return False  # the quick answer for nearly all of the directories that a search visits
    temporary = Path(os.path.realpath(tempfile.gettempdir()))
    return any(
        each.parent == temporary and each.name.startswith(_PREFIX)
        for each in (directory, *directory.parents)
    )


def _remove_abandoned() -> None:
    for path in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with suppress(OSError):  # of another user, in use, or removed meanwhile
            if os.lstat(path).st_uid == os.geteuid():
                lock = lock_directory(path)
                shutil.rmtree(path, ignore_errors=True)
                os.close(lock)
