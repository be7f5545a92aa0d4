"""The temporary folder of this process."""

import errno
import fcntl
import os
import shutil
import tempfile
from contextlib import ExitStack, suppress
from pathlib import Path

from symphony.infrastructure.git.process.reaper import Reaper

_PREFIX = "symphony-git-"


class ServiceTemporaryDirectory:
    """A folder below the system's temporary one, which only this user may read.

    Its owner holds a lock on it, which ends with the process, however that ends. So whoever starts
    can tell the folders that nobody uses any more, and removes them. What works in it then ends by
    itself.
    """

    def __init__(self) -> None:
        _sweep()
        while True:
            path = Path(tempfile.mkdtemp(prefix=_PREFIX))
            with suppress(BlockingIOError, FileNotFoundError):  # somebody sweeps it away
                self._lock = locked(path)
                break
        self.path = path
        self._reaper = Reaper(path)

    def close(self) -> None:
        self._reaper.dismiss()
        shutil.rmtree(self.path, ignore_errors=True)
        os.close(self._lock)


def is_service_temporary(folder: Path) -> bool:
    """Whether it is in a temporary folder of this service, whichever of its processes has that."""
    if _PREFIX not in str(folder):
        return False  # as nearly all of a search, which asks for each folder
    temporary = Path(os.path.realpath(tempfile.gettempdir()))
    return any(
        each.parent == temporary and each.name.startswith(_PREFIX)
        for each in (folder, *folder.parents)
    )


def _sweep() -> None:
    for path in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with suppress(OSError):  # somebody else's, in use, or gone
            if os.lstat(path).st_uid == os.geteuid():
                lock = locked(path)
                shutil.rmtree(path, ignore_errors=True)
                os.close(lock)


def locked(path: Path) -> int:
    """A lock on a folder, which ends when it is closed.

    Raises: BlockingIOError when somebody has it, FileNotFoundError when it is gone, OSError.
    """
    with ExitStack() as opened:
        folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        opened.callback(os.close, folder)
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if not os.path.samestat(os.fstat(folder), os.lstat(path)):
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
        opened.pop_all()
    return folder
