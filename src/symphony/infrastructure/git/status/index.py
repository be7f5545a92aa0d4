"""A check of all entries of an index, before git compares files with them.

git validates the paths of an index when they are added, but not when it reads them. With a crafted
index it would compare any file of the machine with content of the attacker's choice, and the status
would reveal whether both are the same.
"""

import os
import re
from dataclasses import dataclass
from itertools import pairwise

from symphony.infrastructure.git.files.unreadable import broken, refused
from symphony.infrastructure.git.files.untrusted_directory import UntrustedDirectory
from symphony.infrastructure.git.process.private_directory import PrivateDirectory
from symphony.infrastructure.git.status.marked_files import MarkedFiles

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
_STAGE_AND_PATH = re.compile(rb"\0[^\t]*([0-3])\t([^\0]*)(?=\0)")
_SUBMODULE = re.compile(rb"\0[A-Za-z] 160000 ([0-9a-f]+) 0\t([^\0]+)(?=\0)")
# An entry that sparse checkout leaves out, and the directory that would contain it.
_LEFT_OUT = re.compile(rb"\0[Ss] [^\t]*\t([^\0]+)/[^\0/]*(?=\0)")

RecordedSubmodules = list[tuple[str, str]]
"""The path and the recorded commit of each submodule."""


@dataclass(frozen=True, slots=True)
class IndexLimits:
    """The limits for reading an index, in bytes."""

    max_path: int = 1 << 16  # far more than any operating system opens
    max_submodules: int = 16 << 20  # of the paths and commits of all of them


def check_index(private: PrivateDirectory) -> "IndexCheck":
    """Check the paths of the index; return its submodules without a conflict, and marked files.

    Raises: Unreadable (refused) when a path leads outside the working tree, Stopped, OSError.
    """
    work_tree = private.location.work_tree
    assert work_tree is not None  # noqa: S101 - a bare repository has no files
    marked = MarkedFiles(work_tree, is_sparse=private.config.is_true("core.sparsecheckout"))
    check = IndexCheck(work_tree, marked=marked)
    private.list_index_entries(check.consume)
    return check


class IndexCheck:
    """A check of the output of `git ls-files -v --stage -z`, which may be long, in chunks."""

    def __init__(
        self,
        work_tree: UntrustedDirectory,
        limits: IndexLimits | None = None,
        marked: MarkedFiles | None = None,
    ) -> None:
        self._work_tree = work_tree
        self.marked = marked or MarkedFiles(work_tree, is_sparse=False)
        self._limits = limits or IndexLimits()
        self._rest = b"\0"
        self._last = (b"", b"")
        self._submodules_size = 0
        self.submodules: RecordedSubmodules = []

    def consume(self, chunk: bytes) -> None:
        """Raises: Unreadable, Stopped."""
        output = self._rest + chunk
        end = output.rindex(b"\0")
        self._rest = output[end:]
        if len(self._rest) > self._limits.max_path:
            raise broken(f"A path in the index is longer than {self._limits.max_path:,} bytes.")
        entries = output[: end + 1]
        if _UNSAFE.search(entries):
            raise refused("A path in the index leads outside the working tree.")
        self._check_order(entries)
        self._check_left_out(entries)
        for commit, path in _SUBMODULE.findall(entries):
            self._submodules_size += len(path) + len(commit)
            if self._submodules_size > self._limits.max_submodules:
                raise broken("The repository has too many submodules.")
            self.submodules.append((os.fsdecode(path), commit.decode()))
        self.marked.add_from(entries)

    def _check_order(self, entries: bytes) -> None:
        """Refuse entries that are not in the order of gitformat-index(5).

        In that order a path occurs once, or once for each side of a conflict. git does not check.
        """
        found = [self._last, *_STAGE_AND_PATH.findall(entries)]
        self._last = found[-1]
        for (stage, path), (next_stage, next_path) in pairwise(found):
            if path < next_path or (path == next_path and b"0" < stage < next_stage):
                continue
            raise refused("A path in the index occurs twice, or in the wrong place.")

    def _check_left_out(self, entries: bytes) -> None:
        """Refuse left out files behind a symbolic link.

        git checks whether such files exist nevertheless, and follows symbolic links for that.
        """
        for directory in set(_LEFT_OUT.findall(entries)):
            self._work_tree.check_stopped()
            if self._work_tree.is_behind_link(os.fsdecode(directory)):
                raise refused("A path in the index leads through a symbolic link.")
