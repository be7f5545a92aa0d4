"""What it costs each request that it is seen: its headers, its place in the metrics, its log line.

The same small answer is given again and again, in this process, by an application alone and by the
same with one thing more each time. The ways take turns, so that other work on the machine slows
all of them alike.
"""

import asyncio
import logging
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import structlog
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from symphony import logs
from symphony.api.request_context import RequestContext
from symphony.infrastructure.metrics import Metrics

ROUNDS = 15
REQUESTS = 1_000  # in each round, for each way


class Route:
    """What Starlette leaves in the scope."""

    path_format = "/api/v1/repos/{repo_id}"


async def answer(scope: Scope, _receive: Receive, send: Send) -> None:
    scope["route"] = Route
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"{}"})


def uncounted(_method: str, _route: str | None, _status: int, _seconds: float) -> None:
    """Instead of metrics."""


def ways() -> dict[str, Callable[[], ASGIApp]]:
    """Each makes the application for its round: logs are set up, and then looked for, by then."""
    metrics = Metrics()

    def seen(
        log_format: logs.LogFormat, level: int, count: Callable[[str, str | None, int, float], None]
    ) -> Callable[[], ASGIApp]:
        def make() -> ASGIApp:
            logs.configure(log_format)
            structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(level))
            return RequestContext(answer, count)

        return make

    return {
        "the application alone": lambda: answer,
        "and request id, headers": seen("text", logging.WARNING, uncounted),
        "and metrics": seen("text", logging.WARNING, metrics.request),
        "and a log line as text": seen("text", logging.INFO, metrics.request),
        "or a log line as JSON": seen("json", logging.INFO, metrics.request),
    }


async def microseconds(app: ASGIApp) -> float:
    """Of one request, over many."""

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(_message: Message) -> None:
        return

    begun = time.perf_counter()
    for _ in range(REQUESTS):
        scope: Scope = {"type": "http", "method": "GET", "headers": [], "path": "/"}
        await app(scope, receive, send)
    return (time.perf_counter() - begun) / REQUESTS * 1e6


async def measure() -> dict[str, list[float]]:
    measured: dict[str, list[float]] = {name: [] for name in ways()}
    made = ways()
    for _ in range(ROUNDS):
        for name, make in made.items():
            measured[name].append(await microseconds(make()))
    return measured


def main() -> None:
    console = Console()
    with tempfile.TemporaryDirectory() as folder, Path(folder, "log").open("w") as file:
        own, sys.stderr = sys.stderr, file  # the lines are written, as they are for a supervisor
        try:
            measured = asyncio.run(measure())
        finally:
            sys.stderr = own
            logging.getLogger().handlers.clear()
    table = Table("", "µs a request", "lowest", "highest", box=SIMPLE_HEAD)
    for name, values in measured.items():
        figures = (statistics.median(values), min(values), max(values))
        table.add_row(name, *(f"{figure:.1f}" for figure in figures))
    console.print(table)


if __name__ == "__main__":
    main()
