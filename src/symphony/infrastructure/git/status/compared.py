"""The files of a worktree, compared with its index and its commit."""

from dataclasses import dataclass

from symphony.infrastructure.git.process.private_directory import PrivateDirectory
from symphony.infrastructure.git.status.findings import Findings
from symphony.infrastructure.git.status.head import head_id
from symphony.infrastructure.git.status.porcelain import Porcelain

_BARE_WITH_FILES = "It has an index: files that belong to it were not compared."


@dataclass(frozen=True, slots=True)
class Compared:
    """What git reports of a working tree, the number of modified files and submodules, and what git
    does not report."""

    porcelain: Porcelain
    modified: int
    findings: Findings

    @property
    def has_changes(self) -> bool:
        return bool(self.porcelain.staged or self.modified or self.porcelain.conflicted)

    @property
    def is_dirty(self) -> bool:
        return self.has_changes or self.porcelain.untracked > 0


def bare_repository(private: PrivateDirectory) -> Compared:
    """Return the head of a bare repository, which has no files to compare.

    With an index, it has files nevertheless: core.bare was set later, or each command names them
    (`git --work-tree`).
    """
    unknown = [_BARE_WITH_FILES] if (private.path / "index").exists() else []
    return Compared(Porcelain(head=head_id(private)), 0, Findings(unknown=unknown))
