"""Reports: a machine replaces all of its checkouts by those that it has now."""

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple, Self
from uuid import UUID

from symphony.domain.base import PagedRepository, utc_now
from symphony.domain.errors import DomainError, FieldError, Invalid
from symphony.domain.machines.checkout_repository import CheckoutChanges, CheckoutRepository
from symphony.domain.machines.checkouts import ReceivedReport
from symphony.domain.machines.machines import Machine
from symphony.domain.machines.matching import match_checkouts
from symphony.domain.reach import Reach

LEAST_INTERVAL = timedelta(seconds=1)
"""Between two reports of a machine, by the clock of the server."""
_NO_TIME = timedelta(0)
_MAX_COUNTS = 10_000  # of some 300 bytes


class ReportOutdated(DomainError):
    """The machine has sent a report with this sequence, or a later one."""

    def __init__(self, current_sequence: int) -> None:
        super().__init__(
            "report-outdated",
            "The last report of the machine has the same `sequence`, or a greater one.",
        )
        self.current_sequence = current_sequence


class TooManyReports(DomainError):
    """The machine has reported less than a second ago."""

    retry_after = 1

    def __init__(self) -> None:
        super().__init__("too-many-reports", "The machine has just reported; retry in 1 second.")


@dataclass(frozen=True, slots=True)
class AcceptedReport:
    """A stored report, and how many of its checkouts belong to a repo of the user, and to none."""

    sequence: int
    matched: int
    unmatched: int


class _LastReport(NamedTuple):
    """Which report the checkouts of a machine are of; None before its first one."""

    sequence: int | None
    received_at: datetime | None

    @classmethod
    def of(cls, machine: Machine) -> Self:
        return cls(machine.report_sequence, machine.last_report_at)


@dataclass(frozen=True, slots=True)
class ComparedReport:
    """A report, compared with the checkouts of the report before it (`before`)."""

    report: ReceivedReport
    received_at: datetime
    before: _LastReport
    changes: CheckoutChanges


class KeptCounts:
    """How many checkouts of a machine belonged to a repo, of the machines that reported last.

    Kept only where it depends on nothing but the checkouts of the machine, by their digest, and on
    the repos of the user.
    """

    def __init__(self, most: int = _MAX_COUNTS) -> None:
        self._most = most
        self._counts = OrderedDict[UUID, tuple[bytes, int, int]]()

    def get(self, machine_id: UUID, digest: bytes, repos: int) -> int | None:
        """Return the number; None if it has to be counted. `repos` is the hash of the repos."""
        *inputs, count = self._counts.get(machine_id, (b"", 0, 0))
        if inputs != [digest, repos]:
            return None
        self._counts.move_to_end(machine_id)
        return count

    def keep(self, machine_id: UUID, digest: bytes, repos: int, count: int) -> None:
        self._counts[machine_id] = (digest, repos, count)
        self._counts.move_to_end(machine_id)
        if len(self._counts) > self._most:
            self._counts.popitem(last=False)


_counts = KeptCounts()


class ReportService:
    """The rules of reports: their order, their number, and one checkout at each path."""

    def __init__(self, machines: PagedRepository[Machine], checkouts: CheckoutRepository) -> None:
        self._machines = machines
        self._checkouts = checkouts

    async def compare(
        self, reach: Reach, machine_id: UUID, report: ReceivedReport
    ) -> ComparedReport:
        """Compare a report with the one before it, which takes long and needs no lock.

        Raises: InsufficientScope, Invalid, NotFound, ReportOutdated, TooManyReports.
        """
        reach.require_unconfined()
        _require_unique_paths(report)
        machine = await self._machines.get(reach, machine_id)
        return await self._compared(machine, report)

    async def accept(
        self, reach: Reach, machine_id: UUID, compared: ComparedReport
    ) -> AcceptedReport:
        """Replace the checkouts of a machine; parallel reports wait for each other.

        One that was compared before a parallel one was accepted is compared again.

        Raises: InsufficientScope, NotFound, ReportOutdated, TooManyReports.
        """
        reach.require_unconfined()
        machine = await self._machines.get_for_update(reach, machine_id)
        report = compared.report
        if compared.before != _LastReport.of(machine):
            compared = await self._compared(machine, report)
        await self._checkouts.apply(compared.changes)
        reported = {
            "report_sequence": report.sequence,
            "last_report_at": compared.received_at,
            "checkout_count": len(report.checkouts),
        }
        await self._machines.save(machine.updated(reported))
        matched = await self._matched(reach, machine.id, report.digest)
        return AcceptedReport(report.sequence, matched, len(report.checkouts) - matched)

    async def _compared(self, machine: Machine, report: ReceivedReport) -> ComparedReport:
        """Compare a report that its machine may send now.

        Raises: ReportOutdated, TooManyReports.
        """
        before, now = _LastReport.of(machine), utc_now()
        if before.sequence is not None and report.sequence <= before.sequence:
            raise ReportOutdated(before.sequence)
        if _is_too_early(before.received_at, now):
            raise TooManyReports
        changes = await self._checkouts.compare(machine.id, report, now)
        return ComparedReport(report, now, before, changes)

    async def _matched(self, reach: Reach, machine_id: UUID, digest: bytes) -> int:
        """Count the checkouts of a machine that belong to a repo.

        All checkouts of the user are read only if root commits have to be compared.
        """
        repos = await self._checkouts.repos(reach)
        if not repos:
            return 0
        repos_hash = hash(tuple(repos))
        kept = _counts.get(machine_id, digest, repos_hash)
        if kept is not None:
            return kept
        own = await self._checkouts.of_machine(reach, machine_id)
        remotes = {each.remote for each in repos}
        compares_roots = any(each.root_commits and remotes.isdisjoint(each.remotes) for each in own)
        compared = (await self._checkouts.of_user(reach)).checkouts if compares_roots else own
        matched = match_checkouts(repos, compared)
        count = sum(each.id in matched for each in own)
        if not compares_roots:
            _counts.keep(machine_id, digest, repos_hash, count)
        return count


def _is_too_early(last_report_at: datetime | None, now: datetime) -> bool:
    """Return whether less than a second has passed; a time in the future is of another clock."""
    return last_report_at is not None and _NO_TIME <= now - last_report_at < LEAST_INTERVAL


def _require_unique_paths(report: ReceivedReport) -> None:
    """Raises: Invalid."""
    seen = set[str]()
    errors = [
        FieldError(
            f"checkouts/{index}/path",
            "path-given-twice",
            "Must be unique; an earlier checkout has the same path.",
        )
        for index, path in enumerate(each.path for each in report.checkouts)
        if path in seen or seen.add(path)
    ]
    if errors:
        raise Invalid(errors)
