"""What the checkouts of one repo say together: each is cleared, or found behind, by the others.

Facts of machines are claims with a time. They are stored as they arrive; what follows from all of
them is derived when it is asked for.
"""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from symphony.domain.git.facts import RepoFacts
from symphony.domain.git.reasons import READ, AttentionReason, repo_reasons
from symphony.domain.git.work import RemoteHeads, WorkKind
from symphony.domain.machines.checkouts import ReportingMachine
from symphony.domain.machines.elsewhere import Elsewhere, MachineCheckout

UNSEEN_AFTER = timedelta(days=7)
"""How long after its last report what a machine reported proves nothing any more."""
_MAX_BRANCHES = 20
_RISKS = (True, None, False)


@dataclass(frozen=True, slots=True)
class OwnCheckout:
    """The directory of the repo on the disk of the server, as the server inspected it."""

    path: str
    observed_at: datetime
    facts: RepoFacts


@dataclass(frozen=True, slots=True)
class AssessedCheckout:
    """A checkout with its reasons; `machine` is None for that of the server.

    `facts` are without what is known to be elsewhere. `at_risk` says whether something exists only
    in this checkout; None when that is unknown, or was false too long ago. `unfinished_since` is
    that of the facts.
    """

    machine: ReportingMachine | None
    path: str
    observed_at: datetime
    facts: RepoFacts
    reasons: tuple[AttentionReason, ...]
    at_risk: bool | None
    unfinished_since: datetime | None = None


class ComparedCheckout(NamedTuple):
    """A checkout, with the facts that are left when it is compared with the others of its repo, and
    since when they are unfinished."""

    machine: ReportingMachine | None
    path: str
    observed_at: datetime
    facts: RepoFacts
    unfinished_since: datetime | None


@dataclass(frozen=True, slots=True)
class RepoCheckouts:
    """All checkouts of a repo, and what the last sync saw of its remote."""

    own: OwnCheckout | None
    of_machines: Sequence[MachineCheckout] = ()
    synced: RemoteHeads | None = None

    def heads_to_find(self) -> set[str]:
        """The commits that would be no longer unpushed if a machine's remote had them."""
        facts = [each.facts.repo for each in self.of_machines]
        if self.own is not None:
            facts.append(self.own.facts)
        return {each.head for own in facts for each in own.unfinished or ()}

    def assessed(
        self, found: Mapping[UUID, AbstractSet[str]], now: datetime
    ) -> list[AssessedCheckout]:
        """Return the checkouts: that of the server first, then by the names of the machines.

        `found` are the ids of checkouts with those of the `heads_to_find` that they know of their
        remotes. What the server cannot read is left out when a machine has a checkout.
        """
        return assessed_at(self.compared(found), now)

    def compared(self, found: Mapping[UUID, AbstractSet[str]]) -> list[ComparedCheckout]:
        """Return the same checkouts before they are assessed: nothing of them depends on the
        time."""
        elsewhere = Elsewhere(self.of_machines, self.synced, found)
        compared = list[ComparedCheckout]()
        own = self.own
        if own is not None and not (self.of_machines and own.facts.state not in READ):
            facts = cleared(own.facts, elsewhere, None)
            since = facts.unfinished_since
            compared.append(ComparedCheckout(None, own.path, own.observed_at, facts, since))
        for each in sorted(self.of_machines, key=_place):
            machine = each.machine
            facts = cleared(each.facts.repo, elsewhere, machine.id)
            if not facts.is_behind and elsewhere.has_later(each.facts, machine.id):
                facts = replace(facts, is_behind=True, behind=None)
            compared.append(
                ComparedCheckout(
                    machine, each.path, machine.last_report_at, facts, facts.unfinished_since
                )
            )
        return compared


def is_unseen(machine: ReportingMachine, now: datetime) -> bool:
    """Return whether a machine has not reported for so long that it is a reason of its own."""
    return now - machine.last_report_at > UNSEEN_AFTER


def cleared(facts: RepoFacts, elsewhere: Elsewhere, machine_id: UUID | None) -> RepoFacts:
    """Return the facts of a checkout without the unpushed commits that are elsewhere after all.

    Nothing is at risk any more when all are, and nothing else can put anything at risk.
    """
    if not facts.unfinished:
        return facts
    left = tuple(
        each for each in facts.unfinished if not elsewhere.is_pushed(each.head, machine_id)
    )
    if len(left) == len(facts.unfinished):
        return facts
    branches = [each.name for each in left if each.kind == WorkKind.BRANCH]
    return replace(
        facts,
        unfinished=left,
        unpushed_branches=tuple(each for each in branches if each is not None)[:_MAX_BRANCHES],
        has_unpushed=facts.has_unpushed and any(each.kind != WorkKind.DETACHED for each in left),
        has_detached=facts.has_detached and any(each.kind == WorkKind.DETACHED for each in left),
        at_risk=False if not left and facts.is_only_unpushed else facts.at_risk,
    )


def most_at_risk(checkouts: Sequence[AssessedCheckout]) -> AssessedCheckout:
    """Return the checkout that stands for a repo: that of the server, otherwise the one with most
    at risk, and most reasons."""
    if checkouts[0].machine is None:
        return checkouts[0]
    return min(checkouts, key=lambda each: (_RISKS.index(each.at_risk), -len(each.reasons)))


def _assessed(checkout: ComparedCheckout, now: datetime) -> AssessedCheckout:
    machine, path, observed_at, facts, since = checkout
    reasons, at_risk = repo_reasons(facts, now), facts.at_risk
    if machine is not None and is_unseen(machine, now):
        reasons = (*reasons, AttentionReason.UNSEEN)
        at_risk = at_risk or None
    return AssessedCheckout(machine, path, observed_at, facts, reasons, at_risk, since)


def assessed_at(checkouts: Sequence[ComparedCheckout], now: datetime) -> list[AssessedCheckout]:
    """Return checkouts with the reasons that they have at a time."""
    return [_assessed(each, now) for each in checkouts]


def _place(checkout: MachineCheckout) -> tuple[str, UUID, str]:
    machine = checkout.machine
    return machine.name.casefold(), machine.id, checkout.path
