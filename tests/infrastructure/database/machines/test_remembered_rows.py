"""Which values of rows are kept in memory, and which are read again."""

from collections.abc import Sequence
from typing import Any

from symphony.infrastructure.database.sqlalchemy_internals import Rows
from symphony.infrastructure.database.statements.remembered_rows import RememberedRows


class Reading:
    """Rows of an id and a text, with the rows that were converted."""

    def __init__(self, max_bytes: int = 1 << 20) -> None:
        self.remembered = RememberedRows(self._read, max_bytes)
        self.converted = list[Any]()

    def values(self, *rows: Sequence[Any]) -> list[str]:
        return self.remembered.values(rows, self._convert)

    def _convert(self, rows: Rows) -> Rows:
        self.converted = [row[0] for row in rows]
        return [[row[0], f"{row[1]}!"] for row in rows]

    @staticmethod
    def _read(row: Sequence[Any]) -> str:
        return f"{row[0]} {row[1]}"


def test_only_rows_that_differ_are_read_again_in_whatever_order_they_come() -> None:
    reading = Reading()
    assert reading.values((1, "a"), (2, "b"), (3, "c")) == ["1 a!", "2 b!", "3 c!"]
    assert reading.values([3, "c"], [2, "other"], [4, "d"], [1, "a"]) == [
        *("3 c!", "2 other!", "4 d!", "1 a!")
    ]
    assert reading.converted == [2, 4]
    assert reading.values((2, "b")) == ["2 b!"]
    assert reading.values() == []


def test_rows_that_were_not_asked_for_longest_are_forgotten_first() -> None:
    reading = Reading(max_bytes=20_000)
    large = "x" * 2_000
    for number in (1, 2, 3):
        reading.values((number, large))
    reading.values((1, large))
    assert reading.converted == []
    reading.values((4, large))
    reading.values((1, large), (3, large), (4, large))
    assert reading.converted == []
    reading.values((2, large))
    assert reading.converted == [2]


def test_more_rows_than_are_kept_are_all_read() -> None:
    reading = Reading(max_bytes=5_000)
    rows = [(number, "x" * 100) for number in range(100)]
    assert reading.values(*rows) == reading.values(*rows)
    assert len(reading.converted) > 90
    assert reading.values((1, "x" * 9_000)) == [f"1 {'x' * 9_000}!"]  # not kept at all
    assert reading.values((1, "")) == ["1 !"]
