"""One service on one database: rounds of writing, a fault, and a look at what is left."""

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
from scripts.chaos.vaults import Vaults, make_vaults
from scripts.chaos.verifier import Verifier
from scripts.chaos.writers import Writers

USERS = 3
WRITES = (50, 150)  # acknowledged in a round before the fault; the number is left to chance
WRITTEN_WITHIN = 60  # seconds for these
WRITES_AFTERWARDS = 20  # acknowledged once the database is back, by a server that has stayed
ROUND_WITHIN = 240  # seconds
JITTER = 0.05  # seconds at most between the last of the writes waited for and the fault
AWAY = 1.0  # seconds at most that the database stays away
REPORT_EVERY = 10  # rounds
SETTINGS = {
    "MAX_WORKSPACES_PER_USER": "1000000",
    "MAX_REPOS_PER_WORKSPACE": "1000000",
    "MAX_VAULTS_PER_WORKSPACE": "1000000",
    "ACCESS_TOKEN_TTL": "86400",
}
Fault = Callable[["Trial"], Awaitable[None]]


@dataclass(eq=False, slots=True)
class Trial:
    """One service on one database, and the rounds that it has to stand."""

    name: str
    server: Server
    calls: Calls
    model: Model
    vaults: Vaults
    chance: random.Random
    postgresql: PostgreSQL | None
    """None where the service stands on SQLite."""
    rounds: int = 0
    verified: int = 0
    """How many things, after all rounds."""

    async def stand(self, faults: list[Fault]) -> None:
        """A round for each of the faults; at the end everything is verified once more.

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
                self._report(f"{self.rounds} of {len(faults)} rounds")
        everything = await Verifier(self.model, self.calls).verify_everything()
        everything += await self.vaults.verify()
        self._report(f"{self.rounds} rounds, and {everything:,} things verified at the end")

    async def written(self, count: int) -> None:
        """Waits until so many more writes are acknowledged. Raises: Violation."""
        wanted = self.model.acknowledged + count
        deadline = time.monotonic() + WRITTEN_WITHIN
        while self.model.acknowledged < wanted:
            if time.monotonic() > deadline:
                raise Violation(f"{count} writes were not done within {WRITTEN_WITHIN} s")
            await asyncio.sleep(0.005)

    async def _round(self, fault: Fault) -> None:
        writers = Writers(self.model, self.vaults, self.calls, self.chance)
        stopped = asyncio.Event()

        async def spoil() -> None:
            await self.written(self.chance.randint(*WRITES))
            await asyncio.sleep(self.chance.uniform(0, JITTER))
            await fault(self)
            stopped.set()

        async with asyncio.TaskGroup() as group:
            group.create_task(writers.write(stopped))
            group.create_task(spoil())
        await recover(self)
        self.verified += await Verifier(self.model, self.calls).verify()
        self.verified += await self.vaults.verify()

    def _report(self, what: str) -> None:
        model = self.model
        print(
            f"{self.name}: {what}; {model.acknowledged:,} writes acknowledged,"
            f" {model.in_doubt} in doubt ({model.done_in_doubt} of them done)",
            flush=True,
        )


async def kill_server(trial: Trial) -> None:
    trial.calls.may_break = True
    await trial.server.kill()


async def stop_database(trial: Trial) -> None:
    assert trial.postgresql is not None
    await _take_away(trial, trial.postgresql, trial.postgresql.stop)


async def kill_database(trial: Trial) -> None:
    assert trial.postgresql is not None
    await _take_away(trial, trial.postgresql, trial.postgresql.kill)


async def _take_away(
    trial: Trial, postgresql: PostgreSQL, end: Callable[[], Awaitable[None]]
) -> None:
    """The database ends and comes back; the server stays, and serves again when it can."""
    await end()
    await asyncio.sleep(trial.chance.uniform(0, AWAY))
    await postgresql.start()
    await trial.server.ready()
    await trial.written(WRITES_AFTERWARDS)


async def recover(trial: Trial) -> None:
    """Starts the server again where it was killed."""
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
    """A server with a few users on a new database; it ends with the block."""
    server = Server(folder, **SETTINGS, **settings)
    try:
        await server.start()
        async with calls_to(server.address) as calls:
            model = Model([await sign_up(calls, f"writer_{number}") for number in range(USERS)])
            made = await make_vaults(await sign_up(calls, "keeper"), calls)
            vaults = Vaults(made, model, calls, chance)
            yield Trial(name, server, calls, model, vaults, chance, postgresql)
    except* Violation:
        print(f"The server's last words:\n{server.log}", file=sys.stderr)
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
