"""Run every demo, report how each went, and check that none leaves anything behind.

By default the demos are shown in full; `--quiet` prints a line for each, and the output of those
that fail.
"""

import argparse
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

HERE = Path(__file__).parents[1]
TOP = HERE.parents[1]
# What a new user wants to know comes first, the layers inside the service last.
ORDER = (
    *(
        "api",
        "attention",
        "disposal",
        "repos",
        "discovery",
        "vaults",
        "tokens",
        "machines",
        "page",
        "safe_changes",
    ),
    *("errors", "wire", "repo_safety", "closed_doors", "docs", "failures", "hosts", "running"),
    *("accounts", "config", "domain_models", "database", "repositories", "domain_services"),
    "application_layer",
)
TIME_LIMIT = 90  # seconds for one demo; each takes a few
_PASSED = re.compile(r"^(\d+) checks? passed", re.MULTILINE)
_COLORS = re.compile(r"\x1b\[[\d;]*m")
_TIMED_OUT = 124  # the exit status that `timeout` uses too


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one demo went."""

    name: str
    status: int
    seconds: float
    output: str
    left_behind: tuple[str, ...]

    @property
    def checks(self) -> int:
        passed = _PASSED.search(_COLORS.sub("", self.output))
        return int(passed[1]) if passed else 0

    @property
    def failure(self) -> str:
        """Why it failed; empty when it has not."""
        if self.status == _TIMED_OUT:
            return f"not finished after {TIME_LIMIT} s"
        if self.status:
            return f"exit code {self.status}"
        if not self.checks:
            return "nothing was checked"
        if self.left_behind:
            return f"left behind: {', '.join(self.left_behind)}"
        return ""


def demos() -> list[Path]:
    """All demos, in the order in which they are shown.

    Raises: ValueError for a demo that is missing in `ORDER`.
    """
    found = [*HERE.glob("demo_*.py"), *HERE.glob("layers/demo_*.py")]
    return sorted(found, key=lambda demo: ORDER.index(_feature(demo)))


def run(demo: Path, show: Callable[[str], object] = len, **variables: str) -> Outcome:
    """Run a demo whose home, working and temporary directory is an empty one.

    `show` is called with each line of its output.
    """
    start = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="symphony-") as place:
        everywhere = dict.fromkeys(("HOME", "XDG_DATA_HOME", "TMPDIR"), place)
        process = subprocess.Popen(  # noqa: S603 - our own programs
            [sys.executable, demo],
            cwd=place,
            env=os.environ
            | everywhere
            | {"PYTHONUTF8": "1", "PYTHONUNBUFFERED": "1", "PYTHONPATH": str(TOP)}
            | variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,  # so that all processes it has started can be killed with it
        )
        assert process.stdout is not None
        lines = list[str]()
        reader = threading.Thread(target=_read, args=(process.stdout, lines, show))
        reader.start()
        try:
            status = process.wait(TIME_LIMIT)
        except subprocess.TimeoutExpired:
            status = _TIMED_OUT
        finally:
            survivors = ["a process"] if _kill(process) else []
            reader.join()
            process.stdout.close()
        files = [str(each.relative_to(place)) for each in Path(place).rglob("*")]
    seconds = time.perf_counter() - start
    return Outcome(demo.stem, status, seconds, "".join(lines), tuple(files + survivors))


def _read(stream: IO[str], lines: list[str], show: Callable[[str], object]) -> None:
    for line in stream:
        lines.append(line)
        show(line)


def _kill(process: subprocess.Popen[str]) -> bool:
    """Kill what is left of a demo and of its children; whether anything was left."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    process.wait()
    return True


def _feature(demo: Path) -> str:
    return demo.stem.removeprefix("demo_")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quiet", action="store_true", help="one line for each demo")
    is_quiet = parser.parse_args().quiet
    # SIGTERM stops the demo that is running, as Ctrl-C does.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    console = Console(highlight=False, markup=False, emoji=False)
    variables = {"COLUMNS": str(console.width)}
    if console.is_terminal and not is_quiet:
        variables["FORCE_COLOR"] = "1"
    outcomes = list[Outcome]()
    for demo in demos():
        outcome = run(demo, len if is_quiet else _print, **variables)
        outcomes.append(outcome)
        mark, style = ("✗", "bold red") if outcome.failure else ("✓", "green")
        if is_quiet or outcome.failure:
            console.print(f"{mark} {outcome.name} {outcome.failure}".rstrip(), style=style)
        if is_quiet and outcome.failure:
            print(outcome.output)
        if not is_quiet:
            print()
    console.print(_summary(outcomes))
    return any(each.failure for each in outcomes)


def _print(line: str) -> None:
    print(line, end="", flush=True)


def _summary(outcomes: list[Outcome]) -> Table:
    table = Table("demo", "checks", "seconds", box=SIMPLE_HEAD, header_style="dim")
    for each in outcomes:
        table.add_row(
            each.name, "failed" if each.failure else str(each.checks), f"{each.seconds:.1f}"
        )
    table.add_section()
    checks, seconds = sum(e.checks for e in outcomes), sum(e.seconds for e in outcomes)
    number = f"{len(outcomes)} demo{'s' if len(outcomes) != 1 else ''}"
    table.add_row(number, str(checks), f"{seconds:.1f}")
    return table


if __name__ == "__main__":
    sys.exit(main())
