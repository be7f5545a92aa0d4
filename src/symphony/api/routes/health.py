"""Whether the service lives, and whether it can do its work: for those who run it."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from symphony.api.openapi.examples import shown
from symphony.api.problems.catalogue import documented
from symphony.api.routing import operation_id

routes = APIRouter(
    prefix="/health",
    tags=["health"],
    generate_unique_id_function=operation_id,
    responses=documented("method-not-allowed"),  # all that can be wrong with such a request
)

_NOT_READY = {"status": "not ready", "reason": "the database cannot be reached"}
# What is in the way of serving, in words, or None.
ReadinessCheck = Callable[[], Awaitable[str | None]]


class Health(BaseModel):
    """How the service is."""

    status: Annotated[str, Field(description="`live`, `ready` or `not ready`.", examples=["ready"])]
    reason: Annotated[
        str | None, Field(description="What is in the way; null for nothing.", examples=[None])
    ] = None


@routes.get("/live", summary="Is the process alive?", responses=shown(status="live"))
async def live() -> Health:
    """200 as long as the process runs, whatever its database does."""
    return Health(status="live")


@routes.get(
    "/ready",
    summary="Can it serve?",
    responses={
        503: {
            "model": Health,
            "description": "Service Unavailable: it is not ready, for this reason",
            "content": {"application/json": {"example": _NOT_READY}},
        }
    },
)
async def ready(request: Request, response: Response) -> Health:
    """200 when the database answers and its schema is the expected one; else 503 and why."""
    not_ready_reason: ReadinessCheck = request.app.state.not_ready_reason
    reason = await not_ready_reason()
    if reason is None:
        return Health(status="ready")
    response.status_code = 503
    response.headers["Retry-After"] = "1"
    return Health(status="not ready", reason=reason)
