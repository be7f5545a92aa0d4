"""Checkouts: the git repositories on a user's machines, as the machines report them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import NamedTuple
from uuid import UUID

from symphony.domain.git.status import RepoStatus

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
class ReceivedCheckout:
    """A valid checkout of a received report, which is read only if it differs from the stored one.

    `digest` is equal for two checkouts if all but the time of their inspection is equal; it is not
    derived from any credentials.
    """

    path: str
    observed_at: datetime
    digest: bytes
    read: Callable[[], Checkout]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedReport:
    """A report as it is received."""

    sequence: int
    checkouts: Sequence[ReceivedCheckout]

    @property
    def digest(self) -> bytes:
        """A digest of all checkouts but for the times of their inspections."""
        return sha256(b"".join(each.digest for each in self.checkouts)).digest()


@dataclass(frozen=True, slots=True)
class ReportingMachine:
    """A machine with a report; `last_report_at` is when it arrived, by the clock of the server."""

    id: UUID
    name: str
    last_report_at: datetime


class StoredCheckout(NamedTuple):
    """A checkout in the last report of a machine, as it is stored. The board reads all of a user.

    `remotes` are normalized, those without a host left out. `facts`
    is the text of its `CheckoutFacts`, which only those that concern the board are read from.
    `needs_attention`: it has a reason for attention, whatever is known elsewhere. `known_heads` is
    a text which is equal for two checkouts if they know the same of the same remote branches.
    """

    id: UUID
    machine_id: UUID
    path: str
    remotes: tuple[str, ...]
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
