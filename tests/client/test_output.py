"""What a server sends never reaches a terminal as it is."""

import json

import pytest

from symphony.client.output import Cell, Columns, one_of, print_json, print_line, print_table

HOSTILE = "\x1b]0;owned\x07\x9b31m\u202eevil\n\x7f"


def test_control_characters_and_reversing_ones_are_escaped(
    capsys: pytest.CaptureFixture[str],
) -> None:
    print_line(HOSTILE)
    table = Columns(("NAME",))
    table.add(Cell(HOSTILE, "red"))
    print_table(table)
    lines = capsys.readouterr().out.splitlines()
    escaped = "\\x1b]0;owned\\x07\\x9b31m\\u202eevil\\n\\x7f"
    assert lines[0] == escaped
    assert lines[1].rstrip() == "NAME"
    assert lines[2:] == [escaped]


def test_json_is_ascii_and_has_the_exact_values(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"name": HOSTILE})
    printed = capsys.readouterr().out
    assert printed.replace("\n", "").isprintable()
    assert printed.isascii()
    assert json.loads(printed) == {"name": HOSTILE}


def test_an_empty_cell_of_a_pipe_is_a_dash(capsys: pytest.CaptureFixture[str]) -> None:
    table = Columns(("A", "B"))
    table.add("", "b")
    print_table(table)
    assert capsys.readouterr().out == "A  B\n-  b\n"


def test_alternatives_are_joined() -> None:
    assert [one_of("a"), one_of("ab"), one_of("abc")] == ["a", "a or b", "a, b or c"]
