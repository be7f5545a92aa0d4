"""Files that are marked in the index, which git does not compare.

`git update-index --assume-unchanged` and `--skip-worktree` mark them. As long as such a file is in
the working tree, its changes exist only there, and `git status` does not report them.
"""

import os
import re
from dataclasses import dataclass

from symphony.infrastructure.git.files.untrusted_directory import UntrustedDirectory
from symphony.infrastructure.git.process.private_directory import PrivateDirectory
from symphony.infrastructure.git.status import filters
from symphony.infrastructure.git.status.findings import Findings

_MAX_MARKED = 20_000
# An entry without a conflict in the output of `git ls-files -v --stage -z`. The tag of one that is
# assumed to be unchanged is in lower case; S is one that is left out. Submodules are compared
# anyway, and a directory is one of a sparse index.
_MARKED = re.compile(rb"\0([a-z]|S) ((?:100|120)\d{3} [0-9a-f]+) 0\t([^\0]+)(?=\0)")
_LEFT_OUT = b"S"
_MODIFIED = b"M"


@dataclass(frozen=True, slots=True)
class MarkedFile:
    """`mode_and_id` are those in the index."""

    mode_and_id: bytes
    path: bytes


class MarkedFiles:
    """Collects the marked files that exist, from chunks of complete entries.

    With sparse checkout, git itself compares the left out files that exist.
    """

    def __init__(self, work_tree: UntrustedDirectory, *, is_sparse: bool) -> None:
        self._work_tree = work_tree
        self._is_sparse = is_sparse
        self.existing: list[MarkedFile] = []

    @property
    def are_too_many(self) -> bool:
        return len(self.existing) > _MAX_MARKED

    def add_from(self, entries: bytes) -> None:
        """Raises: Stopped, OSError."""
        for tag, mode_and_id, path in _MARKED.findall(entries):
            if self.are_too_many or (self._is_sparse and tag == _LEFT_OUT):
                continue
            self._work_tree.check_stopped()
            if self._work_tree.size(os.fsdecode(path)) is not None:
                self.existing.append(MarkedFile(mode_and_id, path))


def compare(private: PrivateDirectory, marked: MarkedFiles) -> Findings:
    """Compare the marked files with the index, in an index of their own without the marks.

    Raises: Unreadable, Stopped, OSError.
    """
    findings = Findings()
    if marked.are_too_many:
        findings.unknown.append(
            f"More than {_MAX_MARKED:,} files are marked as unchanged"
            " (`git update-index --assume-unchanged`); they were not compared."
        )
    elif marked.existing:
        changes = _changes(private, marked.existing)
        if changes.modified:
            findings.is_at_risk = True
            findings.notes.append(
                f"Modified files that are marked as unchanged: {changes.modified:,}"
                " (`git update-index --no-assume-unchanged --no-skip-worktree` lets git report"
                " them)."
            )
        findings.add(changes.findings())
    return findings


def _changes(private: PrivateDirectory, marked: list[MarkedFile]) -> filters.Changes:
    own = private.with_index(private.path / "marked-index")
    entries = b"".join(b"%b\t%b\0" % (each.mode_and_id, each.path) for each in marked)
    own.git_with_input("update-index", "-z", "--index-info", data=entries)
    own.git("update-index", "-q", "--refresh")
    fields = own.git("diff-files", "--raw", "-z", "--no-renames").split(b"\0")
    changed = list(zip(fields[0::2], fields[1::2], strict=False))
    modified = [path for change, path in changed if change.endswith(_MODIFIED)]
    changes = filters.compare(private, modified)
    return filters.Changes(changes.modified + len(changed) - len(modified), changes.undecided)
