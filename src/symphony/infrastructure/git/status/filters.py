"""Files that appear modified because the filter that converts them is not run.

A file with the attribute `filter` (git-lfs, git-crypt) has another content in the repository than
in the working tree. git compares the two only when the times of the file differ from those in the
index, and without the filter they then differ. Only the size of the file in the index is left to
compare: while the file has that size, it counts as unmodified.
"""

import os
import re
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from symphony.infrastructure.git.files.untrusted_directory import UntrustedDirectory
from symphony.infrastructure.git.process.private_directory import PrivateDirectory
from symphony.infrastructure.git.status.findings import Findings

_NO_FILTER = {b"unspecified", b"unset"}
# An entry in the output of `git ls-files --debug`; the size is that of the file, modulo 2^32.
_ENTRY = re.compile(rb"([^\0]++)\0(?:  .*\n)*?  size: (\d+)\t.*\n")
_SIZE_MODULUS = 1 << 32


@dataclass(frozen=True, slots=True)
class Changes:
    """How many files are modified; `undecided` ones have a filter, and still the same size."""

    modified: int
    undecided: AbstractSet[bytes] = frozenset()

    def findings(self) -> Findings:
        findings = Findings()
        if self.undecided:
            findings.unknown.append(
                f"Files with a filter (git-lfs, git-crypt) that may be modified:"
                f" {len(self.undecided):,}"
                " (`git status` compares them)."
            )
        return findings


def compare(private: PrivateDirectory, paths: list[bytes]) -> Changes:
    """Compare files that all appear modified.

    Raises: Unreadable, Stopped.
    """
    if not paths:
        return Changes(0)
    attributes = private.attributes(paths, "filter")
    filtered = {path for path, value in attributes if value not in _NO_FILTER}
    if not filtered:
        return Changes(len(paths))
    work_tree = private.location.work_tree
    assert work_tree is not None  # noqa: S101 - a bare repository has no files
    comparison = SizeComparison(work_tree, filtered)
    private.list_index_sizes(comparison.consume)
    return Changes(len(paths) - len(comparison.equal), comparison.equal)


class SizeComparison:
    """A comparison of the sizes of files with those in the output of `git ls-files --debug -z`."""

    def __init__(self, work_tree: UntrustedDirectory, paths: set[bytes]) -> None:
        self._work_tree = work_tree
        self._paths = paths
        self._rest = b""  # an incomplete entry, which `check_index` has found not to be too long
        self.equal = set[bytes]()

    def consume(self, chunk: bytes) -> None:
        """Raises: Stopped."""
        output = self._rest + chunk
        position = 0
        while entry := _ENTRY.match(output, position):
            position = entry.end()
            if entry[1] in self._paths:
                self._work_tree.check_stopped()
                size = self._work_tree.size(os.fsdecode(entry[1]))
                if size is not None and size % _SIZE_MODULUS == int(entry[2]):
                    self.equal.add(entry[1])
        self._rest = output[position:]
