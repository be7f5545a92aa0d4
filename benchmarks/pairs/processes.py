"""Requests per second of two processes of Symphony compared with one, on PostgreSQL.

A machine with few cores cannot show it: the load generator and PostgreSQL need some of them. So
each process of the service gets a share of a core, with a control group (cgroups(7)) of its own,
which leaves the rest to the others. Both services are measured in turn, round after round. That
needs Linux and the right to create control groups, as root has it.
"""

import argparse
import os
import sys
from collections.abc import Generator, Iterable
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from benchmarks import command, services
from benchmarks.content import fill
from benchmarks.databases import running_postgresql
from benchmarks.pairs.comparing import SHAPE, arguments_of, as_json, compare, figures
from benchmarks.services import Failed
from benchmarks.tables import print_table

_MOUNT = Path("/sys/fs/cgroup")
_PERIOD = 100_000  # microseconds; in shorter ones the processor's caches are cold more often


def main() -> int:
    parser = arguments_of(__doc__)
    parser.add_argument("--share", type=float, default=0.25, help="of a core, for each process")
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
                found = await compare(one, two, database, content, folder, arguments)
    rows = [(operation, *figures(rounds)) for operation, rounds in found.items()]
    head = ("", "1 process", "2 processes", "ratio", "min", "max", "µs each, 1", "µs each, 2")
    title = f"requests/s, each process with {arguments.share:g} of a core; medians of the rounds"
    print_table(title, head, rows)
    return {"share": arguments.share, "rounds": as_json(found)}


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
