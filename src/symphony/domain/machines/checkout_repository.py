"""The checkouts of a user as they are stored, with the repos that recognize them."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from uuid import UUID

from symphony.domain.machines.checkouts import (
    Checkout,
    ReceivedReport,
    RepoIdentity,
    ReportingMachine,
    StoredCheckout,
)
from symphony.domain.machines.matching import MatchedRepo, matched_repos
from symphony.domain.reach import Reach


@dataclass(frozen=True)
class UserCheckouts:
    """The repos of a user, the machines with a report and all their checkouts, in no order.

    Without checkouts, `repos` may be empty. Nothing of it changes: several boards may use the same
    object, and what was derived from it.
    """

    repos: Sequence[RepoIdentity] = ()
    machines: Mapping[UUID, ReportingMachine] = field(default_factory=dict[UUID, ReportingMachine])
    checkouts: Sequence[StoredCheckout] = ()

    @cached_property
    def by_id(self) -> Mapping[UUID, RepoIdentity]:
        """The repos by their ids."""
        return {each.id: each for each in self.repos}

    @cached_property
    def matched(self) -> Mapping[UUID, MatchedRepo]:
        """The repos that have checkouts, by their ids."""
        return matched_repos(self.repos, self.checkouts)


class CheckoutChanges:
    """What has to be stored, so that the checkouts of a machine are those of a report."""

    __slots__ = ()


class CheckoutRepository(ABC):
    """The checkouts in the last report of each machine."""

    @abstractmethod
    async def compare(
        self, machine_id: UUID, report: ReceivedReport, received_at: datetime
    ) -> CheckoutChanges:
        """Compare a report with the stored checkouts of its machine.

        The changes are right as long as the machine has no other report.
        """

    @abstractmethod
    async def apply(self, changes: CheckoutChanges) -> None:
        """Store the changes to the checkouts of a machine, whose row the caller has locked."""

    @abstractmethod
    async def repos(self, reach: Reach) -> Sequence[RepoIdentity]:
        """All repos of the user, whatever the reach is confined to, in no order."""

    @abstractmethod
    async def of_user(self, reach: Reach) -> UserCheckouts:
        """All checkouts and repos of the user, whatever the reach is confined to.

        What a repo recognizes depends on the others: the caller leaves out what is not reached.
        """

    @abstractmethod
    async def of_machine(self, reach: Reach, machine_id: UUID) -> Sequence[StoredCheckout]:
        """The checkouts of a machine; none when it does not exist."""

    @abstractmethod
    async def heads_among(
        self, reach: Reach, checkout_ids: Collection[UUID], wanted: AbstractSet[str]
    ) -> Mapping[UUID, AbstractSet[str]]:
        """Which of the `wanted` commits are heads of remote-tracking branches of each checkout.

        Checkouts with none of them can be left out.
        """

    @abstractmethod
    async def details(
        self, reach: Reach, checkout_ids: Collection[UUID]
    ) -> Mapping[UUID, Checkout]:
        """Checkouts as they were sent; those that no longer exist are left out.

        The status was observed when the last report of the machine arrived, which repeats it.
        """
