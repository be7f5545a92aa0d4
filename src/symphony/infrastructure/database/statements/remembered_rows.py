"""Rows whose values are kept in memory, and read again only when a row differs.

The board reads thousands of rows with each request, of which hardly one has changed. Whole rows are
compared, as the driver returns them: whatever process has written to the database, a value belongs
to the row that is there now.
"""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

from symphony.infrastructure.database.sqlalchemy_internals import Rows

_OBJECTS = 1_024  # bytes of the objects of a row and its value, beside the texts
_T = TypeVar("_T")


class RememberedRows(Generic[_T]):
    """The values of those rows that were asked for last, by the first columns of the rows."""

    def __init__(self, read: Callable[[Sequence[Any]], _T], max_bytes: int) -> None:
        """`read` makes a value of a converted row; it must not change later."""
        self._read = read
        self._max_bytes = max_bytes
        self._kept = OrderedDict[Any, tuple[tuple[Any, ...], _T, int]]()
        self._bytes = 0

    def values(self, rows: Rows, convert: Callable[[Rows], Rows]) -> list[_T]:
        """Return the values of rows, in their order; `convert` converts those that differ."""
        kept = self._kept
        found = dict[int, _T]()
        new = list[tuple[int, tuple[Any, ...]]]()
        for number, driver_row in enumerate(rows):
            row = tuple(driver_row)
            known = kept.get(row[0])
            if known is None or known[0] != row:
                new.append((number, row))
            else:
                kept.move_to_end(row[0])
                found[number] = known[1]
        converted = convert([row for _, row in new])
        for (number, row), each in zip(new, converted, strict=True):
            found[number] = value = self._read(each)
            self._keep(row, value)
        return [found[number] for number in range(len(rows))]

    def _keep(self, row: tuple[Any, ...], value: _T) -> None:
        before = self._kept.pop(row[0], None)
        self._bytes -= 0 if before is None else before[2]
        # The texts of a JSON document are in the row, and in the value.
        size = _OBJECTS + 2 * sum(len(each) for each in row if isinstance(each, str))
        self._kept[row[0]] = (row, value, size)
        self._bytes += size
        while self._bytes > self._max_bytes:
            _, (_, _, size) = self._kept.popitem(last=False)
            self._bytes -= size
