"""Reports: what changes is computed while nothing is locked, then all of it is stored at once."""

from dataclasses import dataclass
from uuid import UUID

from symphony.application.app import Application
from symphony.application.reports import (
    AcceptReport,
    CompareReport,
    accept_report,
    compare_report,
)
from symphony.domain.machines.checkouts import ReceivedReport
from symphony.domain.machines.reports import AcceptedReport
from symphony.domain.reach import Reach


@dataclass(frozen=True, slots=True)
class ReceiveReport:
    """Replace what a machine has reported before by a report that has arrived."""

    actor: Reach
    machine_id: UUID
    report: ReceivedReport


async def receive_report(command: ReceiveReport, app: Application) -> AcceptedReport:
    """Raises: InsufficientScope, Invalid, NotFound, ReportOutdated, TooManyReports."""
    actor, machine_id = command.actor, command.machine_id
    compared = await app.ask(compare_report, CompareReport(actor, machine_id, command.report))
    return await app.run(accept_report, AcceptReport(actor, machine_id, compared))
