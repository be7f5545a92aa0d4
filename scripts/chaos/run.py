"""Kill the server and its database while clients write, and verify what is stored afterwards: no
acknowledged write may be lost, no write may be stored in part.

In each round eight clients write at random. Meanwhile the server with its workers is killed
(SIGKILL), or PostgreSQL is stopped or killed; then it is started again, requests without an answer
are settled by retries, and all written resources are compared with what was acknowledged. Answers
may be 2xx, the errors of the contract, and 503; any other answer fails the run.
"""

import argparse
import asyncio
import random
import secrets
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from scripts.chaos.calls import Violation
from scripts.chaos.processes import running_postgresql
from scripts.chaos.trial import (
    Fault,
    Trial,
    kill_database,
    kill_server,
    running_trial,
    stop_database,
)

STOPPED = 130  # the exit status that shells use after Ctrl-C


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server-kills", type=int, default=200, help="rounds, on both databases")
    parser.add_argument("--database-faults", type=int, default=20, help="rounds, on PostgreSQL")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(2**32))
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}", flush=True)
    status = 0
    with tempfile.TemporaryDirectory(prefix="symphony-chaos-") as place:
        folder = Path(place)
        folder.chmod(0o755)  # as root, PostgreSQL runs as a user of its own
        try:
            asyncio.run(
                chaos(arguments.server_kills, arguments.database_faults, arguments.seed, folder)
            )
        except* Violation as group:
            for each in leaves(group):
                print(f"FAILED with seed {arguments.seed}: {each}", file=sys.stderr)
            status = 1
        except* (asyncio.CancelledError, KeyboardInterrupt):
            print("stopped", file=sys.stderr)
            status = STOPPED
    return status


async def chaos(server_kills: int, database_faults: int, seed: int, folder: Path) -> None:
    """Run both databases, one after the other. Raises: Violation, alone or in a group."""
    tidy_up_on_signals()
    chance = random.Random(seed)  # noqa: S311 - not a secret
    start = time.monotonic()
    on_sqlite: list[Fault] = [kill_server] * (server_kills // 2)
    on_postgresql: list[Fault] = [kill_server] * (server_kills - len(on_sqlite))
    on_postgresql += [(stop_database, kill_database)[each % 2] for each in range(database_faults)]
    chance.shuffle(on_postgresql)

    with running_postgresql(folder) as postgresql:
        async with running_trial(
            "PostgreSQL",
            chance,
            folder / "on-postgresql",
            postgresql,
            DATABASE_URL=postgresql.address,
            SECRET_KEY=secrets.token_hex(32),
            MASTER_KEY=secrets.token_urlsafe(32),
            AUTO_MIGRATE="true",
        ) as first:
            await first.run(on_postgresql)
    async with running_trial("SQLite", chance, folder / "on-sqlite", None) as second:
        await second.run(on_sqlite)
    summarize([first, second], time.monotonic() - start)


def tidy_up_on_signals() -> None:
    """Cancel the run on SIGTERM and SIGHUP, so that it stops its processes as on Ctrl-C."""
    task = asyncio.current_task()
    assert task is not None
    for number in (signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)


def summarize(trials: list[Trial], seconds: float) -> None:
    models = [each.model for each in trials]
    counted = sum((each.calls.counted for each in trials), Counter[str]())
    slowest = max(each.server.slowest_start for each in trials)
    print(f"rounds: {sum(each.rounds for each in trials)}, in {seconds:.0f} s")
    print(f"{sum(each.acknowledged for each in models):,} writes acknowledged")
    print(
        f"{sum(each.in_doubt for each in models):,} in doubt,"
        f" {sum(each.done_in_doubt for each in models):,} of them stored"
    )
    print(f"{sum(each.verified for each in trials):,} resources verified after the rounds")
    print(f"{slowest:.1f} s for the slowest start")
    for outcome, count in sorted(counted.items()):
        print(f"  {outcome}: {count:,}")
    print("no acknowledged write was lost, and none was stored in part")


def leaves(group: BaseExceptionGroup[Violation]) -> list[Violation]:
    """The violations in a group and its subgroups."""
    found: list[Violation] = []
    for each in group.exceptions:
        found += leaves(each) if isinstance(each, BaseExceptionGroup) else [each]
    return found


if __name__ == "__main__":
    sys.exit(main())
