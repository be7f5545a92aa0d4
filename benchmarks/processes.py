"""Requests per second of two processes of Symphony compared with one, on PostgreSQL.

A machine with few cores cannot show it: the load generator and PostgreSQL need some of them. So
each process of the service gets a share of a core, with a control group (cgroups(7)) of its own,
which leaves the rest to the others. Both services are measured in turn, round after round. That
needs Linux and the right to create control groups, as root has it.
"""

import argparse
import os
import statistics
import sys
from collections.abc import Generator, Iterable
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks import command, services
from benchmarks.content import Content, Shape, fill, tidy
from benchmarks.databases import PostgreSQLDatabase, running_postgresql
from benchmarks.services import Failed, Service
from benchmarks.tables import print_table
from benchmarks.wrk import load, write_targets

OPERATIONS = ("get one", "list 50", "create", "patch", "mix")
SHAPE = Shape(users=20, empty=200)
_MOUNT = Path("/sys/fs/cgroup")
_PERIOD = 100_000  # microseconds; in shorter ones the processor's caches are cold more often


@dataclass(frozen=True, slots=True)
class Round:
    """One round of one operation: requests per second, and microseconds of a core for each."""

    one: float
    two: float
    of_one: float
    of_two: float

    @property
    def ratio(self) -> float:
        return self.two / self.one


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--share", type=float, default=0.25, help="of a core, for each process")
    parser.add_argument("--rounds", type=int, default=5, help="of each operation")
    parser.add_argument("--seconds", type=int, default=4, help="per round")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures to this file")
    arguments = parser.parse_args()
    return command.run(lambda folder: measure(folder, arguments), arguments.json)


async def measure(folder: Path, arguments: argparse.Namespace) -> dict[str, Any]:
    """Raises: Failed."""
    with running_postgresql(folder) as server:
        database = await server.database("bench")
        content = await fill(database, SHAPE)
        async with (
            services.symphony(database.address, folder, name="one process") as one,
            services.symphony(database.address, folder, name="two processes", workers=2) as two,
        ):
            pids = [each.pid for service in (one, two) for each in service.processes()]
            with limited(pids, arguments.share):
                found = await _compare(one, two, database, content, folder, arguments)
    rows = [(operation, *_figures(rounds)) for operation, rounds in found.items()]
    head = ("", "1 process", "2 processes", "ratio", "min", "max", "µs each, 1", "µs each, 2")
    title = f"requests/s, each process with {arguments.share:g} of a core; medians of the rounds"
    print_table(title, head, rows)
    return {
        "share": arguments.share,
        "rounds": {each: [asdict(one) for one in rounds] for each, rounds in found.items()},
    }


async def _compare(
    one: Service,
    two: Service,
    database: PostgreSQLDatabase,
    content: Content,
    folder: Path,
    arguments: argparse.Namespace,
) -> dict[str, list[Round]]:
    targets = folder / "targets.lua"
    write_targets(targets, content)
    found: dict[str, list[Round]] = {}
    for operation in OPERATIONS:
        for each in (one, two):
            await load(each, operation, 1, targets)  # not counted
        rounds = found.setdefault(operation, [])
        for _ in range(arguments.rounds):
            await tidy(database)
            first = await load(one, operation, arguments.seconds, targets)
            await tidy(database)
            second = await load(two, operation, arguments.seconds, targets)
            rounds.append(Round(first.rate, second.rate, first.processor, second.processor))
    return found


def _figures(rounds: list[Round]) -> tuple[str, ...]:
    ratios = [each.ratio for each in rounds]
    return (
        f"{statistics.median(each.one for each in rounds):,.0f}",
        f"{statistics.median(each.two for each in rounds):,.0f}",
        *(f"{figure:.2f}" for figure in (statistics.median(ratios), min(ratios), max(ratios))),
        f"{statistics.median(each.of_one for each in rounds):,.0f}",
        f"{statistics.median(each.of_two for each in rounds):,.0f}",
    )


@contextmanager
def limited(processes: Iterable[int], share: float) -> Generator[None]:
    """Give each process a share of a core, until the block ends. Raises: Failed."""
    with ExitStack() as stack:
        for pid in processes:
            stack.enter_context(_limited(pid, share))
        yield


@contextmanager
def _limited(pid: int, share: float) -> Generator[None]:
    """A control group with one process, until the block ends. Raises: Failed."""
    top, quota = _MOUNT, f"{share * _PERIOD:.0f}"
    settings = {"cpu.max": f"{quota} {_PERIOD}"}
    if (_MOUNT / "cpu").is_dir():  # version 1
        top = _MOUNT / "cpu"
        settings = {"cpu.cfs_period_us": str(_PERIOD), "cpu.cfs_quota_us": quota}
    group = top / f"symphony-bench-{os.getpid()}-{pid}"
    try:
        group.mkdir()
        try:
            for name, value in settings.items():
                (group / name).write_text(value)
            (group / "cgroup.procs").write_text(str(pid))
            yield
        finally:
            (top / "cgroup.procs").write_text(str(pid))
            group.rmdir()
    except OSError as error:
        raise Failed(f"no control group can limit the processor time: {error}") from error


if __name__ == "__main__":
    sys.exit(main())
