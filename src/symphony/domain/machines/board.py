"""What the attention board needs of the machines: only what can put a repo on it is read."""

from collections.abc import Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
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
from symphony.domain.machines.checkouts import RepoIdentity, StoredCheckout, UserCheckouts
from symphony.domain.machines.elsewhere import MachineCheckout
from symphony.domain.machines.facts import CheckoutFacts
from symphony.domain.machines.matching import checkouts_by_repo

# Most boards are requested again before anything is reported.
_facts_in = lru_cache(maxsize=4_096)(CheckoutFacts.read)


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
    def of_repos(self) -> Mapping[UUID, Sequence[StoredCheckout]]:
        """The checkouts of each repo that has any."""
        repos = [self._with_latest(each) for each in self.checkouts.repos]
        return checkouts_by_repo(repos, self.checkouts.checkouts, self.own.keys())

    @cached_property
    def candidates(self) -> Mapping[UUID, RepoCheckouts]:
        """The repos that may need attention, with all of their checkouts."""
        remotes = {each.id: each.remote for each in self.checkouts.repos}
        unseen = {
            each.id.int for each in self.checkouts.machines.values() if is_unseen(each, self.now)
        }
        read = dict[UUID, CheckoutFacts | None]()
        candidates = dict[UUID, RepoCheckouts]()
        for repo_id, stored in self.of_repos.items():
            own, synced = self.own[repo_id], self.synced.get(repo_id)
            if (
                any(each.needs_attention or each.machine_id.int in unseen for each in stored)
                or len({each.known_heads for each in stored}) > 1
                or (own is not None and _is_read(own) and repo_reasons(own.facts, None))
                or (synced and _differs(synced, remotes.get(repo_id), stored))
            ):
                for each in stored:
                    if each.id not in read:
                        read[each.id] = _facts_in(each.facts)
                candidates[repo_id] = RepoCheckouts(own, self._read(stored, read), synced)
        return candidates

    @property
    def heads_to_find(self) -> tuple[list[UUID], set[str]]:
        """The checkouts whose remote-tracking branches may have unpushed commits, and these."""
        ids, heads = list[UUID](), set[str]()
        for each in self.candidates.values():
            wanted = each.heads_to_find()
            if wanted:
                heads |= wanted
                ids += [own.id for own in each.of_machines]
        return ids, heads

    @property
    def reported_at(self) -> Collection[datetime]:
        """When the machines with checkouts of these repos reported them."""
        ids = {each.machine_id.int for stored in self.of_repos.values() for each in stored}
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
        if candidate is None:
            own = self.own.get(repo_id)
            if own is None or repo_id in self.of_repos:
                return []
            candidate = RepoCheckouts(own)
        return candidate.assessed(found, self.now)

    def is_partly_unread(self, repo_id: UUID) -> bool:
        """Return whether another version wrote what may put the repo on the board, so that it is
        unknown until the next report."""
        candidate = self.candidates.get(repo_id)
        return candidate is not None and len(candidate.of_machines) < len(self.of_repos[repo_id])

    def _with_latest(self, repo: RepoIdentity) -> RepoIdentity:
        """Return a repo with what the inspection for this board found at its path."""
        own = self.own.get(repo.id)
        is_same = own is None or repo.is_read_here == _is_read(own)
        return repo if is_same else repo._replace(is_read_here=not repo.is_read_here)

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


def _is_read(own: OwnCheckout | None) -> bool:
    return own is not None and own.facts.state in READ


def _differs(synced: RemoteHeads, remote: str | None, stored: Sequence[StoredCheckout]) -> bool:
    """Return whether the last sync saw another commit of a branch than a checkout knows."""
    for known in {each.known_heads for each in stored if each.known_heads}:
        for line in known.split("\n"):
            of_remote, branch, head = line.rsplit(" ", 2)
            if of_remote == remote and synced.branches.get(branch, head) != head:
                return True
    return False
