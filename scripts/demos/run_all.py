"""Runs every demo, says how each ended, and checks that none leaves anything behind."""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

HERE = Path(__file__).parent
TIME_LIMIT = 90  # seconds for one demo; each takes a few
_HELD = re.compile(r"^(\d+) checks held", re.MULTILINE)
_STOPPED = 124  # what `timeout` says as well


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one demo ended."""

    name: str
    status: int
    seconds: float
    output: str
    left_behind: tuple[str, ...]

    @property
    def checks(self) -> int:
        held = _HELD.search(self.output)
        return int(held[1]) if held else 0

    @property
    def reason(self) -> str:
        """Why it failed; nothing when it has not."""
        if self.status == _STOPPED:
            return f"not finished after {TIME_LIMIT} s"
        if self.status:
            return f"exit code {self.status}"
        if not self.checks:
            return "nothing was checked"
        if self.left_behind:
            return f"left behind: {', '.join(self.left_behind)}"
        return ""


def demos() -> list[Path]:
    """All demos, by name."""
    return sorted(HERE.glob("demo_*.py"))


def run(demo: Path) -> Outcome:
    """Runs one demo in an empty place: home, working folder and temporary folder in one."""
    begun = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="symphony-") as place, tempfile.TemporaryFile() as told:
        everywhere = dict.fromkeys(("HOME", "XDG_DATA_HOME", "TMPDIR"), place)
        process = subprocess.Popen(  # noqa: S603 - our own programs
            [sys.executable, demo],
            cwd=place,
            env=os.environ | everywhere | {"PYTHONUTF8": "1"},
            stdin=subprocess.DEVNULL,
            stdout=told,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # so that whatever it has started can be ended with it
        )
        try:
            status = process.wait(TIME_LIMIT)
        except subprocess.TimeoutExpired:
            status = _STOPPED
        finally:
            survivors = ["a process"] if _end(process) else []
        files = [str(each.relative_to(place)) for each in Path(place).rglob("*")]
        told.seek(0)
        output = told.read().decode()
    seconds = time.perf_counter() - begun
    return Outcome(demo.stem, status, seconds, output, tuple(files + survivors))


def _end(process: subprocess.Popen[bytes]) -> bool:
    """Ends what is left of a demo and of what it has started; whether there was any such thing."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    process.wait()
    return True


def main() -> int:
    # Told to stop, it ends the demo that is running, just as after Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    console = Console(highlight=False, markup=False, emoji=False)
    outcomes: list[Outcome] = []
    for demo in demos():
        outcome = run(demo)
        outcomes.append(outcome)
        mark, style = ("✗", "bold red") if outcome.reason else ("✓", "green")
        console.print(f"{mark} {outcome.name} {outcome.reason}".rstrip(), style=style)
        if outcome.reason:
            print(outcome.output)
    table = Table("demo", "checks", "seconds", box=SIMPLE_HEAD, header_style="dim")
    for each in outcomes:
        table.add_row(
            each.name, "failed" if each.reason else str(each.checks), f"{each.seconds:.1f}"
        )
    table.add_section()
    checks, seconds = sum(e.checks for e in outcomes), sum(e.seconds for e in outcomes)
    table.add_row(f"{len(outcomes)} demos", str(checks), f"{seconds:.1f}")
    console.print(table)
    return any(each.reason for each in outcomes)


if __name__ == "__main__":
    sys.exit(main())
