"""Health checks: liveness and readiness, for the operator and for load balancers."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from symphony.api.openapi.examples import success_example
from symphony.api.openapi.problem_responses import problem_responses
from symphony.api.routing import operation_id
from symphony.domain.git.status import GitConfinement

routes = APIRouter(
    prefix="/health",
    tags=["health"],
    generate_unique_id_function=operation_id,
    responses=problem_responses("method-not-allowed"),  # the only error of these routes
)

_NOT_READY = {
    "status": "not ready",
    "reason": "the database cannot be reached",
    "details": {"git_confinement": "landlock"},
}
ReadinessCheck = Callable[[], Awaitable[str | None]]
"""Returns the reason why the service is not ready, or None."""


class Health(BaseModel):
    """The state of the service."""

    status: Annotated[str, Field(description="`live`, `ready` or `not ready`.", examples=["ready"])]
    reason: Annotated[
        str | None,
        Field(description="Why the service is not ready; null if it is.", examples=[None]),
    ] = None


class ServiceDetails(BaseModel):
    """How a process of the service runs."""

    git_confinement: Annotated[
        GitConfinement,
        Field(
            description=(
                "What keeps inspections inside the git roots: the kernel (`landlock`), or nothing"
                " (`owner-only`, `trusted-roots`); `disabled` without git roots."
            ),
            examples=["landlock"],
        ),
    ]


class Readiness(Health):
    """The state of the service, and how it runs."""

    details: Annotated[ServiceDetails, Field(description="How this process runs.")]


@routes.get("/live", summary="Check liveness", responses=success_example(status="live"))
async def live() -> Health:
    """Returns 200 while the process runs, also without a database."""
    return Health(status="live")


@routes.get(
    "/ready",
    summary="Check readiness",
    responses={
        503: {
            "model": Readiness,
            "description": "Service Unavailable: `reason` says why",
            "content": {"application/json": {"example": _NOT_READY}},
        }
    },
)
async def ready(request: Request, response: Response) -> Readiness:
    """Returns 200 if the database responds and has the expected schema, otherwise 503."""
    not_ready_reason: ReadinessCheck = request.app.state.not_ready_reason
    reason = await not_ready_reason()
    details = ServiceDetails(git_confinement=request.app.state.git_confinement)
    if reason is None:
        return Readiness(status="ready", details=details)
    response.status_code = 503
    response.headers["Retry-After"] = "1"
    return Readiness(status="not ready", reason=reason, details=details)
