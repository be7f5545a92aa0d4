"""What one process of the service takes of memory and processor: idle, under load, while hashing.

The requests and limits of `deploy/kubernetes/deployment.yaml` come from these figures.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil

from benchmarks.content import Content
from benchmarks.databases import PostgreSQLDatabase
from benchmarks.services import Failed, Service
from benchmarks.tables import print_table
from benchmarks.wrk import load, write_targets

_PROBES = {"/health/ready": 5, "/health/live": 10}
"""Seconds between two requests of each probe, as in the Deployment."""
_SAMPLED = 0.05  # seconds
_PASSPHRASE = "a long passphrase of a benchmark"  # noqa: S105 - not a secret


@dataclass(frozen=True, slots=True)
class Footprint:
    """Of one process: resident megabytes at most, and the cores used on average."""

    memory: float
    cores: float
    of_database: float
    """The cores that PostgreSQL used on average."""
    wal: float
    """Bytes that PostgreSQL logged per request."""
    per_second: float
    """Requests, those of probes included."""


class Processes:
    """The processor time and the memory of the service and of its database's server."""

    def __init__(
        self, service: Service, database: PostgreSQLDatabase, server: psutil.Process
    ) -> None:
        self._service = service
        self._database = database
        self._server = server
        self._ended: dict[int, float] = {}

    def memory(self) -> float:
        return self._service.memory()

    def of_service(self) -> float:
        return self._service.processor_seconds()

    def of_database(self) -> float:
        """Seconds of the server and all its backends; those that have ended keep their last."""
        for each in (self._server, *self._server.children(recursive=True)):
            try:
                times = each.cpu_times()
            except psutil.NoSuchProcess:
                continue
            self._ended[each.pid] = times.user + times.system
        return sum(self._ended.values())

    async def wal(self) -> int:
        """Bytes of the log of PostgreSQL so far."""
        (row,) = await self._database.rows("SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn")
        return int(row[0])


async def measure(
    service: Service,
    database: PostgreSQLDatabase,
    content: Content,
    folder: Path,
    seconds: int,
    hashes: int,
) -> dict[str, Footprint]:
    """Measure a service with one process: `seconds` of each load, `hashes` of each kind.

    Raises: Failed.
    """
    targets = folder / "targets.lua"
    write_targets(targets, content)
    processes = Processes(service, database, await server_of(database))

    def requests(operation: str) -> Callable[[], Awaitable[float]]:
        async def put() -> float:
            return (await load(service, operation, seconds, targets)).rate * seconds

        return put

    work = {
        "idle, with probes": lambda: _probe(service, seconds * 3),
        **{each: requests(each) for each in ("get one", "list 50", "create", "patch", "mix")},
        "sign-ins and unlocks": lambda: _hash(service, content, hashes),
    }
    found = {name: await _footprint(processes, each) for name, each in work.items()}
    rows = [
        (
            name,
            *(f"{each.memory:.0f}", f"{each.cores:.3f}", f"{each.of_database:.3f}"),
            f"{each.per_second:,.1f}",
            f"{each.cores / each.per_second * 1e6:,.0f}",
            f"{each.of_database / each.per_second * 1e6:,.0f}",
            f"{each.wal:,.0f}",
        )
        for name, each in found.items()
    ]
    head = (
        "",
        "MB",
        "cores",
        "of PostgreSQL",
        "requests/s",
        "µs each",
        "of PostgreSQL",
        "WAL bytes",
    )
    print_table("One process, at most: memory; processor on average", head, rows)
    return found


async def server_of(database: PostgreSQLDatabase) -> psutil.Process:
    """Return the first process of the database's server, which runs on this machine."""
    (file,) = await database.rows("SELECT pg_read_file('postmaster.pid')")
    return psutil.Process(int(file[0].split("\n")[0]))


async def _footprint(processes: Processes, work: Callable[[], Awaitable[float]]) -> Footprint:
    highest = processes.memory()

    async def sample() -> None:
        nonlocal highest
        while True:
            highest = max(highest, processes.memory())
            await asyncio.sleep(_SAMPLED)

    wal = await processes.wal()
    service, database, start = processes.of_service(), processes.of_database(), time.monotonic()
    sampling = asyncio.create_task(sample())
    try:
        count = await work()
    finally:
        sampling.cancel()
    seconds = time.monotonic() - start
    return Footprint(
        highest,
        (processes.of_service() - service) / seconds,
        (processes.of_database() - database) / seconds,
        (await processes.wal() - wal) / count,
        count / seconds,
    )


async def _probe(service: Service, seconds: int) -> float:
    async with httpx.AsyncClient(base_url=service.address) as client:
        count = 0
        for second in range(seconds):
            for path, period in _PROBES.items():
                if second % period == 0:
                    (await client.get(path)).raise_for_status()
                    count += 1
            await asyncio.sleep(1)
    return count


async def _hash(service: Service, content: Content, hashes: int) -> float:
    """Passwords of unknown users, which cost as much as known ones, and passphrases."""
    workspace = content.full[0].id
    async with service.client(content.caller) as client:
        client.timeout = httpx.Timeout(300)
        new = {"name": "hashed", "path": "~/hashed", "protection": "passphrase"}
        created = await client.post(
            f"/workspaces/{workspace}/vaults", json=new | {"passphrase": _PASSPHRASE}
        )
        created.raise_for_status()
        vault = created.json()["id"]

        async def sign_in(number: int) -> int:
            form = {"username": f"unknown_{number}", "password": "wrong password"}
            return (await client.post("/auth/token", data=form)).status_code

        async def unlock(_number: int) -> int:
            body: dict[str, Any] = {"passphrase": _PASSPHRASE}
            return (await client.post(f"/vaults/{vault}/unlock", json=body)).status_code

        found: list[int] = []
        for number in range(0, hashes, 20):  # as many as may wait for one account and address
            tasks = [each(number + k) for k in range(20) for each in (sign_in, unlock)]
            found += await asyncio.gather(*tasks)
    if set(found) - {200, 401, 429}:
        raise Failed(f"hashes are answered with {sorted(set(found))}")
    return found.count(200) + found.count(401)
