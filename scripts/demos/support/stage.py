"""The narrator of the demos: prints what is sent, what is returned and why, and checks it."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable, Coroutine, Generator, Iterable, Sequence
from contextlib import contextmanager
from textwrap import wrap
from typing import Any, cast

import httpx
from rich.box import SIMPLE_HEAD
from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text
from sqlalchemy.exc import DBAPIError

from scripts.demos.support.exchange import exchange
from scripts.demos.support.json_text import json_text
from symphony.domain.errors import DomainError

WIDTH = 80
INDENT = 3
BODY_INDENT = 5


class CheckFailed(Exception):
    """A demo shows something other than what it says."""


class Stage:
    """The output of one demo, and the count of its checks."""

    def __init__(self) -> None:
        self.checks = 0
        self._steps = 0
        self._has_gap = False
        self._console = Console(highlight=False, markup=False, emoji=False)
        if not self._console.is_terminal or self._console.width > WIDTH:
            self._console.width = WIDTH

    def title(self, words: str) -> None:
        self._console.print(Panel(words, style="bold cyan"))

    def step(self, headline: str) -> None:
        """Start the next numbered part of the demo."""
        self._steps += 1
        self._gap()
        self._console.print(f"{self._steps}. {headline}", style="bold")
        self._has_gap = False
        self._gap()

    def exchange(self, answer: httpx.Response, *fields: str) -> httpx.Response:
        """Show a request and its answer; of the answer's JSON only these fields, when given."""
        shown = exchange(answer, self._console.width - BODY_INDENT - 2, fields)
        self._gap()
        first, *others = shown.address
        self._print(Text.assemble("→ ", (shown.method, "bold"), " ", (first, "cyan")))
        for line in others:
            self._print(Text(line, "cyan"), indent=BODY_INDENT + len(shown.method) + 1)
        self._lines(shown.sent)
        style = "red" if answer.is_error else "green"
        self._print(Text.assemble("← ", (shown.status, f"bold {style}")))
        self._lines(shown.returned)
        self._gap()
        return answer

    def why(self, words: str) -> None:
        """Say why the last exchange matters."""
        self._gap()
        self._paragraph(f"Why it matters: {words}", "italic")
        self._gap()

    def say(self, words: str) -> None:
        """Print a paragraph."""
        self._gap()
        self._paragraph(words)
        self._gap()

    def run(self, command: str, output: str) -> None:
        """Show a command as typed in a shell, and what it prints."""
        self._gap()
        self._print(Text.assemble("$ ", (command, "bold")))
        self._lines(output.strip().splitlines())
        self._gap()

    def text(self, text: str) -> None:
        """Print lines as they are, such as those of a request."""
        self._gap()
        self._lines(text.splitlines())
        self._gap()

    def json(self, value: object) -> None:
        """Show a value as JSON."""
        self._lines(json_text(value, self._console.width - BODY_INDENT - 2).splitlines())

    def table(self, *columns: str, rows: Iterable[Sequence[object]]) -> None:
        table = Table(*columns, box=SIMPLE_HEAD, header_style="dim", pad_edge=False)
        for row in rows:
            table.add_row(*map(_cell, row))
        self._print(table)
        self._has_gap = True  # the table ends with an empty line of its own

    def expect(self, what: str, condition: object, detail: str = "") -> None:
        """Check a statement; `detail` is printed below it, also when the check fails.

        Raises: CheckFailed.
        """
        self._print(f"{'✓' if condition else '✗'} {what}", "green" if condition else "bold red")
        if detail:
            self._paragraph(detail, "dim", indent=BODY_INDENT)
        if not condition:
            raise CheckFailed(what)
        self.checks += 1

    @contextmanager
    def expect_refusal(self, what: str, kind: type[Exception], saying: str = "") -> Generator[None]:
        """Check that the block raises this kind of error, with these words or this code in it.

        Raises: CheckFailed; an error of another kind is not caught.
        """
        refusal = None
        try:
            yield
        except kind as error:
            refusal = _words(error)
        as_said = refusal is not None and saying in refusal
        self.expect(f"refused: {what}", as_said, refusal or "It was accepted.")

    def close(self, seconds: float) -> None:
        """Print the last line, from which `run_all` reads the number of checks."""
        number = f"{self.checks} check{'s' if self.checks != 1 else ''}"
        self._console.print(f"\n{number} passed in {seconds:.1f} s", style="bold green")

    def _lines(self, lines: Iterable[str]) -> None:
        width = self._console.width - BODY_INDENT
        for line in lines:
            if not line:
                self._console.print()
            hanging = " " * (len(line) - len(line.lstrip()) + 2)
            for part in wrap(
                line,
                width,
                subsequent_indent=hanging,
                drop_whitespace=False,
                break_on_hyphens=False,
            ):
                self._print(Text(part.rstrip()), indent=BODY_INDENT)

    def _print(self, shown: RenderableType, style: str = "", indent: int = INDENT) -> None:
        self._console.print(Padding(shown, (0, 0, 0, indent), expand=False), style=style)
        self._has_gap = False

    def _paragraph(self, words: str, style: str = "", indent: int = INDENT) -> None:
        for line in wrap(words, self._console.width - indent, break_on_hyphens=False):
            self._print(Text(line, style), indent=indent)

    def _gap(self) -> None:
        """Separate what follows by one empty line."""
        if not self._has_gap:
            self._console.print()
            self._has_gap = True


def perform(story: Callable[[Stage], Coroutine[Any, Any, None] | None]) -> None:
    """Run a demo, whose title is its module's docstring; exit with 1 when a check fails."""
    for name in [name for name in os.environ if name.startswith("SYMPHONY_")]:
        del os.environ[name]  # settings of the caller must not decide the result of a demo
    # SIGTERM closes what the demo has opened, as Ctrl-C does.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    stage = Stage()
    stage.title((sys.modules[story.__module__].__doc__ or "").strip())
    start = time.perf_counter()
    try:
        running = story(stage)
        if running is not None:
            asyncio.run(running)
    except CheckFailed as error:
        sys.exit(f"\nA check of this demo failed: {error}")
    stage.close(time.perf_counter() - start)


def _cell(value: object) -> str:
    if value is None:
        return "-"
    is_json = isinstance(value, bool | dict | list)
    return json_text(cast("object", value), WIDTH) if is_json else str(value)


def _words(error: Exception) -> str:
    """The first line of an error or of its docstring, with its code; or what the database says."""
    if isinstance(error, DBAPIError):
        return f"the database reports: {error.orig}"
    code = f"{error.slug}: " if isinstance(error, DomainError) else ""
    text = str(error) or type(error).__doc__ or type(error).__name__
    return code + text.partition("\n")[0]
