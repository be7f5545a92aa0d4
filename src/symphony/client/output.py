"""Output of the client: tables for people, lines for pipes, JSON for programs.

Nothing that a server sends is printed as it is: a name can contain what moves the cursor of a
terminal or reverses its text.
"""

import json
import sys
import threading
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import typer

from symphony.console.streams import printable
from symphony.console.tables import Table

PROGRESS_AFTER = 1.0  # seconds
_LEAST_COLUMN = 8  # characters, the gap included
_CLEAR_LINE = "\r\x1b[K"


@dataclass(frozen=True, slots=True)
class Cell:
    """A text in a table, and its style for terminals: `red`, `yellow`, `dim` or none."""

    text: str
    style: str = ""


@dataclass(slots=True)
class Columns:
    """The rows of a table below its header."""

    header: Sequence[str]
    rows: list[Sequence[Cell]] = field(default_factory=list[Sequence[Cell]])

    def add(self, *cells: str | Cell) -> None:
        self.rows.append([Cell(each) if isinstance(each, str) else each for each in cells])


def print_line(text: str) -> None:
    """Print a line of a result. Raises: StreamFailed."""
    typer.echo(printable(text))


def print_note(text: str) -> None:
    """Print a line for people on standard error, beside the result."""
    typer.echo(printable(text), err=True)


def print_json(value: object) -> None:
    """Print a document for programs, in ASCII: it is the same in every locale and terminal.

    Raises: StreamFailed.
    """
    typer.echo(json.dumps(value, indent=2).replace("\x7f", "\\u007f"))


def is_for_people() -> bool:
    """Whether the result goes to a terminal."""
    return sys.stdout.isatty()


def print_table(columns: Columns) -> None:
    """Print a table: folded to the width of a terminal, or in aligned columns for a pipe.

    On a terminal that is too narrow for the columns, each cell is a line with its header.
    Raises: StreamFailed.
    """
    if is_for_people():
        _print_for_people(columns)
        return
    rows = [[printable(cell.text) or "-" for cell in row] for row in columns.rows]
    typer.echo(Table(*columns.header).lines(rows))


@contextmanager
def progress(text: str) -> Generator[None]:
    """Show on a terminal what a block does, from its second second on."""
    if not sys.stderr.isatty():
        yield
        return
    shown = threading.Event()

    def show() -> None:
        shown.set()
        typer.echo(f"{printable(text)} …", err=True, nl=False)

    timer = threading.Timer(PROGRESS_AFTER, show)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
        if shown.is_set():
            typer.echo(_CLEAR_LINE, err=True, nl=False)


def one_of(parts: Iterable[str]) -> str:
    """Return alternatives for a message: "a", "b" or "c"."""
    *first, last = parts
    return f"{', '.join(first)} or {last}" if first else last


def _print_for_people(columns: Columns) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table as PeopleTable
    from rich.text import Text

    console = Console(file=sys.stdout, highlight=False, markup=False, emoji=False)
    if console.width < _LEAST_COLUMN * len(columns.header):
        for row in columns.rows:
            for name, cell in zip(columns.header, row, strict=True):
                if cell.text:
                    text = Text(f"{name}: ", "bold").append(printable(cell.text), cell.style)
                    console.print(text, overflow="fold")
            console.print()
        return
    table = PeopleTable(box=SIMPLE_HEAD, pad_edge=False, header_style="bold", safe_box=True)
    for name in columns.header:
        table.add_column(Text(name), overflow="fold")
    for row in columns.rows:
        table.add_row(*(Text(printable(cell.text), cell.style) for cell in row))
    console.print(table)
