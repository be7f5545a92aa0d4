"""How long the board of many machines takes, and the reports of many machines at once.

Symphony runs as one process for the board, and as two for the reports, on PostgreSQL and on an
SQLite file. Every repo of the user has several checkouts. One repo in ten has unpushed commits in
one of them, one in twenty was pushed from a machine and not fetched on the others, and one in ten
was synced. Nothing is inspected.
"""

import argparse
import asyncio
import gzip
import json
import statistics
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import sha1
from pathlib import Path
from typing import Any

import httpx

from benchmarks import command, services
from benchmarks.content import Content, Shape, fill
from benchmarks.databases import Database, running_postgresql, sqlite_database
from benchmarks.services import Failed
from benchmarks.tables import print_table

_PER_MACHINE = 1_000
_GIVEN_UP_AFTER = 120  # seconds
_START = datetime(2026, 1, 1, tzinfo=UTC)
_BRANCHES = 10
Milliseconds = dict[str, list[float]]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workspaces", type=int, default=50, help="with 100 repos each")
    parser.add_argument("--checkouts", type=int, default=3, help="of each repo")
    parser.add_argument("--machines", type=int, default=50, help="that report at once")
    parser.add_argument("--reported", type=int, default=500, help="checkouts in each report")
    parser.add_argument("--rounds", type=int, default=30, help="boards that are requested")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures to this file")
    arguments = parser.parse_args()
    return command.run(lambda folder: measure(folder, arguments), arguments.json)


async def measure(folder: Path, arguments: argparse.Namespace) -> dict[str, Any]:
    """Raises: Failed."""
    results: dict[str, Any] = {}
    with running_postgresql(folder) as server:
        for boards, reports in (
            (await server.database("boards"), await server.database("reports")),
            (
                await sqlite_database(folder / "boards.sqlite3"),
                await sqlite_database(folder / "reports.sqlite3"),
            ),
        ):
            times = await _boards(boards, folder, arguments)
            times |= await _reports(reports, folder, arguments)
            _print(boards.kind, times)
            results[boards.kind] = times
    return {"milliseconds": results}


async def _boards(database: Database, folder: Path, arguments: argparse.Namespace) -> Milliseconds:
    content = await fill(database, Shape(users=1, workspaces=arguments.workspaces))
    await _sync(database, content)
    async with (
        services.symphony(database.address, folder) as service,
        service.client(content.caller) as client,
    ):
        board = f"/user-profiles/{content.caller}/attention?fresh=false"
        times: Milliseconds = {
            "board without checkouts": await _repeated(client, board, arguments.rounds)
        }
        repos = 100 * arguments.workspaces
        pushing = list[tuple[str, bytes]]()
        for group in range(arguments.checkouts):
            for first in range(0, repos, _PER_MACHINE):
                numbers = range(first + 1, min(first + _PER_MACHINE, repos) + 1)
                machine = await _machine(client, f"machine {group} {first}")
                await _report(client, machine, report(numbers, group))
                if group == 0:
                    pushing.append((machine, report(numbers, group, 2, pushed=20)))
        await asyncio.sleep(1)  # a machine reports once a second
        for machine, body in pushing:
            await _report(client, machine, body)
        await database.execute("ANALYZE")
        answer = await client.get(board)
        items = answer.json()["items"]
        listed = sum(len(each["checkouts"]) for each in items)
        print(f"\n{database.kind}: {len(items):,} items with {listed:,} checkouts")
        if listed != len(items) * arguments.checkouts or not items:
            raise Failed(f"{len(items)} items have {listed} checkouts")
        times["board remembered"] = await _repeated(client, board, arguments.rounds)
        one = f"{board}&workspace_id={content.full[0].id}"
        times["board of one workspace"] = await _repeated(client, one, arguments.rounds)
    return times


async def _reports(database: Database, folder: Path, arguments: argparse.Namespace) -> Milliseconds:
    content = await fill(database, Shape(users=1, workspaces=10))
    numbers = range(1, arguments.reported + 1)
    times: Milliseconds = {}
    async with (
        services.symphony(database.address, folder, workers=2) as service,
        service.client(content.caller) as client,
    ):
        machines = [await _machine(client, f"machine {each}") for each in range(arguments.machines)]
        first = [report(numbers, each) for each in range(len(machines))]
        later = [report(numbers, each, sequence=2) for each in range(len(machines))]
        last = [report(numbers, each, sequence=3, changed=20) for each in range(len(machines))]
        for kind, sent in (
            ("report, all checkouts new", first),
            ("report, nothing changed", later),
            ("report, one in 20 changed", last),
        ):
            await asyncio.sleep(1)
            reporting = zip(machines, sent, strict=True)
            times[f"{kind}, at once"] = await asyncio.gather(
                *(_report(client, machine, body) for machine, body in reporting)
            )
        alone = [report(numbers, each, sequence=4) for each in range(len(machines))]
        await asyncio.sleep(1)
        times["report, nothing changed, one by one"] = [
            await _report(client, machine, body)
            for machine, body in zip(machines, alone, strict=True)
        ]
    return times


def report(
    numbers: Sequence[int],
    group: int,
    sequence: int = 1,
    *,
    changed: int | None = None,
    pushed: int | None = None,
) -> bytes:
    """The compressed report of a machine with a checkout of each of these repos.

    With `changed`, one in so many has other facts than in the reports before; with `pushed`, one in
    so many has another commit of the remote.
    """
    checkouts = [
        _checkout(
            number,
            group,
            is_changed=changed is not None and number % changed == 0,
            is_pushed=pushed is not None and number % pushed == 5,
        )
        for number in numbers
    ]
    body = {"sequence": sequence, "roots": ["/home/ada/dev"], "checkouts": checkouts}
    return gzip.compress(json.dumps(body, separators=(",", ":")).encode(), 1)


def _checkout(number: int, group: int, *, is_changed: bool, is_pushed: bool) -> dict[str, Any]:
    url = f"git@git.example.org:ada/{number}.git"
    needs_attention = number % 10 == 0 and group == number // 10 % 3
    main = _commit(number, "pushed" if is_pushed else "main")
    unpushed = 2 if needs_attention else 0
    head = _commit(number, f"local {group}") if unpushed else main
    return {
        "path": f"/home/ada/dev/project-{number}",
        "remotes": [{"name": "origin", "url": url}],
        "root_commits": [_commit(number, "root")],
        "remote_heads": [
            {"remote": "origin", "branch": "main", "head": main},
            *(
                {"remote": "origin", "branch": f"branch-{each}", "head": _commit(number, each)}
                for each in range(_BRANCHES)
            ),
        ],
        "status": {
            "observed_at": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
            "state": "dirty" if is_changed else "clean",
            "reason": None,
            "branch": "main",
            "head": {
                "id": head,
                "subject": "Note G",
                "author": "Ada Lovelace",
                "authored_at": "2026-11-15T17:02:11Z",
            },
            "upstream": "origin/main",
            "ahead": unpushed,
            "behind": 0,
            "staged": 0,
            "modified": int(is_changed),
            "untracked": 0,
            "conflicted": 0,
            "stashes": 0,
            "operation": None,
            "remotes": {"origin": url},
            "unpushed_commits": unpushed,
            "work": [_item(head, "main", unpushed)]
            + [_item(_commit(number, each), f"branch-{each}", 0) for each in range(_BRANCHES // 3)],
            "work_truncated": False,
            "worktrees": [],
            "at_risk": bool(unpushed) or is_changed,
            "as_of": {"source": "fetch", "at": "2026-11-15T17:02:11Z"},
            "main_repository": None,
        },
    }


def _item(head: str, name: str, unpushed: int) -> dict[str, Any]:
    return {
        "kind": "branch",
        "name": name,
        "worktree": None,
        "head": head,
        "upstream": f"origin/{name}",
        "ahead": unpushed,
        "behind": 0,
        "unpushed_commits": unpushed,
        "integrated": "no" if unpushed else "merged",
        "committed_at": "2026-11-15T17:02:11Z",
    }


def _commit(number: int, name: str | int) -> str:
    return sha1(f"{number} {name}".encode()).hexdigest()  # noqa: S324 - as git names commits


async def _sync(database: Database, content: Content) -> None:
    """Every tenth repo was synced once."""
    numbered = enumerate((repo for each in content.full for repo in each.repos), 1)
    rows = (
        (
            repo,
            f"https://git.example.org/ada/{number}.git",
            _START,
            json.dumps(
                {
                    "branches": {"main": _commit(number, "main")}
                    | {f"branch-{each}": _commit(number, each) for each in range(_BRANCHES)},
                    "default_branch": "main",
                    "tags": [],
                    "is_complete": True,
                    "comparison": None,
                }
            ),
        )
        for number, repo in numbered
        if number % 10 == 3
    )
    await database.fill("remote_heads", ("repo_id", "remote_url", "synced_at", "heads"), rows)


async def _machine(client: httpx.AsyncClient, name: str) -> str:
    answer = await client.post("/machines", json={"name": name})
    if answer.status_code != 201:
        raise Failed(f"a machine is answered with {answer.status_code}: {answer.text}")
    return str(answer.json()["id"])


async def _report(client: httpx.AsyncClient, machine: str, content: bytes) -> float:
    """Send a report; return the milliseconds until its answer."""
    start = time.perf_counter()
    answer = await client.put(
        f"/machines/{machine}/report",
        content=content,
        headers={"Content-Type": "application/json", "Content-Encoding": "gzip"},
        timeout=_GIVEN_UP_AFTER,
    )
    seconds = time.perf_counter() - start
    if answer.status_code != 200:
        raise Failed(f"a report is answered with {answer.status_code}: {answer.text}")
    return seconds * 1000


async def _repeated(client: httpx.AsyncClient, path: str, rounds: int) -> list[float]:
    times = list[float]()
    for _ in range(rounds + 1):
        start = time.perf_counter()
        answer = await client.get(path)
        times.append((time.perf_counter() - start) * 1000)
        if answer.status_code != 200:
            raise Failed(f"a board is answered with {answer.status_code}: {answer.text}")
    return times[1:]


def _print(kind: str, times: Milliseconds) -> None:
    rows = [
        (name, f"{statistics.median(each):.0f}", f"{_percentile_95(each):.0f}", f"{max(each):.0f}")
        for name, each in times.items()
    ]
    print_table(f"{kind}: milliseconds", ("", "median", "p95", "highest"), rows)


def _percentile_95(values: Sequence[float]) -> float:
    return sorted(values)[min(len(values) - 1, round(len(values) * 0.95))]


if __name__ == "__main__":
    sys.exit(main())
