"""Output for people and for pipes: aligned columns, times and counts."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import typer

from symphony.console.streams import StreamFailed, printable

_GAP = "  "


def print_result(text: str) -> None:
    """Print the result of a command that has changed something. Raises: StreamFailed."""
    try:
        typer.echo(text)
    except StreamFailed as error:
        raise StreamFailed(f"{error} The command itself was completed.") from None


class Table:
    """Lines with aligned columns below a header.

    Long lists come in parts, so a column becomes wider when a later part needs it. Only the last
    column may contain spaces: `awk` and `cut` find the others by their number.
    """

    def __init__(self, *header: str) -> None:
        self._widths = [0] * len(header)
        self._header: Sequence[str] | None = header

    def lines(self, rows: Iterable[Sequence[str]]) -> str:
        """Return the lines of the next part of a list; the first part begins with the header."""
        part = [*([self._header] if self._header else []), *rows]
        self._header = None
        for row in part:
            self._widths = [max(*each) for each in zip(self._widths, map(len, row), strict=True)]
        return "\n".join(self._line(row) for row in part)

    def _line(self, row: Sequence[str]) -> str:
        cells = zip(row, self._widths, strict=True)
        return _GAP.join(f"{printable(cell):<{width}}" for cell, width in cells).rstrip()


def timestamp(moment: datetime | None, *, missing: str = "never") -> str:
    """Return a time in UTC, exact to the minute."""
    return missing if moment is None else f"{moment.astimezone(UTC):%Y-%m-%dT%H:%MZ}"


def counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")
