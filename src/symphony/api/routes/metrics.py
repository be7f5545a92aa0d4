"""What the service counts of itself: for those who run it."""

import asyncio
from collections.abc import Callable

from fastapi import APIRouter, Request, Response

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

routes = APIRouter(include_in_schema=False)

Text = Callable[[], bytes]


@routes.get("/metrics")
async def metrics(request: Request) -> Response:
    """Requests, commands and the use of the database, over all processes, for Prometheus."""
    text: Text = request.app.state.metrics
    # Over several processes it is put together from files.
    return Response(await asyncio.to_thread(text), media_type=CONTENT_TYPE)
