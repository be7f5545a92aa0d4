"""One service on one database: rounds of writes, a fault, and verification."""

import asyncio
import random
import sys
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from scripts.chaos.calls import Calls, Violation, calls_to
from scripts.chaos.model import Model, User
from scripts.chaos.processes import PostgreSQL, Server
from scripts.chaos.vaults import Vaults, create_vaults
from scripts.chaos.verifier import Verifier
from scripts.chaos.writers import Writers

USERS = 3
WRITES = (50, 150)  # acknowledged in a round before the fault; the number is random
WRITTEN_WITHIN = 60  # seconds for these
WRITES_AFTERWARDS = 20  # acknowledged once the database is back, by the same server
ROUND_WITHIN = 240  # seconds
JITTER = 0.05  # seconds at most between the last of the writes waited for and the fault
AWAY = 1.0  # seconds at most until the database is started again
REPORT_EVERY = 10  # rounds
SETTINGS = {
    "MAX_WORKSPACES_PER_USER": "1000000",
    "MAX_REPOS_PER_WORKSPACE": "1000000",
    "MAX_VAULTS_PER_WORKSPACE": "1000000",
    "MAX_ENTRY_BYTES_PER_VAULT": "1000000000000",
    "MAX_ENTRY_BYTES_PER_USER": "1000000000000",
    "ACCESS_TOKEN_TTL": "86400",
}
Fault = Callable[["Trial"], Awaitable[None]]


@dataclass(eq=False, slots=True)
class Trial:
    """One service on one database, and its rounds."""

    name: str
    server: Server
    calls: Calls
    model: Model
    vaults: Vaults
    chance: random.Random
    postgresql: PostgreSQL | None
    """None where the service runs on SQLite."""
    rounds: int = 0
    verified: int = 0
    """How many resources were verified after the rounds."""

    async def run(self, faults: list[Fault]) -> None:
        """Run a round for each of the faults, and verify everything once more at the end.

        Raises: Violation.
        """
        for fault in faults:
            try:
                async with asyncio.timeout(ROUND_WITHIN):
                    await self._round(fault)
            except TimeoutError:
                raise Violation(f"a round takes longer than {ROUND_WITHIN} s") from None
            self.rounds += 1
            if self.rounds % REPORT_EVERY == 0:
                self._report(f"round {self.rounds} of {len(faults)}")
        everything = await Verifier(self.model, self.calls).verify_everything()
        everything += await self.vaults.verify()
        self._report(f"rounds: {self.rounds}; resources verified at the end: {everything:,}")

    async def written(self, count: int) -> None:
        """Wait until this many more writes are acknowledged. Raises: Violation."""
        wanted = self.model.acknowledged + count
        deadline = time.monotonic() + WRITTEN_WITHIN
        while self.model.acknowledged < wanted:
            if time.monotonic() > deadline:
                raise Violation(f"{count} writes were not acknowledged within {WRITTEN_WITHIN} s")
            await asyncio.sleep(0.005)

    async def _round(self, fault: Fault) -> None:
        writers = Writers(self.model, self.vaults, self.calls, self.chance)
        stopped = asyncio.Event()

        async def cause_fault() -> None:
            await self.written(self.chance.randint(*WRITES))
            await asyncio.sleep(self.chance.uniform(0, JITTER))
            await fault(self)
            stopped.set()

        async with asyncio.TaskGroup() as group:
            group.create_task(writers.write(stopped))
            group.create_task(cause_fault())
        await recover(self)
        self.verified += await Verifier(self.model, self.calls).verify()
        self.verified += await self.vaults.verify()

    def _report(self, what: str) -> None:
        model = self.model
        print(
            f"{self.name}: {what}; {model.acknowledged:,} writes acknowledged,"
            f" {model.in_doubt} in doubt ({model.done_in_doubt} of them stored)",
            flush=True,
        )


async def kill_server(trial: Trial) -> None:
    trial.calls.may_break = True
    await trial.server.kill()


async def stop_database(trial: Trial) -> None:
    assert trial.postgresql is not None
    await _interrupt(trial, trial.postgresql, trial.postgresql.stop)


async def kill_database(trial: Trial) -> None:
    assert trial.postgresql is not None
    await _interrupt(trial, trial.postgresql, trial.postgresql.kill)


async def _interrupt(
    trial: Trial, postgresql: PostgreSQL, end: Callable[[], Awaitable[None]]
) -> None:
    """Stop the database and start it again; the server keeps running and must recover."""
    await end()
    await asyncio.sleep(trial.chance.uniform(0, AWAY))
    await postgresql.start()
    await trial.server.ready()
    await trial.written(WRITES_AFTERWARDS)


async def recover(trial: Trial) -> None:
    """Start the server again after it was killed."""
    if not trial.calls.may_break:
        return
    if trial.postgresql is not None:
        await trial.postgresql.drop_clients()
    await trial.server.start()
    trial.calls.may_break = False


@asynccontextmanager
async def running_trial(
    name: str, chance: random.Random, folder: Path, postgresql: PostgreSQL | None, **settings: str
) -> AsyncGenerator[Trial]:
    """A server with a few users on a new database; it is killed at the end of the block."""
    server = Server(folder, **SETTINGS, **settings)
    try:
        await server.start()
        async with calls_to(server.address) as calls:
            model = Model([await sign_up(calls, f"writer_{number}") for number in range(USERS)])
            created = await create_vaults(await sign_up(calls, "keeper"), calls)
            vaults = Vaults(created, model, calls, chance)
            yield Trial(name, server, calls, model, vaults, chance, postgresql)
    except* Violation:
        print(f"The end of the server's log:\n{server.log}", file=sys.stderr)
        raise
    finally:
        await server.kill()


async def sign_up(calls: Calls, name: str) -> User:
    password = "correct horse battery staple"
    body = {"username": name, "email": f"{name}@example.org", "password": password}
    profile = await calls.send("POST", "/user-profiles", ("201",), json=body)
    credentials = {"username": name, "password": password}
    token = await calls.send("POST", "/auth/token", ("200",), data=credentials)
    return User(profile.json()["id"], token.json()["access_token"])
