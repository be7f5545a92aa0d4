"""What the attention board needs of the machines: only what can put a repo on it is read."""

from collections.abc import Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property, lru_cache
from uuid import UUID

from symphony.domain.git.reasons import READ, repo_reasons
from symphony.domain.git.work import RemoteHeads
from symphony.domain.machines.assessment import (
    AssessedCheckout,
    OwnCheckout,
    RepoCheckouts,
    is_unseen,
)
from symphony.domain.machines.candidates import Candidate, KeptCandidates
from symphony.domain.machines.checkout_repository import UserCheckouts
from symphony.domain.machines.checkouts import StoredCheckout
from symphony.domain.machines.elsewhere import MachineCheckout
from symphony.domain.machines.facts import CheckoutFacts
from symphony.domain.machines.matching import MatchedRepo

_MAX_KEPT = 2_048  # characters; longer texts are rare
# Most boards are requested again before anything is reported.
_kept = KeptCandidates()
_kept_facts_in = lru_cache(maxsize=4_096)(CheckoutFacts.read)


@dataclass(frozen=True)
class BoardMachines:
    """The checkouts of machines, of the repos that are asked for.

    `own` are those of the server, by the ids of all these repos; `synced` is what the last sync of
    each saw. Facts are read of the repos in `candidates` alone: no other one has a reason that its
    machines are to blame for, or can clear.
    """

    checkouts: UserCheckouts
    own: Mapping[UUID, OwnCheckout | None]
    synced: Mapping[UUID, RemoteHeads]
    now: datetime

    @cached_property
    def of_repos(self) -> Mapping[UUID, MatchedRepo]:
        """The repos that have checkouts."""
        matched = self._with_latest().matched
        return {
            repo_id: found for repo_id in self.own if (found := matched.get(repo_id)) is not None
        }

    @cached_property
    def candidates(self) -> Mapping[UUID, Candidate]:
        """The repos that may need attention, with all of their checkouts."""
        unseen = {
            each.id.int for each in self.checkouts.machines.values() if is_unseen(each, self.now)
        }
        read = dict[UUID, CheckoutFacts | None]()
        candidates = dict[UUID, Candidate]()
        for repo_id, repo in self.of_repos.items():
            own, synced = self.own[repo_id], self.synced.get(repo_id)
            if (
                repo.needs_attention
                or (unseen and any(each.machine_id.int in unseen for each in repo.checkouts))
                or (own is not None and _is_read(own) and repo_reasons(own.facts, None))
                or (synced and _differs(synced, repo))
            ):
                checkouts = RepoCheckouts(own, (), synced)
                candidate = _kept.get(repo_id, repo, checkouts)
                if candidate is None:
                    for each in repo.checkouts:
                        if each.id not in read:
                            read[each.id] = _facts_in(each.facts)
                    of_machines = self._read(repo.checkouts, read)
                    candidate = Candidate(repo, replace(checkouts, of_machines=of_machines))
                    _kept.keep(repo_id, candidate)
                candidates[repo_id] = candidate
        return candidates

    @property
    def heads_to_find(self) -> tuple[list[UUID], set[str]]:
        """The checkouts whose remote-tracking branches may have unpushed commits, and these."""
        ids, heads = list[UUID](), set[str]()
        for each in self.candidates.values():
            if each.heads:
                heads |= each.heads
                ids += each.ids
        return ids, heads

    @property
    def reported_at(self) -> Collection[datetime]:
        """When the machines with checkouts of these repos reported them."""
        ids = {each.machine_id.int for repo in self.of_repos.values() for each in repo.checkouts}
        machines = self.checkouts.machines.values()
        return [each.last_report_at for each in machines if each.id.int in ids]

    def assessed(
        self, repo_id: UUID, found: Mapping[UUID, AbstractSet[str]]
    ) -> list[AssessedCheckout]:
        """Return the checkouts of a repo; of one that needs no attention, none.

        `found` are the ids of checkouts with those of the `heads_to_find` that they know of their
        remotes.
        """
        candidate = self.candidates.get(repo_id)
        if candidate is not None:
            return candidate.assessed(found, self.now)
        own = self.own.get(repo_id)
        if own is None or repo_id in self.of_repos:
            return []
        return RepoCheckouts(own).assessed(found, self.now)

    @cached_property
    def partly_unread(self) -> AbstractSet[UUID]:
        """The repos of which another version wrote what may put them on the board, so that they
        are unknown until the next report."""
        return {repo_id for repo_id, each in self.candidates.items() if each.is_partly_unread}

    def _with_latest(self) -> UserCheckouts:
        """Return the repos with what the inspections for this board found at their paths."""
        stored = self.checkouts.by_id
        changed = {
            repo_id: repo._replace(is_read_here=not repo.is_read_here)
            for repo_id, own in self.own.items()
            if own is not None
            and (repo := stored.get(repo_id)) is not None
            and repo.is_read_here != _is_read(own)
        }
        if not changed:
            return self.checkouts
        return replace(self.checkouts, repos=list({**stored, **changed}.values()))

    def _read(
        self, stored: Sequence[StoredCheckout], read: Mapping[UUID, CheckoutFacts | None]
    ) -> list[MachineCheckout]:
        """Return checkouts with their facts, without those that another version wrote."""
        machines = self.checkouts.machines
        return [
            MachineCheckout(each.id, machines[each.machine_id], each.path, facts)
            for each in stored
            if (facts := read[each.id]) is not None
        ]


def _facts_in(text: str) -> CheckoutFacts | None:
    return CheckoutFacts.read(text) if len(text) > _MAX_KEPT else _kept_facts_in(text)


def _is_read(own: OwnCheckout | None) -> bool:
    return own is not None and own.facts.state in READ


def _differs(synced: RemoteHeads, repo: MatchedRepo) -> bool:
    """Return whether the last sync saw another commit of a branch than a checkout knows."""
    for known in {each.known_heads for each in repo.checkouts if each.known_heads}:
        for line in known.split("\n"):
            of_remote, branch, head = line.rsplit(" ", 2)
            if of_remote == repo.remote and synced.branches.get(branch, head) != head:
                return True
    return False
