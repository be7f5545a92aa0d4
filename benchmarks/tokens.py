"""What it costs that a token is confined, and whether a clock tells what it does not reach.

The service runs in this process. A request with a token that is confined to workspaces and the same
one with a token that is not are measured in turn, and have the same answer. So are requests for
what is outside of the token's workspaces, what belongs to another user, and what does not exist.
Medians that differ are measured again, with twice the requests each time, before they fail the run.
"""

import argparse
import json
import random
import re
import statistics
import sys
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import Any
from uuid import UUID

import structlog
from starlette.types import ASGIApp, Message, Scope

from benchmarks import command, services
from benchmarks.content import Content, Shape, fill
from benchmarks.databases import Database, running_postgresql, sqlite_database
from benchmarks.services import Failed
from benchmarks.tables import print_table
from symphony.config.settings import Settings
from symphony.domain.base import new_id
from symphony.main import create_app

_PREFIX = "/api/v1"
_MAX_COST = 1.1  # of a request with a confined token, compared with the same one without
_MAX_DIFFERENCE = 1.1  # between answers for what a token does not reach
_ATTEMPTS = 5  # with twice the requests each time, before a difference is no noise
_SHAPE = Shape(users=2, workspaces=3, repos=300, empty=20, vaults=2, observed=True)
_OBSERVED_AT = re.compile(rb'"observed_at":"[^"]+"')
_JSON = (("content-type", "application/json"),)
Times = dict[str, list[float]]
"""Milliseconds by the name of the variant."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=600, help="requests of each variant")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures to this file")
    arguments = parser.parse_args()
    return command.run(lambda folder: measure(folder, arguments.rounds), arguments.json)


async def measure(folder: Path, rounds: int) -> dict[str, Any]:
    """Raises: Failed, if a confined token costs too much, or a time tells what exists."""
    structlog.configure(processors=[_drop])
    figures = {
        "SQLite": await _on(await sqlite_database(folder / "tokens.sqlite3"), folder, rounds)
    }
    with running_postgresql(folder) as server:
        figures["PostgreSQL"] = await _on(await server.database("bench"), folder, rounds)
    too_much = [
        f"{kind}: {name}: {ratio:.2f}"
        for kind, ratios in figures.items()
        for table, bound in (("cost", _MAX_COST), ("difference", _MAX_DIFFERENCE))
        for name, ratio in ratios[table].items()
        if ratio > bound
    ]
    if too_much:
        raise Failed(f"the medians differ by more than noise: {'; '.join(too_much)}")
    return figures


async def _on(database: Database, folder: Path, rounds: int) -> dict[str, dict[str, float]]:
    """The ratios of one database by table and request."""
    content = await fill(database, _SHAPE)
    async with _running(database, folder) as app:
        asker = Asker(app, {}).using(services.token(content.caller))
        cost = await _cost(asker, content, database.kind, rounds)
        return {
            "cost": cost,
            "difference": await _difference(asker, content, database.kind, rounds),
        }


@asynccontextmanager
async def _running(database: Database, folder: Path) -> AsyncGenerator[ASGIApp]:
    app = create_app(
        Settings.model_validate(
            {
                "database_url": database.address,
                "data_dir": folder,
                "secret_key": services.SECRET,
                "max_repos_per_workspace": 1_000_000,
            }
        )
    )
    async with app.router.lifespan_context(app):
        yield app


@dataclass(frozen=True, slots=True)
class Asker:
    """Sends requests to an application with a token."""

    app: ASGIApp
    headers: dict[str, str]

    def using(self, token: str) -> "Asker":
        return Asker(self.app, {"authorization": f"Bearer {token}", **dict(_JSON)})

    async def confined(self, name: str, workspaces: Sequence[UUID] | None) -> "Asker":
        """The same user with a new API token. Raises: Failed."""
        body: dict[str, Any] = {"name": name, "scopes": ["read", "write"]}
        if workspaces is not None:
            body["workspace_ids"] = [str(each) for each in workspaces]
        status, answer = await self.ask("POST", "/api-tokens", body)
        if status != 201:
            raise Failed(f"a token is answered with {status}: {answer.decode()}")
        return self.using(json.loads(answer)["token"])

    async def ask(self, method: str, path: str, body: Any = None) -> tuple[int, bytes]:
        """Return the status and the content of an answer."""
        content = b"" if body is None else json.dumps(body).encode()
        status, parts = 0, list[bytes]()

        async def receive() -> Message:
            return {"type": "http.request", "body": content, "more_body": False}

        async def send(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            parts.append(message.get("body", b""))

        place, _, query = path.partition("?")
        scope: Scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "method": method,
            "path": _PREFIX + place,
            "raw_path": (_PREFIX + place).encode(),
            "query_string": query.encode(),
            "headers": [(name.encode(), value.encode()) for name, value in self.headers.items()],
        }
        await self.app(scope, receive, send)
        return status, b"".join(parts)

    async def milliseconds(self, method: str, path: str, body: Any, wanted: int) -> float:
        """Raises: Failed when the status is not the wanted one."""
        start = time.perf_counter()
        status, answer = await self.ask(method, path, body)
        elapsed = time.perf_counter() - start
        if status != wanted:
            raise Failed(f"{method} {path} is answered with {status}: {answer.decode()}")
        return elapsed * 1000


async def _cost(asker: Asker, content: Content, kind: str, rounds: int) -> dict[str, float]:
    """By request, how many times as long it takes with a confined token. Raises: Failed."""
    workspace = content.full[0]
    requests = {
        "get one": f"/repos/{workspace.repos[0]}",
        "list 50": f"/workspaces/{workspace.id}/repos?limit=50",
        "board": f"/user-profiles/{content.caller}/attention?fresh=false",
    }
    everywhere = [each.id for each in (*content.full, *content.empty)]
    free = await asker.confined("free", None)
    confined = await asker.confined("confined", everywhere)
    rows, ratios = list[tuple[str, ...]](), dict[str, float]()
    for name, path in requests.items():
        await _require_same(path, free, confined)

        async def measured(number: int, path: str = path) -> Times:
            times: Times = {"without": [], "confined": []}
            askers = [("without", free), ("confined", confined)]
            for _ in range(number):
                random.shuffle(askers)
                for key, each in askers:
                    times[key].append(await each.milliseconds("GET", path, None, 200))
            return times

        times, ratio = await _until_plain(measured, rounds, _MAX_COST, _confined_by_without)
        ratios[name] = ratio
        rows.append(
            (name, *(f"{statistics.median(each):.2f}" for each in times.values()), f"{ratio:.3f}")
        )
    head = ("", "not confined", "confined", "ratio")
    print_table(f"{kind}: milliseconds of a request, medians", head, rows)
    return ratios


async def _difference(asker: Asker, content: Content, kind: str, rounds: int) -> dict[str, float]:
    """By request, the highest median for what is not reached, divided by the lowest."""
    inside, outside, stranger = content.full[0], content.full[1], content.others[0]
    narrow = await asker.confined("narrow", [inside.id])
    many = len(outside.repos)
    repos = {
        "outside": [str(each) for each in outside.repos],
        "stranger": [str(each) for each in stranger.repos[:many]],
        "unknown": [str(new_id()) for _ in range(many)],
    }
    workspaces = {
        "outside": [str(outside.id)],
        "stranger": [str(stranger.id)],
        "unknown": [str(new_id())],
    }
    child = {"name": "engine", "path": "/engine"}
    requests: dict[str, tuple[str, str, dict[str, list[str]], Any]] = {
        "GET a repo": ("GET", "/repos/{}", repos, None),
        "PATCH a repo": ("PATCH", "/repos/{}", repos, {"name": "other"}),
        "DELETE a repo": ("DELETE", "/repos/{}", repos, None),
        "list its repos": ("GET", "/workspaces/{}/repos", workspaces, None),
        "create a repo": ("POST", "/workspaces/{}/repos", workspaces, child),
    }
    rows, ratios = list[tuple[str, ...]](), dict[str, float]()
    for name, (method, path, ids, body) in requests.items():

        async def measured(
            number: int,
            method: str = method,
            path: str = path,
            ids: dict[str, list[str]] = ids,
            body: Any = body,
        ) -> Times:
            times: Times = {place: [] for place in ids}
            each_id = [(place, cycle(found)) for place, found in ids.items()]
            for _ in range(number):
                random.shuffle(each_id)
                for place, targets in each_id:
                    asked = path.format(next(targets))
                    times[place].append(await narrow.milliseconds(method, asked, body, 404))
            return times

        times, ratio = await _until_plain(measured, rounds, _MAX_DIFFERENCE, _highest_by_lowest)
        ratios[name] = ratio
        rows.append(
            (name, *(f"{statistics.median(each):.2f}" for each in times.values()), f"{ratio:.3f}")
        )
    head = ("", "outside", "another user's", "unknown", "highest/lowest")
    print_table(f"{kind}: milliseconds of a 404, medians", head, rows)
    return ratios


async def _until_plain(
    measured: Callable[[int], Awaitable[Times]],
    rounds: int,
    bound: float,
    ratio_of: Callable[[dict[str, float]], float],
) -> tuple[Times, float]:
    """Measure, and again with twice the requests while the ratio is above its bound."""
    most = rounds * 2 ** (_ATTEMPTS - 1)
    while True:
        times = await measured(rounds)
        ratio = ratio_of({name: statistics.median(each) for name, each in times.items()})
        if ratio <= bound or rounds >= most:
            return times, ratio
        rounds *= 2


def _confined_by_without(medians: dict[str, float]) -> float:
    return medians["confined"] / medians["without"]


def _highest_by_lowest(medians: dict[str, float]) -> float:
    return max(medians.values()) / min(medians.values())


async def _require_same(path: str, one: Asker, other: Asker) -> None:
    """Raises: Failed when the answers differ, except for times of observations."""
    answers = [await each.ask("GET", path) for each in (one, other)]
    bodies = [_OBSERVED_AT.sub(b"", body) for _, body in answers]
    if answers[0][0] != 200 or bodies[0] != bodies[1]:
        raise Failed(f"{path} has different answers with a confined token")


def _drop(*_: object) -> Any:
    raise structlog.DropEvent


if __name__ == "__main__":
    sys.exit(main())
