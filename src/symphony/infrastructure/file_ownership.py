"""Files and directories that no other user of the machine can have changed or planted.

The rules are those of ssh for its keys: the owner is this process's user or root, and nobody else
may write. What others may have written is refused, because its content may be theirs. What they
could only read gets the right mode. A mode includes what an access control list of POSIX grants.
"""

import logging
import os
import pwd
import shlex
import stat
from pathlib import Path

_WRITABLE = stat.S_IWGRP | stat.S_IWOTH
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_ROOT = 0

_log = logging.getLogger("symphony")


class UnsafeFile(Exception):
    """Another user may have changed a file; the message is one line that says what to do."""


def create_directory(directory: Path) -> None:
    """Create a directory and its parents for this user only; keep those that exist.

    Raises: OSError.
    """
    missing = directory.absolute()
    create = list[Path]()
    while not os.path.lexists(missing):
        create.append(missing)
        missing = missing.parent
    for each in reversed(create):  # `mkdir` gives the mode to the last one only
        each.mkdir(mode=0o700, exist_ok=True)
    directory.mkdir(mode=0o700, exist_ok=True)


def require_own_directory(directory: Path) -> None:
    """Require that only this user and root can write to a directory, which may be a link.

    Its parents are not checked. Raises: UnsafeFile, OSError.
    """
    for status in (os.lstat(directory), os.stat(directory)):  # a link can lead anywhere
        _require_owner(directory, status)
    if not status.st_mode & _WRITABLE:
        return
    what = f"{_writable(directory, status)}: they could replace the files in it"
    if status.st_mode & stat.S_ISVTX:  # shared on purpose, as /tmp is
        raise UnsafeFile(f"{what}. Use a directory of its own, such as {directory / 'symphony'}.")
    raise UnsafeFile(
        f"{what}. Check what it contains and run `chmod go-w {shlex.quote(str(directory))}`, or"
        " use another directory."
    )


def make_private(directory: Path) -> None:
    """Give a directory of this user the mode 0700, with the rules of `require_own_directory`.

    What others may have created in it before must be checked afterwards.

    Raises: UnsafeFile, OSError.
    """
    status = os.stat(directory)
    if status.st_uid == os.geteuid() and status.st_mode & _OTHERS:
        os.chmod(directory, stat.S_IMODE(status.st_mode) & ~_OTHERS)
    require_own_directory(directory)


def resolve_own_link(file: Path) -> Path:
    """Return where a file is that may be a link of this user or root.

    Raises: UnsafeFile, OSError.
    """
    if not file.is_symlink():
        return file
    _require_owner(file, os.lstat(file))
    target = Path(os.path.realpath(file))
    require_own_directory(target.parent)
    return target


def require_own_file(file: Path) -> None:
    """Require that only this user and root can have written a file; it need not exist.

    A file that others can read gets the mode 0600. Not through a link, which leads to a file whose
    directory was not checked. Raises: UnsafeFile, OSError.
    """
    try:
        status = os.lstat(file)
    except FileNotFoundError:
        return
    _require_own(file, status)
    if not is_private(status):
        _close(file, status)
        _log.warning(
            "%s was readable by other users (%s); it is not any more", file, owner_and_mode(status)
        )


def require_own_lock(file: Path) -> None:
    """Require that only this user and root can lock a file, which need not exist.

    It has no content that others could have written, so it gets the mode 0600 in any case: earlier
    versions created it with the mode of the umask. Raises: UnsafeFile, OSError.
    """
    try:
        status = os.lstat(file)
    except FileNotFoundError:
        return
    _require_owned_file(file, status)
    if not is_private(status):
        _close(file, status)


def read_own_file(file: Path) -> bytes:
    """Read a file with the rules of `require_own_file`.

    Raises: UnsafeFile, FileNotFoundError, OSError.
    """
    require_own_file(file)
    with open(os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as opened:
        _require_own(file, os.fstat(opened.fileno()))
        return opened.read()


def is_private(status: os.stat_result) -> bool:
    """Return whether only the owner can access a file; one of root may be readable by its group.

    libpq has the same rule for the key of a client's certificate.
    """
    others = stat.S_IMODE(status.st_mode) & _OTHERS
    return not others or (status.st_uid == _ROOT != os.geteuid() and others == stat.S_IRGRP)


def is_trusted_owner(status: os.stat_result) -> bool:
    """Return whether a file is owned by this process's user or by root."""
    return status.st_uid in {os.geteuid(), _ROOT}


def replaceable_in(real: Path) -> Path | None:
    """Return the directory in which others can replace a path without links, or a part of it.

    Raises: OSError.
    """
    entry = os.stat(real)
    for parent in real.parents:
        status = os.stat(parent)
        # In a sticky directory, only the owner of an entry and that of the directory replace it.
        is_protected = bool(status.st_mode & stat.S_ISVTX) and is_trusted_owner(entry)
        if not is_trusted_owner(status) or (status.st_mode & _WRITABLE and not is_protected):
            return parent
        entry = status
    return None


def is_writable_by_others(status: os.stat_result) -> bool:
    """Return whether a mode lets other users write."""
    return bool(status.st_mode & _WRITABLE)


def owner_and_mode(status: os.stat_result) -> str:
    """Describe the owner and the mode of a file, for a message."""
    return f"owner {_user(status.st_uid)}, mode {stat.S_IMODE(status.st_mode):04o}"


def _close(file: Path, status: os.stat_result) -> None:
    """Take all rights of others away."""
    try:
        os.chmod(file, stat.S_IMODE(status.st_mode) & ~_OTHERS)
        is_closed = is_private(os.lstat(file))
    except FileNotFoundError:  # SQLite has removed it meanwhile
        return
    except OSError as error:
        raise _not_closed(file, status, error.strerror) from None
    if not is_closed:
        raise _not_closed(file, status, "the file system ignores it")


def _require_owned_file(file: Path, status: os.stat_result) -> None:
    if stat.S_ISLNK(status.st_mode):
        raise UnsafeFile(
            f"{file} is a symbolic link. Put the file itself there, or remove the link."
        )
    if not stat.S_ISREG(status.st_mode):
        raise UnsafeFile(f"{file} is not a file.")
    _require_owner(file, status)


def _require_own(file: Path, status: os.stat_result) -> None:
    _require_owned_file(file, status)
    if status.st_mode & _WRITABLE:
        raise UnsafeFile(
            f"{_writable(file, status)}: its content may be theirs. If it is yours, run"
            f" `chmod go-w {shlex.quote(str(file))}`; otherwise remove it."
        )


def _require_owner(path: Path, status: os.stat_result) -> None:
    if not is_trusted_owner(status):
        own = _user(os.geteuid())
        raise UnsafeFile(
            f"{path} is owned by another user ({owner_and_mode(status)}), but Symphony runs as"
            f" {own}: its content may be theirs. If it is yours, run Symphony as that user, or"
            f" `chown {own} {shlex.quote(str(path))}`; otherwise remove it."
        )


def _writable(path: Path, status: os.stat_result) -> str:
    return f"{path} is writable by other users ({owner_and_mode(status)})"


def _not_closed(file: Path, status: os.stat_result, reason: str | None) -> UnsafeFile:
    return UnsafeFile(
        f"{file} is open to other users ({owner_and_mode(status)}), and this cannot be changed:"
        f" {reason}. Run `chmod go= {shlex.quote(str(file))}`, or use another directory."
    )


def _user(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
