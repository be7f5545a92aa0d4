"""Requests per second through a pgbouncer in transaction mode, compared with a direct connection.

Two services of one process each use the same database, one of them through pgbouncer. Both are
measured in turn, round after round, since the speed of a machine changes with time.
"""

import argparse
import statistics
import sys
from pathlib import Path
from typing import Any

from benchmarks import command, services
from benchmarks.content import fill
from benchmarks.databases import running_postgresql
from benchmarks.pairs.comparing import SHAPE, arguments_of, as_json, compare, figures
from benchmarks.services import Failed
from benchmarks.tables import print_table
from scripts.support.pgbouncer import PGBOUNCER, running_pgbouncer


def main() -> int:
    arguments = arguments_of(__doc__).parse_args()
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
            between = pgbouncer.processor_seconds
            found = await compare(
                direct, pooled, database, content, folder, arguments, seconds_beside=between
            )
    rows = [
        (operation, *figures(rounds), f"{statistics.median(each.beside for each in rounds):,.0f}")
        for operation, rounds in found.items()
    ]
    head = ("", "direct", "pooled", "ratio", "min", "max", "µs each, direct", "pooled", "pgbouncer")
    print_table("requests/s of one process; medians of the rounds", head, rows)
    return {"rounds": as_json(found)}


if __name__ == "__main__":
    sys.exit(main())
