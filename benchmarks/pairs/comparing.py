"""Two ways to run Symphony, measured in turn, round after round, for all operations."""

import argparse
import statistics
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.content import Content, Shape, tidy
from benchmarks.databases import PostgreSQLDatabase
from benchmarks.services import Service
from benchmarks.wrk import Measured, load, write_targets

OPERATIONS = ("get one", "list 50", "create", "patch", "mix")
SHAPE = Shape(users=20, empty=200)
Rounds = dict[str, list["Round"]]


@dataclass(frozen=True, slots=True)
class Round:
    """One round of one operation."""

    one: Measured
    other: Measured
    beside: float
    """Microseconds of a core for each request of the other way, of a program between the two."""

    @property
    def ratio(self) -> float:
        return self.other.rate / self.one.rate


def arguments_of(description: str | None) -> argparse.ArgumentParser:
    """Return the options that all such benchmarks have."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--rounds", type=int, default=5, help="of each operation")
    parser.add_argument("--seconds", type=int, default=4, help="per round")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures to this file")
    return parser


async def compare(
    one: Service,
    other: Service,
    database: PostgreSQLDatabase,
    content: Content,
    folder: Path,
    arguments: argparse.Namespace,
    seconds_beside: Callable[[], float] = lambda: 0.0,
) -> Rounds:
    """Measure both; `seconds_beside` is the processor time of a program between. Raises: Failed."""
    targets = folder / "targets.lua"
    write_targets(targets, content)
    found: Rounds = {}
    for operation in OPERATIONS:
        for each in (one, other):
            await load(each, operation, 1, targets)  # not counted
        rounds = found.setdefault(operation, [])
        for _ in range(arguments.rounds):
            await tidy(database)
            first = await load(one, operation, arguments.seconds, targets)
            await tidy(database)
            used = seconds_beside()
            second = await load(other, operation, arguments.seconds, targets)
            beside = (seconds_beside() - used) / (second.rate * arguments.seconds)
            rounds.append(Round(first, second, beside * 1e6))
    return found


def figures(rounds: list[Round]) -> tuple[str, ...]:
    """Return both rates, their ratio with its lowest and highest, and both processor times."""
    ratios = [each.ratio for each in rounds]
    return (
        f"{statistics.median(each.one.rate for each in rounds):,.0f}",
        f"{statistics.median(each.other.rate for each in rounds):,.0f}",
        *(f"{figure:.2f}" for figure in (statistics.median(ratios), min(ratios), max(ratios))),
        f"{statistics.median(each.one.processor for each in rounds):,.0f}",
        f"{statistics.median(each.other.processor for each in rounds):,.0f}",
    )


def as_json(found: Rounds) -> dict[str, Any]:
    return {operation: [asdict(each) for each in rounds] for operation, rounds in found.items()}
