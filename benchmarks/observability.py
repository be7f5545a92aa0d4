"""The cost per request of what makes it observable: request id, headers, metrics and log line.

An application that always returns the same small answer is called in this process, alone and with
one more part each time. The variants are measured in turn, so that other work on the machine slows
all of them alike.
"""

import asyncio
import logging
import os
import statistics
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
STDERR_FILENO = 2
REQUESTS = 1_000  # per round and variant


class Route:
    """The route that Starlette puts into the scope."""

    path_format = "/api/v1/repos/{repo_id}"


async def answer(scope: Scope, _receive: Receive, send: Send) -> None:
    scope["route"] = Route
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"{}"})


def uncounted(_method: str, _route: str | None, _status: int, _seconds: float) -> None:
    """In place of metrics."""


def variants() -> dict[str, Callable[[], ASGIApp]]:
    """By name a function that configures the logs and creates the application, in this order."""
    metrics = Metrics()

    def observed(
        log_format: logs.LogFormat, level: int, count: Callable[[str, str | None, int, float], None]
    ) -> Callable[[], ASGIApp]:
        def create() -> ASGIApp:
            logs.configure(log_format)
            structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(level))
            return RequestContext(answer, count)

        return create

    return {
        "the application alone": lambda: answer,
        "with request id and headers": observed("text", logging.WARNING, uncounted),
        "with metrics as well": observed("text", logging.WARNING, metrics.request),
        "with a log line as text": observed("text", logging.INFO, metrics.request),
        "with a log line as JSON": observed("json", logging.INFO, metrics.request),
    }


async def microseconds(app: ASGIApp) -> float:
    """Microseconds per request, as the mean of many."""

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(_message: Message) -> None:
        return

    start = time.perf_counter()
    for _ in range(REQUESTS):
        scope: Scope = {"type": "http", "method": "GET", "headers": [], "path": "/"}
        await app(scope, receive, send)
    return (time.perf_counter() - start) / REQUESTS * 1e6


async def measure() -> dict[str, list[float]]:
    measured: dict[str, list[float]] = {name: [] for name in variants()}
    created = variants()
    for _ in range(ROUNDS):
        for name, create in created.items():
            measured[name].append(await microseconds(create()))
    return measured


def main() -> None:
    console = Console()
    with tempfile.TemporaryDirectory() as folder, Path(folder, "log").open("w") as file:
        terminal = os.dup(STDERR_FILENO)
        os.dup2(file.fileno(), STDERR_FILENO)  # a file, as under a process supervisor
        try:
            measured = asyncio.run(measure())
        finally:
            logs.finish()
            os.dup2(terminal, STDERR_FILENO)
            os.close(terminal)
            logging.getLogger().handlers.clear()
    table = Table("", "µs per request", "lowest", "highest", box=SIMPLE_HEAD)
    for name, values in measured.items():
        figures = (statistics.median(values), min(values), max(values))
        table.add_row(name, *(f"{figure:.1f}" for figure in figures))
    console.print(table)


if __name__ == "__main__":
    main()
