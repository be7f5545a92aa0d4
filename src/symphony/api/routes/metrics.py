"""Metrics for Prometheus."""

import asyncio
from collections.abc import Callable

from fastapi import APIRouter, Request, Response

from symphony.api.compression import compressible

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

routes = APIRouter(include_in_schema=False)

Text = Callable[[], bytes]


@routes.get("/metrics")
@compressible
async def metrics(request: Request) -> Response:
    """Return the metrics of all processes, in the text format of Prometheus."""
    text: Text = request.app.state.metrics
    # In a thread: with several processes the text is read from files.
    return Response(await asyncio.to_thread(text), media_type=CONTENT_TYPE)
