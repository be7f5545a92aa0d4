"""What was found in a whole repository."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from symphony.domain.git.facts import unfinished_work
from symphony.domain.git.since import earliest
from symphony.domain.git.work import Work
from symphony.infrastructure.git.history.refs import RefsOnce
from symphony.infrastructure.git.status.findings import Findings, joined
from symphony.infrastructure.git.status.linked_worktrees import Others
from symphony.infrastructure.git.status.unchecked import Stashes


@dataclass(frozen=True, slots=True)
class Surveyed:
    """`reasons` explain `at_risk`, and what of `work` is unknown or ignored. `changed_since` is
    that of the compared worktree."""

    others: Others
    refs: RefsOnce
    work: Work
    stashes: Stashes
    at_risk: bool | None
    reasons: Sequence[str | None]
    changed_since: datetime | None

    @property
    def since(self) -> datetime | None:
        """The earliest known time of what exists only there."""
        commits = (each.since for each in unfinished_work(self.work.items))
        worktrees = (each.changed_since for each in self.others.worktrees)
        return earliest([self.changed_since, self.stashes.since, *commits, *worktrees])

    def as_findings(self, where: str) -> Findings:
        """Return this as findings of the repository that contains this one at `where`."""
        reason = joined(self.reasons)
        found = Findings(bool(self.at_risk), since=self.since if self.at_risk else None)
        if self.at_risk is None:
            found.unknown.append(reason or "Whether something exists only there is unknown.")
        elif self.at_risk and reason is not None:
            found.notes.append(reason)
        findings = Findings()
        findings.add(found, where)
        return findings
