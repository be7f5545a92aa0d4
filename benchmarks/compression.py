"""What compression costs per request: for clients that do not ask for it, and for those that do.

The service runs in this process on a database in memory, with the middleware and without it. The
variants are measured in turn, so that other work on the machine slows all of them alike.
"""

import asyncio
import json
import statistics
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import structlog
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from starlette.types import ASGIApp, Message, Scope

from symphony.api.compression import Compression
from symphony.config.settings import Settings
from symphony.main import create_app

ROUNDS = 25
SECONDS = 0.05  # per round and variant
REPOS = 200
PREFIX = "/api/v1"


@dataclass(frozen=True, slots=True)
class Request:
    """A request, which is sent again and again."""

    app: ASGIApp
    path: str
    query: str = ""
    method: str = "GET"
    headers: tuple[tuple[str, str], ...] = ()
    content: bytes = b""

    async def send(self) -> bytes:
        """Send the request, and return the content of the answer as it was sent."""
        parts: list[bytes] = []

        async def receive() -> Message:
            return {"type": "http.request", "body": self.content, "more_body": False}

        async def send(message: Message) -> None:
            if message["type"] == "http.response.body":
                parts.append(message["body"])

        scope: Scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "method": self.method,
            "path": self.path,
            "raw_path": self.path.encode(),
            "query_string": self.query.encode(),
            "headers": [(name.encode(), value.encode()) for name, value in self.headers],
        }
        await self.app(scope, receive, send)
        return b"".join(parts)

    async def microseconds(self) -> float:
        """Microseconds of processor time per request, as the mean of many."""
        start, sent = time.process_time(), 0
        while (passed := time.process_time() - start) < SECONDS:
            await self.send()
            sent += 1
        return passed / sent * 1e6


@asynccontextmanager
async def service(*, compresses: bool) -> AsyncGenerator[dict[str, Request]]:
    """Start a service with content; yields requests by name."""
    app = create_app(
        Settings.model_validate({"database_url": "sqlite://", "max_repos_per_workspace": REPOS})
    )
    if not compresses:
        app.user_middleware = [each for each in app.user_middleware if each.cls is not Compression]
    async with app.router.lifespan_context(app):
        yield await _requests(app)


async def _requests(app: ASGIApp) -> dict[str, Request]:
    async def post(path: str, body: dict[str, Any]) -> dict[str, Any]:
        headers = (*token, ("content-type", "application/json"))
        content = json.dumps(body).encode()
        return json.loads(await Request(app, path, "", "POST", headers, content).send())

    token: tuple[tuple[str, str], ...] = ()
    password = "correct horse battery"  # noqa: S105 - of a database in memory
    profile = {"username": "ada", "email": "ada@example.org", "password": password}
    user = await post(f"{PREFIX}/user-profiles", profile)
    form = f"username=ada&password={password}".replace(" ", "+").encode()
    of_form = (("content-type", "application/x-www-form-urlencoded"),)
    answer = await Request(app, f"{PREFIX}/auth/token", "", "POST", of_form, form).send()
    token = (("authorization", f"Bearer {json.loads(answer)['access_token']}"),)
    workspace = await post(f"{PREFIX}/user-profiles/{user['id']}/workspaces", {"name": "Thesis"})
    repos = f"{PREFIX}/workspaces/{workspace['id']}/repos"
    repo: dict[str, Any] = {}
    for number in range(REPOS):
        name = f"engine-{number}"
        remote = f"https://git.example.org/ada/{name}.git"
        repo = await post(repos, {"name": name, "path": f"~/dev/{name}", "remote_url": remote})
    return {
        "get a repo": Request(app, f"{PREFIX}/repos/{repo['id']}", headers=token),
        "list 50 repos": Request(app, repos, headers=token),
        "list 200 repos": Request(app, repos, f"limit={REPOS}", headers=token),
        "the OpenAPI document": Request(app, f"{PREFIX}/openapi.json"),
        "the script of the docs": Request(app, "/docs/assets/swagger-ui-bundle.js"),
    }


def asking(request: Request, coding: str) -> Request:
    return replace(request, headers=(*request.headers, ("accept-encoding", coding)))


async def measure(name: str, without: Request, with_it: Request) -> list[str]:
    """Return a row of the table."""
    variants = [without, with_it, asking(with_it, "gzip"), asking(with_it, "zstd")]
    sizes = [len(await each.send()) for each in variants]
    times: list[list[float]] = [[] for _ in variants]
    for _ in range(ROUNDS):
        for measured, request in zip(times, variants, strict=True):
            measured.append(await request.microseconds())
    base, *_ = medians = [statistics.median(each) for each in times]
    pairs = statistics.median(asks / never for never, asks in zip(*times[:2], strict=True))
    cells = [f"{sizes[0]:,}", f"{base:,.0f}", f"{medians[1]:,.0f} ({pairs - 1:+.1%})"]
    for median, size in zip(medians[2:], sizes[2:], strict=True):
        cells.append(f"{size:,} in {median:,.0f}")
    return [name, *cells]


async def main() -> None:
    structlog.configure(processors=[_drop])
    columns = ("", "bytes", "µs of processor", "µs if not asked for", "gzip", "zstd")
    table = Table(*columns, box=SIMPLE_HEAD)
    async with service(compresses=False) as without, service(compresses=True) as with_it:
        for name, request in without.items():
            table.add_row(*await measure(name, request, with_it[name]))
    Console().print(table)


def _drop(*_: object) -> Any:
    raise structlog.DropEvent


if __name__ == "__main__":
    asyncio.run(main())
