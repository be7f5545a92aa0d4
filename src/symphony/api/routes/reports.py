"""The route of reports."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from symphony.api.compression import compressible
from symphony.api.dependencies import Actor, App
from symphony.api.fields import MachineId
from symphony.api.machines.report_body import MAX_BYTES, ReportBody
from symphony.api.machines.report_parser import parse_report
from symphony.api.openapi.problem_responses import problem_responses
from symphony.api.responses import RepresentationWithoutETag
from symphony.api.routing import REPORT, WRITE, accepts_gzip, needs_scopes, of_whole_user, router
from symphony.application.orchestrations.report_acceptance import ReceiveReport, receive_report

routes = router("machines")


@dataclass(slots=True)
class AcceptedReportResponse(RepresentationWithoutETag):
    """The report that was stored."""

    sequence: Annotated[
        int, Field(description="The number of the report.", examples=[1_795_000_000_000])
    ]
    matched: Annotated[
        int, Field(description="How many of its checkouts belong to a repo.", examples=[1])
    ]
    unmatched: Annotated[int, Field(description="How many belong to none.", examples=[0])]


@routes.put(
    "/machines/{machine_id}/report",
    summary="Report the checkouts of a machine",
    responses=problem_responses("machine-not-found", "report-outdated", "too-many-reports"),
)
@compressible
@of_whole_user
@needs_scopes(WRITE, REPORT)
@accepts_gzip(MAX_BYTES, parse_report)
async def put_report(
    machine_id: MachineId, body: ReportBody, actor: Actor, app: App
) -> AcceptedReportResponse:
    """Replaces all that the machine has reported before.

    The body has at most 4 MiB. With `Content-Encoding: gzip` it may be compressed; the limit then
    applies to the decompressed body as well. `sequence` must be larger than that of the last
    report, and a machine reports at most once a second.
    """
    accepted = await receive_report(ReceiveReport(actor.reach, machine_id, body.report()), app)
    return AcceptedReportResponse.of(accepted)
