"""What is in an index, all of it looked through before git compares a file with it.

git checks the paths of an index when they are added, and not when it reads them. So it would
compare a file anywhere on the machine with what somebody has written, and we would tell whether the
two are the same.
"""

import os
import re
from pathlib import Path

from symphony.infrastructure.git.files.unreadable import broken, refused
from symphony.infrastructure.git.process.private_directory import PrivateDirectory

_MAX_PATH = 1 << 16  # bytes; far more than any system opens
_MAX_SUBMODULES = 16 << 20  # bytes of what is told of them
# Each of these begins with the end of the entry before; then come a tag, a mode, an object's id, a
# stage, and the path (git-ls-files(1)).
#
# A path is unsafe with a part that git would not add: none, `.`, `..` or `.git`. Only the folders
# of a sparse index end with a slash.
_UNSAFE = re.compile(
    rb"""
    \0[A-Z]\ (?:
        [^\t]*\t (?:[^\0]*/)? (?: / | (?: \.{1,2} | \.git ) [/\0] )
        | (?!040000\ [^\t]*\t[^\0]) [^\t]*\t (?:[^\0]*/)? \0
    )
    """,
    re.VERBOSE | re.IGNORECASE,
)
_SUBMODULE = re.compile(rb"\0[A-Z] 160000 ([0-9a-f]+) 0\t([^\0]+)(?=\0)")
# One that is left out by sparse checkout, and the folder in which it would be.
_LEFT_OUT = re.compile(rb"\0S [^\t]*\t([^\0]+)/[^\0/]*(?=\0)")

Submodules = list[tuple[str, str]]


def checked(private: PrivateDirectory) -> Submodules:
    """The path and the commit of each submodule without a conflict.

    Raises: Unreadable (refused) when git would be led out of the working tree, Stopped.
    """
    entries = Entries(private.location.work_tree)
    private.list_entries(entries.take)
    return entries.submodules


class Entries:
    """What `git ls-files -t --stage -z` tells of an index, as it comes: it may be long."""

    def __init__(self, work_tree: Path | None) -> None:
        self._work_tree = str(work_tree)
        self._rest = b"\0"
        self._room = _MAX_SUBMODULES
        self.submodules: Submodules = []

    def take(self, piece: bytes) -> None:
        """Raises: Unreadable."""
        told = self._rest + piece
        end = told.rindex(b"\0")
        self._rest = told[end:]
        if len(self._rest) > _MAX_PATH:
            raise broken(f"A path in its index has more than {_MAX_PATH:,} bytes.")
        entries = told[: end + 1]
        if _UNSAFE.search(entries):
            raise refused("A path in its index leads out of it.")
        self._check_left_out(entries)
        for commit, path in _SUBMODULE.findall(entries):
            self._room -= len(path) + len(commit)
            if self._room < 0:
                raise broken("It has too many submodules.")
            self.submodules.append((os.fsdecode(path), commit.decode()))

    def _check_left_out(self, entries: bytes) -> None:
        """git looks whether what is left out is there all the same, and follows links for that."""
        for folder in set(_LEFT_OUT.findall(entries)):
            place = os.path.join(self._work_tree, os.fsdecode(folder))
            if os.path.realpath(place) != place:
                raise refused("A path in its index leads through a symbolic link.")
