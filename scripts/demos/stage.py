"""The narrator of the demos: says what happens, shows what comes of it, checks that it is so."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable, Coroutine, Generator, Iterable, Sequence
from contextlib import contextmanager
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table

from symphony.domain.errors import DomainError

WIDTH = 100


class NotSo(Exception):
    """A demo has shown something that is not as it says."""


class Stage:
    """Where one demo is told."""

    def __init__(self) -> None:
        self.held = 0
        self._steps = 0
        self._console = Console(highlight=False, markup=False, emoji=False)
        if not self._console.is_terminal or self._console.width > WIDTH:
            self._console.width = WIDTH

    def title(self, words: str) -> None:
        self._console.print(Panel(words, style="bold cyan"))

    def step(self, words: str) -> None:
        """Begins another part of the story."""
        self._steps += 1
        self._console.print(f"\n{self._steps}. {words}", style="bold")

    def show(self, *columns: str, rows: Iterable[Sequence[object]]) -> None:
        """Shows a table."""
        table = Table(*columns, box=SIMPLE_HEAD, header_style="dim", pad_edge=False)
        for row in rows:
            table.add_row(*map(str, row))
        self._print(table)

    def expect(self, what: str, condition: object, seen: str = "") -> None:
        """Goes on when it is so; `seen` is shown below it, also when it is not. Raises: NotSo."""
        self._print(f"{'✓' if condition else '✗'} {what}", "green" if condition else "bold red")
        if seen:
            self._print(seen, "dim", indent=5)
        if not condition:
            raise NotSo(what)
        self.held += 1

    @contextmanager
    def expect_refusal(self, what: str, kind: type[Exception], saying: str = "") -> Generator[None]:
        """What is tried inside is refused with this kind of error, in these words or slug.

        Raises: NotSo; any other kind of error goes its way.
        """
        refusal = None
        try:
            yield
        except kind as error:
            refusal = _words(error)
        as_said = refusal is not None and saying in refusal
        self.expect(f"refused: {what}", as_said, refusal or "It was done.")

    def close(self, seconds: float) -> None:
        """The last line; `run_all` reads the number out of it."""
        self._console.print(f"\n{self.held} checks held, in {seconds:.1f} s.", style="bold green")

    def _print(self, shown: RenderableType, style: str = "", indent: int = 3) -> None:
        self._console.print(Padding.indent(shown, indent), style=style)


def perform(story: Callable[[Stage], Coroutine[Any, Any, None] | None]) -> None:
    """Tells a demo, whose title is its file's docstring; exit 1 when something is not so."""
    for name in [name for name in os.environ if name.startswith("SYMPHONY_")]:
        del os.environ[name]  # what somebody has set must not decide how demos end
    # Told to stop, a demo closes what it has opened, just as after Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    stage = Stage()
    stage.title((sys.modules[story.__module__].__doc__ or "").strip())
    begun = time.perf_counter()
    try:
        telling = story(stage)
        if telling is not None:
            asyncio.run(telling)
    except NotSo as error:
        sys.exit(f"\nThis demo shows something that is not so: {error}")
    stage.close(time.perf_counter() - begun)


def _words(error: Exception) -> str:
    """The first line of an error, and the slug of ours."""
    slug = f"{error.slug}: " if isinstance(error, DomainError) else ""
    return slug + (str(error).partition("\n")[0] or type(error).__name__)
