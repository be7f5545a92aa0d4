"""Requests per second of Symphony, of a handwritten and of a textbook service.

The handwritten service does the same work with Starlette and the database driver alone, so it is
about the upper bound of what is possible; the textbook service is written as in the tutorials of
FastAPI and SQLAlchemy. All three have the same rows, accept the same token and give the same
answers, which is checked first. They are measured in turn, round after round, so that other work
on the machine slows all of them alike. A single wrong answer fails the run.
"""

import argparse
import os
import platform
import statistics
import sys
import time
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from benchmarks import command, services
from benchmarks.comparison import require_same_answers
from benchmarks.content import Content, Shape, fill, tidy
from benchmarks.databases import Database, running_postgresql, sqlite_database
from benchmarks.services import Service
from benchmarks.tables import print_table
from benchmarks.wrk import CONNECTIONS, Measured, load, write_targets

OPERATIONS = ("get one", "list 50", "create", "patch", "mix")
CREATING = {"create", "mix"}
NAMES = ("handwritten", "Symphony", "textbook")
SHAPE = Shape(users=20, empty=200)


@dataclass(frozen=True, slots=True)
class Effort:
    """How long and how often to measure."""

    rounds: int = 5
    seconds: int = 4
    """Per round."""
    warm_up: int = 1
    """Seconds of load before the first round, which are not counted."""
    starts: int = 5
    processes: tuple[int, ...] = (1, 2)
    """Numbers of processes on PostgreSQL; on SQLite it is always one."""
    operations: tuple[str, ...] = OPERATIONS

    def reduced(self) -> "Effort":
        """For the secondary figures."""
        return replace(self, rounds=min(self.rounds, 3), seconds=min(self.seconds, 2))


FULL = Effort()
QUICK = Effort(
    rounds=1, seconds=1, warm_up=0, starts=1, processes=(1,), operations=("get one", "mix")
)


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of one database and one number of processes."""

    database: str
    processes: int
    operations: dict[str, dict[str, list[Measured]]] = field(
        default_factory=dict[str, dict[str, list[Measured]]]
    )
    """By operation and service, one entry per round."""
    memory: dict[str, float] = field(default_factory=dict[str, float])
    """Megabytes of each process, by service, after the load."""

    @property
    def title(self) -> str:
        processes = "1 process" if self.processes == 1 else f"{self.processes} processes"
        return f"{self.database}, {processes}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=FULL.rounds, help="per service and operation")
    parser.add_argument("--seconds", type=int, default=FULL.seconds, help="per round")
    parser.add_argument("--quick", action="store_true", help="one short round: a trial run")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures to this file")
    arguments = parser.parse_args()
    effort = QUICK if arguments.quick else Effort(arguments.rounds, arguments.seconds)
    return command.run(lambda folder: measure_all(folder, effort), arguments.json)


async def measure_all(folder: Path, effort: Effort) -> dict[str, Any]:
    """Raises: Failed."""
    start = time.monotonic()
    generator = await measure_generator(folder, effort.reduced())
    with running_postgresql(folder) as server:
        on_postgresql = await server.database("bench")
        on_sqlite = await sqlite_database(folder / "bench.sqlite3")
        all_figures: list[Figures] = []
        wanted = [(on_postgresql, each) for each in effort.processes]
        for database, processes in [*wanted, (on_sqlite, 1)]:
            content = await refill(database)
            figures = Figures(database.kind, processes)
            main = database is on_postgresql and processes == 1
            wanted_here = effort if main else effort.reduced()
            await measure(figures, database, content, folder, wanted_here)
            report(figures)
            all_figures.append(figures)
        starts = {
            database.kind: await measure_start(database, folder, effort.starts)
            for database in (on_postgresql, on_sqlite)
        }
    print(f"\n{time.monotonic() - start:.0f} s in all; {CONNECTIONS} connections")
    return {
        "machine": {
            "processors": os.cpu_count(),
            "architecture": platform.machine(),
            "python": platform.python_version(),
        },
        "effort": asdict(effort),
        "connections": CONNECTIONS,
        "generator": asdict(generator),
        "seconds_to_ready": starts,
        "figures": [asdict(each) for each in all_figures],
    }


async def measure_generator(folder: Path, effort: Effort) -> Measured:
    """Measure an endpoint that does nothing: the upper limit of the generator itself."""
    targets = folder / "constant.lua"
    targets.write_text('return {token = ""}\n')
    async with services.by_uvicorn(
        "constant", "constant_answer", "", folder, "--no-access-log"
    ) as service:
        measured = await load(service, "constant", effort.seconds, targets)
    print(
        f"the load generator reaches {measured.rate:,.0f} requests/s"
        " at an endpoint that does nothing"
    )
    return measured


async def refill(database: Database) -> Content:
    await database.execute("DELETE FROM user_profiles")  # which deletes all other rows with them
    return await fill(database, SHAPE)


async def measure(
    figures: Figures, database: Database, content: Content, folder: Path, effort: Effort
) -> None:
    """Measure all operations on all services. Raises: Failed."""
    targets = folder / "targets.lua"
    write_targets(targets, content)
    async with running(database, folder, figures.processes) as all_services:
        await require_same_answers(all_services, content, database)
        for operation in effort.operations:
            seen: dict[str, list[Measured]] = {each.name: [] for each in all_services}
            for service in all_services if effort.warm_up else ():
                await load(service, operation, effort.warm_up, targets)
            for _ in range(effort.rounds):
                for service in all_services:
                    if operation in CREATING:
                        await tidy(database)
                    seen[service.name].append(
                        await load(service, operation, effort.seconds, targets)
                    )
            await tidy(database)
            figures.operations[operation] = seen
        figures.memory.update((each.name, each.memory()) for each in all_services)


@asynccontextmanager
async def running(database: Database, folder: Path, workers: int) -> AsyncGenerator[list[Service]]:
    """The handwritten service, Symphony and the textbook service, all ready."""
    async with AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(start(database.address, folder, workers=workers))
            for start in (services.handwritten, services.symphony, services.textbook)
        ]


async def measure_start(database: Database, folder: Path, times: int) -> float:
    """The median seconds from the command to the first answer that Symphony is ready."""
    seconds: list[float] = []
    for _ in range(times):
        async with services.symphony(database.address, folder) as service:
            seconds.append(service.seconds_to_start)
    median = statistics.median(seconds)
    print(f"\n{median:.2f} s from `symphony serve` to ready on {database.kind}")
    return median


def report(figures: Figures) -> None:
    head = ("", *NAMES, "/handwritten", "/textbook", "ms", "p99", "CPU µs")
    rows: list[tuple[str, ...]] = []
    for operation, by_service in figures.operations.items():
        rates = {name: [each.rate for each in rounds] for name, rounds in by_service.items()}
        medians = {name: statistics.median(each) for name, each in rates.items()}
        own = by_service["Symphony"]
        used = {
            name: statistics.median(each.processor for each in rounds)
            for name, rounds in by_service.items()
        }
        rows.append(
            (
                operation,
                *(
                    f"{medians[name]:,.0f} ({min(each):,.0f}-{max(each):,.0f})"
                    for name, each in rates.items()
                ),
                f"{medians['Symphony'] / medians['handwritten']:.2f}",
                f"{medians['Symphony'] / medians['textbook']:.2f}",
                f"{statistics.median(each.median for each in own):.1f}",
                f"{statistics.median(each.p99 for each in own):.1f}",
                " / ".join(f"{each:.0f}" for each in used.values()),
            )
        )
    print_table(f"{figures.title}: requests/s, median (min-max) of the rounds", head, rows)
    memory = ", ".join(f"{name} {size:.0f}" for name, size in figures.memory.items())
    print(f"\nMB per process: {memory}")


if __name__ == "__main__":
    sys.exit(main())
