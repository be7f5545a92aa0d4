"""The password from standard input is the first line as it was typed, and nothing else of it."""

import io
import os
import sys
from pathlib import Path

import pytest

from symphony.console.passwords import read_new_password

PASSWORD = "gr\u00fcne \u00c4pfel"


class Input(io.TextIOWrapper):
    """Standard input with these bytes."""

    def __init__(self, content: bytes, *, is_terminal: bool = False) -> None:
        super().__init__(io.BytesIO(content), "ascii")
        self._is_terminal = is_terminal

    def isatty(self) -> bool:
        return self._is_terminal


@pytest.mark.parametrize("end", ["", "\n", "\r\n", "\r", "\nsecond line\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_a_byte_order_mark_and_the_end_of_the_line_are_not_part_of_it(
    end: str, encoding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", Input((PASSWORD + end).encode(encoding)))
    assert read_new_password(from_stdin=True) == PASSWORD


@pytest.mark.parametrize("password", [" spaces at both ends ", "\ttab", "\ufeff", "\r\r"])
def test_everything_else_is_part_of_it(password: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", Input(f"\ufeff{password}\r\n".encode()))
    assert read_new_password(from_stdin=True) == password


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (Input(b""), "is empty; it must contain the password."),
        (Input("secret word\n".encode("utf-16")), "is UTF-16; it must be UTF-8."),
        (Input(b"\xfe\xff" + "secret word\n".encode("utf-16-be")), "is UTF-16; it must be UTF-8."),
        (Input("secr\u00e9t word\n".encode("latin-1")), "is not UTF-8."),
        (Input(b"secret \xed\xa0\x80 word\n"), "is not UTF-8."),
        (Input(b"secret word\n", is_terminal=True), "is a terminal; omit the option to get a"),
    ],
)
def test_other_input_is_refused_in_one_line(
    given: Input,
    reason: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys, "stdin", given)
    with pytest.raises(SystemExit) as refused:
        read_new_password(from_stdin=True)
    assert refused.value.code == 2
    line = capsys.readouterr().err
    assert line.startswith(f"symphony: --password-stdin: standard input {reason}")
    assert line.count("\n") == 1
    assert "secr" not in line


def test_a_directory_as_standard_input_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    descriptor = os.open(tmp_path, os.O_RDONLY)
    raw = io.FileIO(os.devnull)
    os.dup2(descriptor, raw.fileno())
    os.close(descriptor)
    with io.TextIOWrapper(io.BufferedReader(raw)) as directory:
        monkeypatch.setattr(sys, "stdin", directory)
        with pytest.raises(SystemExit):
            read_new_password(from_stdin=True)
    assert "standard input cannot be read: " in capsys.readouterr().err


def test_no_more_is_read_than_a_password_can_have(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", Input(b"x" * 1_000_000))
    assert len(read_new_password(from_stdin=True)) < 100_000
