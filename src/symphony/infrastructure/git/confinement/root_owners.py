"""Who, besides the operator, could write to a git root or replace it."""

import os
import stat
from pathlib import Path

_OTHERS = stat.S_IWGRP | stat.S_IWOTH


def others_who_may_write(root: Path) -> str | None:
    """Return how users other than the service's own and root may write to a root, or replace it.

    The owner and the mode of the root and of each directory above it are checked. On Linux, the
    mode of a group also has what an access control list grants. What is in the root is not checked.

    Raises: OSError.
    """
    real = Path(os.path.realpath(root))
    status = os.stat(real)
    if not _is_own(status):
        return f"is owned by another user (user id {status.st_uid})"
    if status.st_mode & _OTHERS:
        return f"can be changed by other users (mode {stat.S_IMODE(status.st_mode):04o})"
    replaceable = _replaceable_below(real)
    return replaceable and f"can be replaced by other users, who may change {str(replaceable)!r}"


def is_replaceable(real: Path) -> bool:
    """Return whether others can put another directory in the place of this one."""
    try:
        return _replaceable_below(real) is not None
    except OSError:
        return True


def _replaceable_below(real: Path) -> Path | None:
    """Return the directory above whose entries others can replace, if there is one."""
    entry = os.stat(real)
    for parent in real.parents:
        status = os.stat(parent)
        # In a sticky directory, entries are replaced only by their owner and by the directory's.
        is_protected = bool(status.st_mode & stat.S_ISVTX) and _is_own(entry)
        if not _is_own(status) or (status.st_mode & _OTHERS and not is_protected):
            return parent
        entry = status
    return None


def _is_own(status: os.stat_result) -> bool:
    return status.st_uid in {0, os.geteuid()}
