"""Whether the service lives, and whether it can do its work: for those who run it."""

from collections.abc import Awaitable, Callable

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

routes = APIRouter(prefix="/health", tags=["health"])

# What is in the way of serving, in words, or None.
Obstacle = Callable[[], Awaitable[str | None]]


class Health(BaseModel):
    status: str
    reason: str | None = None


@routes.get("/live", summary="Is the process alive?")
async def live() -> Health:
    """200 as long as the process runs, whatever its database does."""
    return Health(status="live")


@routes.get("/ready", summary="Can it serve?", responses={503: {"model": Health}})
async def ready(request: Request, response: Response) -> Health:
    """200 when the database answers and its schema is the expected one; else 503 and why."""
    obstacle: Obstacle = request.app.state.obstacle
    reason = await obstacle()
    if reason is None:
        return Health(status="ready")
    response.status_code = 503
    response.headers["Retry-After"] = "1"
    return Health(status="not ready", reason=reason)
