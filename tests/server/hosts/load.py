"""Clients that write without a pause, retry with the same key, and record what was acknowledged."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.support.api import User, code

WRITERS = 8
READERS = 2
_PAUSE = 0.05  # seconds after a 503; shorter than `Retry-After`, to see when writes succeed again
UNKNOWN = "its outcome is unknown"


@dataclass(slots=True)
class Load:
    """Writers of one workspace, and what the service has acknowledged to them."""

    user: User
    workspace_id: str
    acknowledged: dict[str, str] = field(default_factory=dict[str, str])
    """The id of each created repo, by its name, which is also the key of its request."""
    counters: dict[str, int] = field(default_factory=dict[str, int])
    """The last acknowledged number in the metadata of a repo, by its id."""
    times: list[float] = field(default_factory=list[float])
    """When each write was acknowledged, by the monotonic clock."""
    answers: Counter[str] = field(default_factory=Counter[str])
    may_be_stale: bool = False
    """Whether a process may read from a server that lacks what was acknowledged: it is retried."""
    slowest: float = 0.0
    """The seconds of the slowest answer."""
    _number: int = 0

    @property
    def path(self) -> str:
        return f"/workspaces/{self.workspace_id}"

    async def create(self, name: str) -> dict[str, Any]:
        """Create a repo; retry with the same key until that is acknowledged."""
        body = {"name": name, "path": f"~/{name}"}
        headers = {"Idempotency-Key": name}
        while True:
            answer = await self._send("POST", f"{self.path}/repos", 201, json=body, headers=headers)
            if answer is not None:
                repo: dict[str, Any] = answer.json()
                assert self.acknowledged.setdefault(name, repo["id"]) == repo["id"]
                return repo

    async def wait_for_writes(self, count: int, within: float = 60) -> None:
        """Wait until this many more writes are acknowledged."""
        wanted = len(self.times) + count
        async with asyncio.timeout(within):
            while len(self.times) < wanted:  # noqa: ASYNC110 - several writers add to it
                await asyncio.sleep(0.005)

    def first_after(self, moment: float) -> float:
        """When a write was acknowledged for the first time after a moment."""
        return min(each for each in self.times if each > moment)

    async def write(self, stopped: asyncio.Event) -> None:
        """Create a repo and count in it, again and again. Ends with an acknowledged write."""
        while not stopped.is_set():
            self._number += 1
            repo_id = (await self.create(f"w{self._number}"))["id"]
            for number in range(1, 4):
                metadata = {"metadata": {"n": number}}
                while await self._send("PATCH", f"/repos/{repo_id}", 200, json=metadata) is None:
                    pass
                self.counters[repo_id] = number

    async def read(self, stopped: asyncio.Event) -> None:
        while not stopped.is_set():
            await self._send("GET", self.path, 200)
            await asyncio.sleep(0.02)

    async def _send(
        self, method: str, path: str, expected: int, **options: Any
    ) -> httpx.Response | None:
        """Send a request; None if it is to be retried. Any other answer is a failure."""
        started = time.monotonic()
        answer = await self.user.request(method, path, **options)
        ended = time.monotonic()
        self.slowest = max(self.slowest, ended - started)
        if answer.status_code == expected:
            self.answers[f"{method} {expected}"] += 1
            if method != "GET":
                self.times.append(ended)
            return answer
        if self.may_be_stale and code(answer) == "404 repo-not-found":
            await asyncio.sleep(_PAUSE)
            return None
        assert code(answer) == "503 service-unavailable", answer.text
        assert int(answer.headers["Retry-After"]) >= 1
        kind = "unknown outcome" if UNKNOWN in answer.json()["detail"] else "unavailable"
        self.answers[f"{method} 503 {kind}"] += 1
        await asyncio.sleep(_PAUSE)
        return None


@asynccontextmanager
async def running(load: Load) -> AsyncGenerator[None]:
    """Run all writers and readers during the block; each ends with an acknowledged request."""
    stopped = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        for _ in range(WRITERS):
            group.create_task(load.write(stopped))
        for _ in range(READERS):
            group.create_task(load.read(stopped))
        try:
            yield
        finally:
            stopped.set()
