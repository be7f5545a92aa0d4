"""What is known of the remotes of a repo outside of one of its checkouts."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from symphony.domain.git.remotes import normalized_remote
from symphony.domain.git.work import RemoteHeads
from symphony.domain.machines.checkouts import ReportingMachine
from symphony.domain.machines.facts import CheckoutFacts, KnownHead, RemoteBranch


@dataclass(frozen=True, slots=True)
class MachineCheckout:
    """A checkout that a machine reported."""

    id: UUID
    machine: ReportingMachine
    path: str
    facts: CheckoutFacts


class Elsewhere:
    """What the machines and the last sync know of the remotes of a repo.

    `found` are the ids of checkouts with those commits in question that are heads of their
    remote-tracking branches. What a machine knows is news only to other machines.
    """

    def __init__(
        self,
        checkouts: Sequence[MachineCheckout],
        synced: RemoteHeads | None,
        found: Mapping[UUID, AbstractSet[str]],
    ) -> None:
        self._synced = synced
        self._pushed = set[str]()
        if synced is not None:
            self._pushed = {*synced.branches.values(), *synced.tags}
        self._machines = defaultdict[str, set[UUID]](set)
        for each in checkouts:
            for head in found.get(each.id, ()):
                self._machines[head].add(each.machine.id)
        self._checkouts = checkouts
        self._heads = dict[RemoteBranch, _BranchHeads]()

    def is_pushed(self, commit: str, machine_id: UUID | None) -> bool:
        """Return whether the last sync, or another machine, knows a commit as a remote's."""
        machines = self._machines.get(commit)
        is_known = machines is not None and not machines <= {machine_id}
        return is_known or commit in self._pushed

    def has_later(self, facts: CheckoutFacts, machine_id: UUID) -> bool:
        """Return whether the last sync, or another machine, knows a later commit of the upstream.

        It is later if it was learned later by the clock of the server, or if the other machine knew
        the present one before. Commits that the checkout has or had itself are not.
        """
        branch = facts.upstream
        own = None if branch is None else facts.known.get(branch)
        if branch is None or own is None:
            return False
        if branch not in self._heads:
            self._heads[branch] = _BranchHeads(branch, self._checkouts, self._synced)
        return self._heads[branch].has_later(own, facts.head, machine_id)


class _BranchHeads:
    """What is known of one branch of a remote, in the form in which it is searched."""

    def __init__(
        self, branch: RemoteBranch, checkouts: Sequence[MachineCheckout], synced: RemoteHeads | None
    ) -> None:
        latest = dict[tuple[UUID | None, str], datetime]()
        self._successors = defaultdict[str, set[tuple[UUID, str]]](set)
        for each in checkouts:
            known = each.facts.known.get(branch)
            if known is None:
                continue
            for former in known.former:
                self._successors[former].add((each.machine.id, known.head))
            if known.not_before is not None:
                key = (each.machine.id, known.head)
                latest[key] = max(known.not_before, latest.get(key, known.not_before))
        if synced is not None and normalized_remote(synced.remote_url) == branch.remote:
            head = synced.branches.get(branch.name)
            if head is not None:
                latest[None, head] = synced.synced_at
        self._latest = sorted(latest.items(), key=lambda item: item[1], reverse=True)

    def has_later(self, own: KnownHead, local: str | None, machine_id: UUID) -> bool:
        has = {own.head, local, *own.former}
        for machine, head in self._successors.get(own.head, ()):
            if machine != machine_id and head not in has:
                return True
        for (machine, head), learned_at in self._latest:
            if learned_at <= own.not_after:
                return False
            if machine != machine_id and head not in has:
                return True
        return False
