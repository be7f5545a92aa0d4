"""The checkouts of machines, kept in memory until the machine reports again.

The board needs all of a user: reading 15,000 rows would take most of its time, and matching them
with the repos most of what is left. What a report contained never changes, and what was derived
from several is kept with all that it was derived from; so nothing here can be out of date.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from symphony.domain.machines.checkout_repository import UserCheckouts
from symphony.domain.machines.checkouts import ReportingMachine, StoredCheckout

_MAX_BYTES = 40 << 20
_OBJECTS = 1_024  # bytes of the objects of a checkout, beside its texts
_REPO_OBJECTS = 1_536  # of those of a repo: its row, its identity, and its place in the match


class ReportKey(NamedTuple):
    """A report of a machine. The time of its arrival tells apart two attempts to store it."""

    machine_id: UUID
    sequence: int | None
    received_at: datetime


class UserInputs(NamedTuple):
    """What the checkouts of a user are derived from: the rows of the repos, as the driver returns
    them, the machines, and the checkouts of each, by its id."""

    repos: Sequence[tuple[Any, ...]]
    machines: Mapping[UUID, ReportingMachine]
    reports: Mapping[UUID, Sequence[StoredCheckout]]


class RememberedCheckouts:
    """The checkouts of those reports that were read last, in some 40 MiB.

    What was derived from them is kept as long as they are.
    """

    def __init__(self, max_bytes: int = _MAX_BYTES) -> None:
        self._max_bytes = max_bytes
        self._reports = OrderedDict[UUID, tuple[ReportKey, Sequence[StoredCheckout], int]]()
        self._users = dict[UUID, tuple[UserInputs, UserCheckouts, int]]()
        self._user_of = dict[UUID, UUID]()
        self._bytes = 0

    def get(self, key: ReportKey) -> Sequence[StoredCheckout] | None:
        """Return the checkouts of a report; None if they have to be read."""
        kept = self._reports.get(key.machine_id)
        if kept is None or kept[0] != key:
            return None
        self._reports.move_to_end(key.machine_id)
        return kept[1]

    def keep(self, key: ReportKey, checkouts: Sequence[StoredCheckout]) -> None:
        """Keep the checkouts of a report instead of those of an earlier one."""
        self._remove(key.machine_id)
        size = sum(map(_size, checkouts))
        self._reports[key.machine_id] = (key, checkouts, size)
        self._bytes += size
        self._limit()

    def of_user(self, user_id: UUID, inputs: UserInputs) -> UserCheckouts | None:
        """Return what was derived from the same inputs; None if it has to be derived."""
        kept = self._users.get(user_id)
        if kept is None:
            return None
        before = kept[0]
        is_same = (
            before.repos == inputs.repos
            and before.machines == inputs.machines
            and all(inputs.reports.get(key) is each for key, each in before.reports.items())
            and len(before.reports) == len(inputs.reports)
        )
        return kept[1] if is_same else None

    def keep_of_user(self, user_id: UUID, inputs: UserInputs, derived: UserCheckouts) -> None:
        """Keep what was derived from inputs, unless a report of them is not kept itself."""
        self._remove_user(user_id)
        for machine_id, report in inputs.reports.items():
            kept = self._reports.get(machine_id)
            if kept is None or kept[1] is not report:
                return
        self._user_of |= dict.fromkeys(inputs.reports, user_id)
        size = sum(_REPO_OBJECTS + sum(map(_length, row)) for row in inputs.repos)
        self._users[user_id] = (inputs, derived, size)
        self._bytes += size
        self._limit()

    def _limit(self) -> None:
        while self._bytes > self._max_bytes:
            self._remove(next(iter(self._reports)))

    def _remove(self, machine_id: UUID) -> None:
        kept = self._reports.pop(machine_id, None)
        self._bytes -= 0 if kept is None else kept[2]
        user_id = self._user_of.get(machine_id)
        if user_id is not None:
            self._remove_user(user_id)

    def _remove_user(self, user_id: UUID) -> None:
        kept = self._users.pop(user_id, None)
        if kept is not None:
            self._bytes -= kept[2]
            for machine_id in kept[0].reports:
                del self._user_of[machine_id]


def _size(checkout: StoredCheckout) -> int:
    texts = (*checkout.remotes, *checkout.root_commits, checkout.known_heads, checkout.facts)
    return _OBJECTS + len(checkout.path) + sum(map(len, texts))


def _length(value: object) -> int:
    return len(value) if isinstance(value, str) else 0
