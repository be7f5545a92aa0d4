"""All checkouts of one repo, those that need nothing included."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from symphony.domain.git.status import RepoStatus
from symphony.domain.git.work import RemoteHeads
from symphony.domain.machines.assessment import AssessedCheckout, OwnCheckout, RepoCheckouts
from symphony.domain.machines.board import BoardMachines
from symphony.domain.machines.checkout_repository import UserCheckouts
from symphony.domain.machines.checkouts import Checkout
from symphony.domain.machines.elsewhere import MachineCheckout
from symphony.domain.machines.facts import CheckoutFacts


@dataclass(frozen=True, slots=True)
class DetailedCheckout:
    """A checkout with its reasons, and its status as it was reported or inspected."""

    assessed: AssessedCheckout
    status: RepoStatus


def checkouts_of_repo(
    repo_id: UUID,
    checkouts: UserCheckouts,
    own: OwnCheckout | None,
    synced: RemoteHeads | None,
    now: datetime,
) -> RepoCheckouts:
    """Return the checkouts of a repo, without those whose facts another version wrote.

    `own` is that of the server, `synced` what the last sync of the repo saw.
    """
    machines = BoardMachines(checkouts, {repo_id: own}, {}, now)
    matched = machines.of_repos.get(repo_id)
    found = [
        MachineCheckout(each.id, checkouts.machines[each.machine_id], each.path, facts)
        for each in (() if matched is None else matched.checkouts)
        if (facts := CheckoutFacts.read(each.facts)) is not None
    ]
    return RepoCheckouts(own, found, synced)


def with_status(
    repo: RepoCheckouts,
    inspected: RepoStatus | None,
    details: Mapping[UUID, Checkout],
    found: Mapping[UUID, AbstractSet[str]],
    now: datetime,
) -> list[DetailedCheckout]:
    """Return the checkouts of a repo with their status, that of the server first.

    `details` are those of machines, by id; one that was replaced meanwhile is left out. `found` are
    the ids of checkouts with those of the `heads_to_find` that they know of their remotes.
    """
    ids = {(each.machine.id, each.path): each.id for each in repo.of_machines}
    detailed = list[DetailedCheckout]()
    for each in repo.assessed(found, now):
        if each.machine is None:
            status = inspected
        else:
            sent = details.get(ids[each.machine.id, each.path])
            status = sent and sent.status
        if status is not None:
            detailed.append(DetailedCheckout(each, status))
    return detailed
