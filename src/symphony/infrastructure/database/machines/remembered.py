"""The checkouts of machines, kept in memory until the machine reports again.

The board needs all of a user: reading 15,000 rows would take most of its time. What a report
contained never changes, so nothing here can be out of date.
"""

from collections import OrderedDict
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from symphony.domain.machines.checkouts import StoredCheckout

_MAX_BYTES = 64 << 20
_OBJECTS = 1_024  # bytes of the objects of a checkout, beside its texts


class ReportKey(NamedTuple):
    """A report of a machine. The time of its arrival tells apart two attempts to store it."""

    machine_id: UUID
    sequence: int | None
    received_at: datetime


class RememberedCheckouts:
    """The checkouts of those reports that were read last, in some 64 MiB."""

    def __init__(self, max_bytes: int = _MAX_BYTES) -> None:
        self._max_bytes = max_bytes
        self._reports = OrderedDict[UUID, tuple[ReportKey, Sequence[StoredCheckout], int]]()
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
        while self._bytes > self._max_bytes:
            self._remove(next(iter(self._reports)))

    def _remove(self, machine_id: UUID) -> None:
        kept = self._reports.pop(machine_id, None)
        self._bytes -= 0 if kept is None else kept[2]


def _size(checkout: StoredCheckout) -> int:
    texts = (*checkout.remotes, *checkout.root_commits, checkout.known_heads, checkout.facts)
    return _OBJECTS + len(checkout.path) + sum(map(len, texts))
