"""Clients that write and read through all processes of the service, and remember what they wrote.

A request that fails, or an answer that lacks an acknowledged write, is an error.
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.support.api import User

CLIENTS = 4
_REPOS = 40
_MACHINES = 8
_SEED = 11
_PAUSE = 0.02  # seconds between two requests of a client


@dataclass(slots=True)
class Load:
    """The clients of one user. `processes` may change at any time."""

    user: User
    processes: list[httpx.AsyncClient]
    requests: Counter[httpx.AsyncClient] = field(default_factory=Counter[httpx.AsyncClient])
    longest: float = 0.0
    """The seconds that the slowest request took."""
    failures: list[str] = field(default_factory=list[str])
    descriptions: dict[str, str] = field(default_factory=dict[str, str])
    """What was acknowledged: the path of each resource, and its text."""
    in_progress: Counter[httpx.AsyncClient] = field(default_factory=Counter[httpx.AsyncClient])
    is_over: bool = False

    async def requests_through(self, process: httpx.AsyncClient, number: int) -> None:
        """Wait until a process has answered some further requests."""
        async with asyncio.timeout(60):
            wanted = self.requests[process] + number
            while self.requests[process] < wanted and not self.failures:  # noqa: ASYNC110 - counted by tasks
                await asyncio.sleep(0.02)

    async def leave(self, process: httpx.AsyncClient) -> None:
        """Send nothing more to a process, as a proxy does before it is stopped."""
        self.processes.remove(process)
        async with asyncio.timeout(30):
            while self.in_progress[process]:  # noqa: ASYNC110 - counted by tasks
                await asyncio.sleep(0.01)

    async def ask(self, status: int, method: str, path: str, json: Any = None) -> Any:
        """Send a request to any process; return the body of its answer."""
        await asyncio.sleep(_PAUSE)  # leaves processor time for the processes that start
        # Chosen now: one that was left during the pause gets nothing more.
        process = random.choice(self.processes)  # noqa: S311 - no secret
        user = User(process, self.user.id, self.user.name, self.user.token)
        start = time.monotonic()
        self.in_progress[process] += 1
        try:
            answer = await user.request(method, path, json=json)
        finally:
            self.in_progress[process] -= 1
        self.longest = max(self.longest, time.monotonic() - start)
        self.requests[process] += 1
        if answer.status_code != status:
            raise AssertionError(f"{method} {path}: {answer.status_code} {answer.text}")
        return answer.json() if answer.content else None

    async def verify(self) -> None:
        """Require that every acknowledged write is there, and nothing else."""
        for path, text in self.descriptions.items():
            body = await self.ask(200, "GET", path)
            assert _text(body) == text, path


async def _client(load: Load, number: int) -> None:
    workspace = await load.ask(
        201, "POST", f"/user-profiles/{load.user.id}/workspaces", {"name": f"of {number}"}
    )
    repos: list[str] = []
    machines: list[str] = []
    inside = f"/workspaces/{workspace['id']}"
    count = 0
    while not load.is_over:
        count += 1
        if len(repos) < _REPOS:
            body = {"name": f"r{count}", "path": f"~/r{count}", "metadata": {"text": "new"}}
            repos.append(await _created(load, f"{inside}/repos", "/repos", body))
        if len(machines) < _MACHINES:
            name = f"m{number}-{count}"
            machines.append(await _created(load, "/machines", "/machines", {"name": name}))
        repo = random.choice(repos)  # noqa: S311 - no secret
        await _updated(load, repo, {"metadata": {"text": f"{number}.{count}"}})
        await _updated(load, random.choice(machines), {"name": f"m{number}-{count}-x"})  # noqa: S311
        listed = await load.ask(200, "GET", f"{inside}/repos?limit=100")
        assert {f"/repos/{each['id']}" for each in listed["items"]} == set(repos)
        if count % 5 == 0:
            gone = machines.pop(0)
            await load.ask(204, "DELETE", gone)
            del load.descriptions[gone]
            await load.ask(404, "GET", gone)


async def _created(load: Load, parent: str, place: str, body: dict[str, Any]) -> str:
    entity = await load.ask(201, "POST", parent, body)
    path = f"{place}/{entity['id']}"
    load.descriptions[path] = _text(entity)
    return path


async def _updated(load: Load, path: str, changes: dict[str, Any]) -> None:
    """Update through one process, and read through any."""
    text = _text(await load.ask(200, "PATCH", path, changes))
    load.descriptions[path] = text
    assert _text(await load.ask(200, "GET", path)) == text


def _text(entity: dict[str, Any]) -> str:
    return f"{entity['version']} {entity['name']} {entity.get('metadata')}"


@asynccontextmanager
async def running_load(user: User) -> AsyncGenerator[Load]:
    """Run the clients in this block; then require that none has failed and nothing is lost."""
    random.seed(_SEED)
    load = Load(user, [user.client])

    async def run(number: int) -> None:
        try:
            await _client(load, number)
        except Exception as error:
            load.failures.append(repr(error))

    tasks = [asyncio.create_task(run(number)) for number in range(CLIENTS)]
    try:
        yield load
    finally:
        load.is_over = True
        await asyncio.gather(*tasks)
    assert load.failures == [], load.failures
    await load.verify()
