"""Use cases of reports."""

from dataclasses import dataclass
from uuid import UUID

from symphony.application.app import Services
from symphony.domain.machines.checkouts import ReceivedReport
from symphony.domain.machines.reports import AcceptedReport
from symphony.domain.reach import Reach


@dataclass(frozen=True, slots=True)
class AcceptReport:
    """Replace what a machine has reported before."""

    actor: Reach
    machine_id: UUID
    report: ReceivedReport


async def accept_report(command: AcceptReport, services: Services) -> AcceptedReport:
    """Raises: InsufficientScope, Invalid, NotFound, ReportOutdated, TooManyReports."""
    return await services.reports.accept(command.actor, command.machine_id, command.report)
