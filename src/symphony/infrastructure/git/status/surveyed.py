"""What was found in a whole repository."""

from collections.abc import Sequence
from dataclasses import dataclass

from symphony.domain.git.work import Work
from symphony.infrastructure.git.history.refs import RefsOnce
from symphony.infrastructure.git.status.findings import Findings, joined
from symphony.infrastructure.git.status.linked_worktrees import Others


@dataclass(frozen=True, slots=True)
class Surveyed:
    """`reasons` explain `at_risk`, and what of `work` is unknown or ignored."""

    others: Others
    refs: RefsOnce
    work: Work
    stashes: int
    at_risk: bool | None
    reasons: Sequence[str | None]

    def as_findings(self, where: str) -> Findings:
        """Return this as findings of the repository that contains this one at `where`."""
        reason = joined(self.reasons)
        found = Findings(bool(self.at_risk))
        if self.at_risk is None:
            found.unknown.append(reason or "Whether something exists only there is unknown.")
        elif self.at_risk and reason is not None:
            found.notes.append(reason)
        findings = Findings()
        findings.add(found, where)
        return findings
