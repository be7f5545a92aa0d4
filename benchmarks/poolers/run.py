"""Requests per second through a pgbouncer in transaction mode, compared with a direct connection.

Two services of one process each use the same database, one of them through pgbouncer. Both are
measured in turn, round after round, since the speed of a machine changes with time.
"""

import argparse
import statistics
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks import command, services
from benchmarks.content import Content, Shape, fill, tidy
from benchmarks.databases import PostgreSQLDatabase, running_postgresql
from benchmarks.services import Failed, Service
from benchmarks.tables import print_table
from benchmarks.wrk import load, write_targets
from scripts.support.pgbouncer import PGBOUNCER, Pgbouncer, running_pgbouncer

OPERATIONS = ("get one", "list 50", "create", "patch", "mix")
SHAPE = Shape(users=20, empty=200)


@dataclass(frozen=True, slots=True)
class Round:
    """One round of one operation: requests per second, and microseconds of a core for each."""

    direct: float
    pooled: float
    of_direct: float
    of_pooled: float
    of_pgbouncer: float
    """What pgbouncer itself takes for each."""

    @property
    def ratio(self) -> float:
        return self.pooled / self.direct


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="of each operation")
    parser.add_argument("--seconds", type=int, default=3, help="per round")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures to this file")
    arguments = parser.parse_args()
    return command.run(lambda folder: measure(folder, arguments), arguments.json)


async def measure(folder: Path, arguments: argparse.Namespace) -> dict[str, Any]:
    """Raises: Failed."""
    if PGBOUNCER is None:
        raise Failed("pgbouncer is missing: apt-get install pgbouncer")
    with running_postgresql(folder) as server:
        database = await server.database("bench")
        content = await fill(database, SHAPE)
        async with (
            running_pgbouncer(database.address) as pgbouncer,
            services.symphony(database.address, folder, name="direct") as direct,
            services.symphony(
                pgbouncer.url("bench"), folder, name="pooled", DATABASE_POOLER="transaction"
            ) as pooled,
        ):
            found = await _compare(direct, pooled, pgbouncer, database, content, folder, arguments)
    rows = [(operation, *_figures(rounds)) for operation, rounds in found.items()]
    head = ("", "direct", "pooled", "ratio", "min", "max", "µs each, direct", "pooled", "pgbouncer")
    print_table("requests/s of one process; medians of the rounds", head, rows)
    return {"rounds": {each: [asdict(one) for one in rounds] for each, rounds in found.items()}}


async def _compare(
    direct: Service,
    pooled: Service,
    pgbouncer: Pgbouncer,
    database: PostgreSQLDatabase,
    content: Content,
    folder: Path,
    arguments: argparse.Namespace,
) -> dict[str, list[Round]]:
    targets = folder / "targets.lua"
    write_targets(targets, content)
    found: dict[str, list[Round]] = {}
    for operation in OPERATIONS:
        for each in (direct, pooled):
            await load(each, operation, 1, targets)  # not counted
        rounds = found.setdefault(operation, [])
        for _ in range(arguments.rounds):
            await tidy(database)
            first = await load(direct, operation, arguments.seconds, targets)
            await tidy(database)
            used = pgbouncer.processor_seconds()
            second = await load(pooled, operation, arguments.seconds, targets)
            between = (pgbouncer.processor_seconds() - used) / (second.rate * arguments.seconds)
            rounds.append(
                Round(first.rate, second.rate, first.processor, second.processor, between * 1e6)
            )
    return found


def _figures(rounds: list[Round]) -> tuple[str, ...]:
    ratios = [each.ratio for each in rounds]
    return (
        f"{statistics.median(each.direct for each in rounds):,.0f}",
        f"{statistics.median(each.pooled for each in rounds):,.0f}",
        *(f"{figure:.2f}" for figure in (statistics.median(ratios), min(ratios), max(ratios))),
        f"{statistics.median(each.of_direct for each in rounds):,.0f}",
        f"{statistics.median(each.of_pooled for each in rounds):,.0f}",
        f"{statistics.median(each.of_pgbouncer for each in rounds):,.0f}",
    )


if __name__ == "__main__":
    sys.exit(main())
