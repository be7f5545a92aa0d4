"""Who, besides the operator, may write to a git root or replace it."""

import os
from pathlib import Path

from symphony.infrastructure.file_ownership import (
    is_trusted_owner,
    is_writable_by_others,
    owner_and_mode,
    replaceable_in,
)


def others_who_may_write(root: Path) -> str | None:
    """Return a clause that says how other users may write to a root, or replace it.

    Others are all users but the service's own and root. The owner and the mode of the root and of
    each directory above it are checked. On Linux, the rights of the group in a mode include what an
    access control list grants. What is in the root is not checked.
    """
    real = Path(os.path.realpath(root))
    try:
        status = os.stat(real)
        above = replaceable_in(real)
        who = None if above is None else _described(above, os.stat(above))
    except OSError as error:
        return f"the owner of {str(root)!r} cannot be checked ({error.strerror})"
    if not is_trusted_owner(status):
        return f"{_described(real, status)} is owned by another user"
    if is_writable_by_others(status):
        return f"{_described(real, status)} is writable by other users"
    return who and f"{str(real)!r} can be replaced by other users, who may write to {who}"


def is_replaceable(real: Path) -> bool:
    """Return whether other users can put another directory in the place of this one."""
    try:
        return replaceable_in(real) is not None
    except OSError:
        return True


def _described(path: Path, status: os.stat_result) -> str:
    return f"{str(path)!r} ({owner_and_mode(status)})"
