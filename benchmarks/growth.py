"""How the response time grows from a thousand repos to a million, and from page 1 to page 1,000.

Two databases of each kind, a small and a large one, each with a server of its own, are queried in
turn over one connection each. Then the large database explains every statement that Symphony
sends: none may scan a big table.
"""

import argparse
import asyncio
import http.client
import json
import random
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from benchmarks import command, services
from benchmarks.content import Content, Shape, Workspace, fill
from benchmarks.databases import Database, running_postgresql, sqlite_database
from benchmarks.plans import big_tables, plans, scanned_tables, ways
from benchmarks.services import Failed, Service, token
from benchmarks.tables import print_table

SMALL = Shape(users=2, workspaces=5, repos=100, vaults=4, tokens=4, observed=True)  # 1,000 repos
PAGE = 50
_BIGGEST_PAGE = 200
_SLOW_CALLS = 20  # of requests that read a whole workspace


@dataclass(frozen=True, slots=True)
class Caller:
    """A connection to a server, with the token of a user."""

    service: Service
    content: Content
    connection: http.client.HTTPConnection
    headers: dict[str, str]

    def get(self, path: str) -> Any:
        """Raises: Failed."""
        self.connection.request("GET", f"/api/v1{path}", headers=self.headers)
        answer = self.connection.getresponse()
        content = answer.read()
        if answer.status != 200:
            raise Failed(f"{self.service.name}: {path} is answered with {answer.status}")
        return json.loads(content)

    def milliseconds(self, path: str) -> float:
        start = time.perf_counter()
        self.get(path)
        return (time.perf_counter() - start) * 1000


@dataclass(frozen=True, slots=True)
class Comparison:
    """The same request, where there is little data and where there is much."""

    name: str
    little: tuple[Caller, Callable[[], str]]
    much: tuple[Caller, Callable[[], str]]
    calls: int
    milliseconds: tuple[list[float], list[float]] = field(
        default_factory=lambda: (list[float](), list[float]())
    )

    def measure_once(self) -> None:
        for (caller, path), measured in zip(
            (self.little, self.much), self.milliseconds, strict=True
        ):
            if len(measured) < self.calls:
                measured.append(caller.milliseconds(path()))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repos", type=int, default=1_000_000, help="in the large database")
    parser.add_argument("--pages", type=int, default=1000, help="in its largest workspace")
    parser.add_argument("--calls", type=int, default=300, help="of each kind")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures to this file")
    arguments = parser.parse_args()
    shape = large_shape(arguments.repos, arguments.pages)
    return command.run(lambda folder: grow(folder, shape, arguments.calls), arguments.json)


def large_shape(repos: int, pages: int) -> Shape:
    """Users with workspaces like those of the small database, and one workspace with this many
    pages and one repo more."""
    large = pages * PAGE + 1
    users = (repos - large) // (SMALL.workspaces * SMALL.repos) + 1
    return Shape(
        users, SMALL.workspaces, SMALL.repos, large=large, vaults=4, tokens=4, observed=True
    )


async def grow(folder: Path, shape: Shape, calls: int) -> dict[str, Any]:
    """Raises: Failed."""
    results: dict[str, Any] = {}
    with running_postgresql(folder) as server:
        for small, large in (
            (await server.database("small"), await server.database("large")),
            (
                await sqlite_database(folder / "small.sqlite3"),
                await sqlite_database(folder / "large.sqlite3"),
            ),
        ):
            results[large.kind] = await compare(small, large, folder, shape, calls)
    return results


async def compare(
    small: Database, large: Database, folder: Path, shape: Shape, calls: int
) -> dict[str, Any]:
    start = time.monotonic()
    contents = [await fill(small, SMALL), await fill(large, shape)]
    print(f"\n{large.kind}: filled in {time.monotonic() - start:.0f} s", flush=True)
    async with AsyncExitStack() as stack:
        callers: list[Caller] = []
        for name, database, content in zip(
            ("small", "large"), (small, large), contents, strict=True
        ):
            service = await stack.enter_async_context(
                services.symphony(database.address, folder / f"{large.kind}-{name}", name=name)
            )
            address = urlsplit(service.address)
            connection = http.client.HTTPConnection(address.hostname or "", address.port)
            stack.callback(connection.close)
            headers = {"Authorization": f"Bearer {token(content.caller)}"}
            callers.append(Caller(service, content, connection, headers))
        figures = await asyncio.to_thread(measure, callers[0], callers[1], calls)
    report(large.kind, figures)
    explained = await plans(large, contents[1], folder)
    report_plans(large.kind, explained, await big_tables(large))
    return {
        "milliseconds": {each.name: each.milliseconds for each in figures},
        "plans": explained,
    }


def measure(small: Caller, large: Caller, calls: int) -> list[Comparison]:
    """Raises: Failed."""
    comparisons = comparisons_of(small, large, calls)
    for each in comparisons:
        each.measure_once()
        for measured in each.milliseconds:
            measured.clear()  # the first request of a kind fills caches
    for _ in range(calls):
        for each in comparisons:
            each.measure_once()
    return comparisons


def comparisons_of(small: Caller, large: Caller, calls: int) -> list[Comparison]:
    chance = random.Random(0)  # noqa: S311 - not a secret

    def a_repo(caller: Caller) -> tuple[Caller, Callable[[], str]]:
        full = caller.content.full
        return caller, lambda: f"/repos/{chance.choice(chance.choice(full).repos)}"

    def a_list(caller: Caller, query: str = "") -> tuple[Caller, Callable[[], str]]:
        full = caller.content.full
        return caller, lambda: f"/workspaces/{chance.choice(full).id}/repos?limit={PAGE}{query}"

    biggest = large.content.large
    assert biggest is not None  # noqa: S101 - the large database has one
    first = f"/workspaces/{biggest.id}/repos?limit={PAGE}"
    pages = len(biggest.repos) // PAGE
    late = f"{first}&cursor={cursor_of(large, biggest, pages)}"
    rows = f"{len(biggest.repos):,}"
    return [
        Comparison("get one", a_repo(small), a_repo(large), calls),
        Comparison("list 50", a_list(small), a_list(large), calls),
        Comparison("search", a_list(small, "&q=FUGUE"), a_list(large, "&q=FUGUE"), calls),
        Comparison(f"page 1, page {pages:,}", (large, lambda: first), (large, lambda: late), calls),
        Comparison(
            f"search without a match, 100 and {rows} repos",
            a_list(large, "&q=nowhere"),
            (large, lambda: f"{first}&q=nowhere"),
            min(calls, _SLOW_CALLS),
        ),
    ]


def cursor_of(caller: Caller, workspace: Workspace, page: int) -> str:
    """The cursor of a page, reached in larger steps."""
    cursor, behind, ahead = "", 0, (page - 1) * PAGE
    while behind < ahead:
        step = min(_BIGGEST_PAGE, ahead - behind)
        reached = caller.get(f"/workspaces/{workspace.id}/repos?limit={step}{cursor}")
        cursor = f"&cursor={reached['next_cursor']}"
        behind += step
    reached = caller.get(f"/workspaces/{workspace.id}/repos?limit={PAGE}{cursor}")
    expected = [str(each) for each in workspace.repos[ahead : ahead + PAGE]]
    if [each["id"] for each in reached["items"]] != expected:
        raise Failed(f"page {page} has other repos")
    return cursor.removeprefix("&cursor=")


def report(kind: str, comparisons: list[Comparison]) -> None:
    rows: list[tuple[str, ...]] = []
    for each in comparisons:
        little, much = (statistics.median(measured) for measured in each.milliseconds)
        rows.append((each.name, f"{little:.2f}", f"{much:.2f}", f"{much / little:.2f}"))
    head = ("", "little", "much", "much/little")
    print_table(f"{kind}: milliseconds per request, median", head, rows)


def report_plans(kind: str, explained: dict[str, str], big: set[str]) -> None:
    """Raises: Failed when a statement scans a big table."""
    counted = Counter(way for plan in explained.values() for way in ways(plan))
    rows = [(way, str(times)) for way, times in sorted(counted.items())]
    print_table(
        f"{kind}: how {len(explained)} statements find their rows", ("", "statements"), rows
    )
    bad = [each for each, plan in explained.items() if scanned_tables(plan) & big]
    for statement in bad:
        print(f"\n{statement}\n{explained[statement]}", file=sys.stderr)
    if bad:
        raise Failed(f"{len(bad)} statements scan a big table ({', '.join(sorted(big))})")
    print(f"\nnone of them scans a big table: {', '.join(sorted(big))}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
