"""How long the attention board takes when repositories have many branches and worktrees.

Symphony runs as a process, the board is requested over HTTP. The cost of the committed work for a
repository with one branch is measured in this process: the same inspection with and without it, in
turn, so that what else happens on the machine concerns both.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any
from unittest.mock import patch

import httpx

from benchmarks import command, services
from benchmarks.databases import sqlite_database
from benchmarks.services import Failed
from benchmarks.tables import print_table
from scripts.support.pushed_history import create_repository
from symphony.domain.base import new_id
from symphony.domain.git.work import RemoteHeads, Work
from symphony.infrastructure.git.history import work as history
from symphony.infrastructure.git.history.memory import Memory
from symphony.infrastructure.git.history.refs import RefsOnce
from symphony.infrastructure.git.history.work import Checkout
from symphony.infrastructure.git.process.private_directory import PrivateDirectory
from symphony.infrastructure.git.status import inspector
from symphony.infrastructure.git.status.local_git import LocalGit

_PASSWORD = "correct horse battery staple"  # noqa: S105 - not a secret
_OBSERVED_WITHIN = 120  # seconds
_COMMITS = 50
_REPOSITORIES, _BRANCHES, _WORKTREES, _REMEMBERED, _MANY_BRANCHES = 100, 20, 3, 1000, 2000


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repos", type=int, default=_REPOSITORIES, help="with branches, worktrees")
    parser.add_argument("--remembered", type=int, default=_REMEMBERED, help="repos of the user")
    parser.add_argument("--branches", type=int, default=_MANY_BRANCHES, help="of one repository")
    parser.add_argument("--rounds", type=int, default=7, help="measurements of each kind")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures to this file")
    arguments = parser.parse_args()
    return command.run(lambda folder: measure(folder, arguments), arguments.json)


async def measure(folder: Path, arguments: argparse.Namespace) -> dict[str, Any]:
    """Raises: Failed."""
    dev = _repositories(folder, arguments)
    times = await _over_http(folder, dev, arguments)
    times |= await _one_branch(dev, arguments.rounds * 5)
    rows = [
        (kind, f"{statistics.median(each):.1f}", f"{min(each):.1f}", f"{max(each):.1f}")
        for kind, each in times.items()
    ]
    print_table("Milliseconds", ("", "median", "lowest", "highest"), rows)
    with_work, without = (
        statistics.median(times[f"one branch, {how} committed work"]) for how in ("with", "without")
    )
    print(f"\nwith/without: {with_work / without:.2f}")
    return {"milliseconds": times, "ratio": with_work / without}


def _repositories(folder: Path, arguments: argparse.Namespace) -> Path:
    dev = folder.resolve() / "dev"
    dev.mkdir()
    for number in range(arguments.repos):
        _create_repository(dev / f"repo-{number}", _BRANCHES, _WORKTREES)
    _create_repository(dev / "many", arguments.branches, 0)
    _create_repository(dev / "one", 1, 0)
    return dev


def _create_repository(path: Path, branches: int, worktrees: int) -> None:
    """Create a repository; each of the worktrees has a branch checked out."""
    repository = create_repository(path, commits=_COMMITS, branches=branches)
    for number in range(1, worktrees + 1):
        linked = path.with_name(f"{path.name}-worktree-{number}")
        repository.git("worktree", "add", "--quiet", str(linked), f"branch-{number}")


async def _over_http(
    folder: Path, dev: Path, arguments: argparse.Namespace
) -> dict[str, list[float]]:
    database = await sqlite_database(folder / "board.sqlite3")
    rounds: int = arguments.rounds
    async with (
        services.symphony(database.address, folder, git_root=dev) as service,
        httpx.AsyncClient(base_url=f"{service.address}/api/v1", timeout=60) as client,
    ):
        user = await _signed_up(client)
        paths = [dev / f"repo-{number}" for number in range(arguments.repos)]
        await _register(client, user, "many branches and worktrees", paths)
        board = f"/user-profiles/{user}/attention"
        first = await _milliseconds(lambda: client.get(board))
        fresh = [await _milliseconds(lambda: client.get(board)) for _ in range(rounds)]
        others = arguments.remembered - arguments.repos
        for start in range(0, others, 100):
            paths = [dev / "one"] * min(100, others - start)
            await _register(client, user, f"one branch, from {start}", paths)
        await _all_observed(client, board)
        remembered = [
            await _milliseconds(lambda: client.get(board, params={"fresh": "false"}))
            for _ in range(rounds)
        ]
        (many,) = await _register(client, user, "many branches", [dev / "many"])
        status = [
            await _milliseconds(lambda: client.get(f"/repos/{many}/status")) for _ in range(rounds)
        ]
    return {
        f"{arguments.repos} repositories for the first time": [first],
        f"{arguments.repos} repositories, observed": fresh,
        f"{arguments.remembered} repos, remembered": remembered,
        f"one repository with {arguments.branches} branches": status,
    }


async def _signed_up(client: httpx.AsyncClient) -> str:
    body = {"username": "ada", "email": "ada@example.org", "password": _PASSWORD}
    user = await _succeeded(client.post("/user-profiles", json=body))
    form = {"username": "ada", "password": _PASSWORD}
    token = await _succeeded(client.post("/auth/token", data=form))
    client.headers["Authorization"] = f"Bearer {token['access_token']}"
    return user["id"]


async def _register(
    client: httpx.AsyncClient, user: str, workspace: str, paths: Sequence[Path]
) -> list[str]:
    """Register directories in a new workspace; returns the ids of the repos."""
    where = f"/user-profiles/{user}/workspaces"
    created = await _succeeded(client.post(where, json={"name": workspace}))
    bodies = [{"name": f"repo-{n}", "path": str(path)} for n, path in enumerate(paths)]
    repos = f"/workspaces/{created['id']}/repos"
    return [(await _succeeded(client.post(repos, json=body)))["id"] for body in bodies]


async def _all_observed(client: httpx.AsyncClient, board: str) -> None:
    """Request boards until every repo was observed. Raises: Failed."""
    deadline = time.monotonic() + _OBSERVED_WITHIN
    while (await _succeeded(client.get(board)))["unobserved"]:
        if time.monotonic() > deadline:
            raise Failed(f"some repos are not observed after {_OBSERVED_WITHIN} seconds")


async def _milliseconds(request: Callable[[], Awaitable[httpx.Response]]) -> float:
    start = time.perf_counter()
    await _succeeded(request())
    return (time.perf_counter() - start) * 1000


async def _succeeded(request: Awaitable[httpx.Response]) -> Any:
    answer = await request
    if not answer.is_success:
        raise Failed(f"{answer.request.url.path} is answered with {answer.status_code}")
    return answer.json()


async def _one_branch(dev: Path, rounds: int) -> dict[str, list[float]]:
    user, path = new_id(), str(dev / "one")
    times: dict[str, list[float]] = {
        "one branch, with committed work": [],
        "one branch, without committed work": [],
    }
    for _ in range(rounds):
        for kind, read_work in zip(times, (history.read_work, _nothing), strict=True):
            git = LocalGit([dev])  # a new one, which remembers nothing
            with patch.object(inspector, "read_work", read_work):
                start = time.perf_counter()
                status = await git.status(user, path)
                times[kind].append((time.perf_counter() - start) * 1000)
            git.close()
            if status.reason:
                raise Failed(status.reason)
    return times


def _nothing(
    private: PrivateDirectory,
    memory: Memory,
    checkouts: Sequence[Checkout],
    synced: RemoteHeads | None,
    refs: RefsOnce,
) -> Work:
    del private, memory, checkouts, synced
    return Work(
        unpushed_commits=0, at_risk=0, items=[], is_truncated=False, as_of=None, reason=None
    )


if __name__ == "__main__":
    sys.exit(main())
