"""A check of all entries of an index, before git compares files with them.

git validates the paths of an index when they are added, but not when it reads them. With a crafted
index it would compare any file of the machine with content of the attacker's choice, and the status
would reveal whether both are the same.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from symphony.infrastructure.git.files.unreadable import broken, refused
from symphony.infrastructure.git.process.private_directory import PrivateDirectory

# Each of these patterns begins with the NUL that ends the previous entry. Then follow a tag, a
# mode, an object id, a stage and the path (git-ls-files(1)).
#
# A path is unsafe when it has a part that git would not add: an empty one, `.`, `..` or `.git`.
# Only the directories of a sparse index end with a slash.
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
# An entry that sparse checkout leaves out, and the directory that would contain it.
_LEFT_OUT = re.compile(rb"\0S [^\t]*\t([^\0]+)/[^\0/]*(?=\0)")

RecordedSubmodules = list[tuple[str, str]]
"""The path and the recorded commit of each submodule."""


@dataclass(frozen=True, slots=True)
class IndexLimits:
    """The limits for reading an index, in bytes."""

    max_path: int = 1 << 16  # far more than any operating system opens
    max_submodules: int = 16 << 20  # of the paths and commits of all of them


def check_index(private: PrivateDirectory) -> RecordedSubmodules:
    """Check the paths of the index and return the submodules without a conflict.

    Raises: Unreadable (refused) when a path leads outside the working tree, Stopped.
    """
    check = IndexCheck(private.location.work_tree)
    private.list_index_entries(check.consume)
    return check.submodules


class IndexCheck:
    """A check of the output of `git ls-files -t --stage -z`, which may be long, in chunks."""

    def __init__(self, work_tree: Path | None, limits: IndexLimits | None = None) -> None:
        self._work_tree = str(work_tree)
        self._limits = limits or IndexLimits()
        self._rest = b"\0"
        self._submodules_size = 0
        self.submodules: RecordedSubmodules = []

    def consume(self, chunk: bytes) -> None:
        """Raises: Unreadable."""
        output = self._rest + chunk
        end = output.rindex(b"\0")
        self._rest = output[end:]
        if len(self._rest) > self._limits.max_path:
            raise broken(f"A path in the index is longer than {self._limits.max_path:,} bytes.")
        entries = output[: end + 1]
        if _UNSAFE.search(entries):
            raise refused("A path in the index leads outside the working tree.")
        self._check_left_out(entries)
        for commit, path in _SUBMODULE.findall(entries):
            self._submodules_size += len(path) + len(commit)
            if self._submodules_size > self._limits.max_submodules:
                raise broken("The repository has too many submodules.")
            self.submodules.append((os.fsdecode(path), commit.decode()))

    def _check_left_out(self, entries: bytes) -> None:
        """Refuse left out files behind a symbolic link.

        git checks whether such files exist nevertheless, and follows symbolic links for that.
        """
        for directory in set(_LEFT_OUT.findall(entries)):
            path = os.path.join(self._work_tree, os.fsdecode(directory))
            if os.path.realpath(path) != path:
                raise refused("A path in the index leads through a symbolic link.")
