"""Landlock: a thread gives up access to files and to the network, for itself and what it starts.

Sources: landlock(7), and "Landlock: unprivileged access control" in the kernel's documentation. A
restricted thread stays restricted until it ends, and so does each thread or process that it starts.
"""

import ctypes
import errno
import os
import stat
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import IntFlag
from functools import cache, partial
from pathlib import Path
from typing import Any

from symphony.infrastructure.git.process.threads import start_thread

# The numbers are the same on every architecture on which CPython supports Linux.
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_VERSION = 1  # flag: return the version of the interface (ABI) in place of a ruleset
_PATH_BENEATH = 1  # type of a rule
_NO_NEW_PRIVS = 38  # PR_SET_NO_NEW_PRIVS of prctl(2): without it, only root may restrict itself
_TCP = 3  # bind and connect, from ABI 4 on
_SCOPED = 3  # abstract sockets and signals of processes outside, from ABI 6 on
# The size of the attributes that the kernel knows, and the access rights to files (fs), by ABI.
_ATTRIBUTES = {1: 8, 2: 8, 3: 8, 4: 16, 5: 16, 6: 24}
_RIGHTS = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 4: (1 << 15) - 1}
_ALL_RIGHTS = (1 << 16) - 1
# ENOSYS: an older kernel. EOPNOTSUPP: disabled at boot. EPERM: forbidden, by a container for
# example. E2BIG: the service runs in the deepest of 16 restrictions.
_MISSING = {errno.ENOSYS, errno.EOPNOTSUPP, errno.EPERM, errno.E2BIG}


class Access(IntFlag):
    """Rights to a directory and all that it contains, or to a file."""

    EXECUTE = 1
    WRITE_FILE = 1 << 1
    READ_FILE = 1 << 2
    READ_DIRECTORY = 1 << 3
    REMOVE = 1 << 4 | 1 << 5
    MAKE_DIRECTORY = 1 << 7
    MAKE_FILE = 1 << 8
    MAKE_LINK = 1 << 12
    REFER = 1 << 13
    """Move files to another directory, from ABI 2 on; in ABI 1 it is always refused."""
    TRUNCATE = 1 << 14
    CONTROL_DEVICE = 1 << 15

    READ = READ_FILE | READ_DIRECTORY
    RUN = READ_FILE | EXECUTE
    """Programs and libraries. Their directories cannot be listed, so a git repository that is
    stored among them cannot be inspected."""
    CHANGE = READ | WRITE_FILE | REMOVE | MAKE_DIRECTORY | MAKE_FILE | MAKE_LINK | REFER | TRUNCATE
    """All that git needs in a directory of the service; no program there can be executed."""


_OF_FILES = Access.RUN | Access.WRITE_FILE | Access.TRUNCATE | Access.CONTROL_DEVICE


@dataclass(frozen=True, slots=True)
class Rule:
    """Access to what exists at a path; nothing is allowed when nothing exists there.

    A rule is bound to the inode, not to the name. So when others can replace a part of `path` by a
    link, set `follow_links` to False: the rule then allows nothing if any part is a link. `inode`
    is the device and the inode that are expected, if any.
    """

    path: Path
    access: Access
    follow_links: bool = True
    inode: tuple[int, int] | None = None


class _Attributes(ctypes.Structure):
    _fields_ = (("fs", ctypes.c_uint64), ("net", ctypes.c_uint64), ("scoped", ctypes.c_uint64))


class _PathBeneath(ctypes.Structure):
    _fields_ = (("access", ctypes.c_uint64), ("parent", ctypes.c_int32))


@dataclass(frozen=True, slots=True)
class Landlock:
    """Landlock of this kernel, at a version of its interface."""

    abi: int

    def restrict(self, rules: Iterable[Rule], *, may_connect: bool) -> None:
        """Restrict this thread to the rules. `may_connect` leaves TCP as it is.

        Raises: OSError. The thread is not restricted then, and must not continue.
        """
        rights = _RIGHTS.get(self.abi, _ALL_RIGHTS)
        attributes = _Attributes(rights, 0 if may_connect or self.abi < 4 else _TCP,
                                 0 if self.abi < 6 else _SCOPED)  # fmt: skip
        size = _ATTRIBUTES.get(self.abi, ctypes.sizeof(_Attributes))
        ruleset = _system_call(
            _CREATE_RULESET, ctypes.byref(attributes), ctypes.c_size_t(size), ctypes.c_uint32(0)
        )
        try:
            for rule in rules:
                _add(ruleset, rule, rights)
            if _libc().prctl(_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
                raise _last_error()
            _system_call(_RESTRICT_SELF, ctypes.c_int(ruleset), ctypes.c_uint32(0))
        finally:
            os.close(ruleset)


DetectLandlock = Callable[[], Landlock | None]


@cache
def detect_landlock() -> Landlock | None:
    """Return Landlock if this process can use it, which a thread tries.

    A container may allow one system call and forbid another, and a kernel that is emulated may
    accept a restriction and not enforce it.
    """
    if sys.platform != "linux":
        return None
    try:
        landlock = Landlock(
            _system_call(_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(_VERSION))
        )
        holds = start_thread(partial(_restricts, landlock), "landlock").result()
    except OSError as error:
        if error.errno in _MISSING:
            return None
        raise
    return landlock if holds else None


def _restricts(landlock: Landlock) -> bool:
    landlock.restrict([], may_connect=False)
    try:
        os.close(os.open("/", os.O_RDONLY | os.O_DIRECTORY))
    except PermissionError:
        return True
    return False


def _add(ruleset: int, rule: Rule, rights: int) -> None:
    opened = _open(rule.path, follow_links=rule.follow_links)
    if opened is None:
        return
    try:
        status = os.fstat(opened)
        if rule.inode not in {None, (status.st_dev, status.st_ino)}:
            return
        access = rule.access & (rights if stat.S_ISDIR(status.st_mode) else rights & _OF_FILES)
        beneath = _PathBeneath(access, opened)
        _system_call(
            _ADD_RULE,
            ctypes.c_int(ruleset),
            ctypes.c_int(_PATH_BENEATH),
            ctypes.byref(beneath),
            ctypes.c_uint32(0),
        )
    finally:
        os.close(opened)


def _open(path: Path, *, follow_links: bool) -> int | None:
    """Open what a path names, without any access to its content; None when there is nothing."""
    flags = os.O_PATH | os.O_CLOEXEC
    try:
        if follow_links:
            return os.open(path, flags)
        opened = os.open("/", flags)
        for part in path.parts[1:]:
            parent = opened
            try:
                opened = os.open(part, flags | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=parent)
            finally:
                os.close(parent)
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return None
    return opened


@cache
def _libc() -> ctypes.CDLL:
    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall.restype = ctypes.c_long
    return libc


def _system_call(number: int, *arguments: Any) -> int:
    """Raises: OSError."""
    result: int = _libc().syscall(ctypes.c_long(number), *arguments)
    if result < 0:
        raise _last_error()
    return result


def _last_error() -> OSError:
    number = ctypes.get_errno()
    return OSError(number, os.strerror(number))
