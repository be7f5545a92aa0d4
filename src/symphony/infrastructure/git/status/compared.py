"""The files of a worktree, compared with its index and its commit."""

from dataclasses import dataclass
from datetime import datetime

from symphony.domain.git.since import earliest
from symphony.infrastructure.git.process.private_directory import PrivateDirectory
from symphony.infrastructure.git.status.findings import Findings
from symphony.infrastructure.git.status.head import head_id
from symphony.infrastructure.git.status.porcelain import Porcelain

_BARE_WITH_FILES = "It has an index: files that belong to it were not compared."


@dataclass(frozen=True, slots=True)
class Compared:
    """What git reports of a working tree, the number of modified files and submodules, and what git
    does not report. `files_since` is the earliest known time of a changed file."""

    porcelain: Porcelain
    modified: int
    findings: Findings
    files_since: datetime | None = None

    @property
    def has_changes(self) -> bool:
        return bool(self.porcelain.staged or self.modified or self.porcelain.conflicted)

    @property
    def is_dirty(self) -> bool:
        return self.has_changes or self.porcelain.untracked > 0

    @property
    def changed_since(self) -> datetime | None:
        """The earliest known time of what is changed, work in submodules included."""
        files = self.files_since if self.is_dirty else None
        return earliest([files, self.findings.since])


def bare_repository(private: PrivateDirectory) -> Compared:
    """Return the head of a bare repository, which has no files to compare.

    With an index, it has files nevertheless: core.bare was set later, or each command names them
    (`git --work-tree`).
    """
    unknown = [_BARE_WITH_FILES] if (private.path / "index").exists() else []
    return Compared(Porcelain(head=head_id(private)), 0, Findings(unknown=unknown))
