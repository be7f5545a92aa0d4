"""Checkouts: the git repositories on a user's machines, as the machines report them."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from symphony.domain.git.status import RepoStatus
from symphony.domain.reach import Reach

MAX_CHECKOUTS = 1_000
"""Per report."""
MAX_ROOT_COMMITS = 20
MAX_REMOTE_HEADS = 2_000
"""Per checkout."""


@dataclass(frozen=True, slots=True)
class CheckoutRemote:
    """A remote in the configuration of a checkout; `url` has no credentials."""

    name: str
    url: str


@dataclass(frozen=True, slots=True)
class RemoteHead:
    """A remote-tracking branch: the `branch` of a remote, and the id of its commit."""

    remote: str
    branch: str
    head: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkout:
    """A directory that a machine reports, as it was sent; a machine has one at each path.

    The fields `places` and `is_behind` of the status, which no answer has, are not used: they are
    derived from its `work` and `behind`.
    """

    path: str
    remotes: Sequence[CheckoutRemote]
    root_commits: Sequence[str]
    remote_heads: Sequence[RemoteHead]
    status: RepoStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All checkouts of a machine below its `roots`; a later report has a greater `sequence`."""

    sequence: int
    roots: Sequence[str]
    checkouts: Sequence[Checkout]


@dataclass(frozen=True, slots=True)
class ReportingMachine:
    """A machine with a report; `last_report_at` is when it arrived, by the clock of the server."""

    id: UUID
    name: str
    last_report_at: datetime


class StoredCheckout(NamedTuple):
    """A checkout in the last report of a machine, as it is stored. The board reads all of a user.

    `remotes` are normalized, those without a host left out; `has_remotes` counts them too. `facts`
    is the text of its `CheckoutFacts`, which only those that concern the board are read from.
    `needs_attention`: it has a reason for attention, whatever is known elsewhere. `known_heads` is
    a text which is equal for two checkouts if they know the same of the same remote branches.
    """

    id: UUID
    machine_id: UUID
    path: str
    remotes: tuple[str, ...]
    has_remotes: bool
    root_commits: tuple[str, ...]
    needs_attention: bool
    known_heads: str
    facts: str


class RepoIdentity(NamedTuple):
    """By what a repo recognizes its checkouts; `remote` is normalized.

    `is_read_here`: the last inspection by the server found a repository at the path.
    """

    id: UUID
    path: str
    remote: str | None
    is_read_here: bool
    name: str = ""


@dataclass(frozen=True, slots=True)
class UserCheckouts:
    """The repos of a user, the machines with a report and all their checkouts, in no order.

    Without checkouts, `repos` may be empty.
    """

    repos: Sequence[RepoIdentity] = ()
    machines: Mapping[UUID, ReportingMachine] = field(default_factory=dict[UUID, ReportingMachine])
    checkouts: Sequence[StoredCheckout] = ()


class CheckoutRepository(ABC):
    """The checkouts in the last report of each machine."""

    @abstractmethod
    async def replace(self, machine_id: UUID, report: Report, received_at: datetime) -> None:
        """Replace the checkouts of a machine, whose row the caller has locked."""

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
