"""Use cases of reports."""

from dataclasses import dataclass
from uuid import UUID

from symphony.application.app import Queries, Services
from symphony.domain.machines.checkouts import ReceivedReport
from symphony.domain.machines.reports import AcceptedReport, ComparedReport, ReportService
from symphony.domain.reach import Reach


@dataclass(frozen=True, slots=True)
class CompareReport:
    """Compare a report with what the machine has reported before."""

    actor: Reach
    machine_id: UUID
    report: ReceivedReport


@dataclass(frozen=True, slots=True)
class AcceptReport:
    """Replace what a machine has reported before."""

    actor: Reach
    machine_id: UUID
    compared: ComparedReport


async def compare_report(query: CompareReport, queries: Queries) -> ComparedReport:
    """Raises: InsufficientScope, Invalid, NotFound, ReportOutdated, TooManyReports."""
    reports = ReportService(queries.repositories.machines, queries.repositories.checkouts)
    return await reports.compare(query.actor, query.machine_id, query.report)


async def accept_report(command: AcceptReport, services: Services) -> AcceptedReport:
    """Raises: InsufficientScope, NotFound, ReportOutdated, TooManyReports."""
    return await services.reports.accept(command.actor, command.machine_id, command.compared)
