"""Configuration files are read as git reads them."""

import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from symphony.infrastructure.git.files import config_syntax
from symphony.infrastructure.git.files.config_syntax import InvalidSyntax

# Pieces that have a meaning in the syntax.
PIECES = st.sampled_from(
    [
        *("[core]", "[Core.Sub]", '[remote "Ori gin"]', '[a "\\"b\\\\"]', '[ "x"]', "[]", "[-.]"),
        *("[core", '[remote "a', '[remote "a" ]', '[a\n"b"]', '[a"b"]', '[a "\\\n"]', "[ä]"),
        *("url", "Fetch-2", "2nd", "_a", "a", "é", "=", " = ", "\t=", " =\t", "\n", "\r\n", "\r"),
        *(" ", '"', '"a b"', '" "', "#", ";", "# no \\\n", "\\", "\\\n", '\\"', "\\\\", "\\n"),
        *("\\t", "\\b", "\\x", "+refs/*:refs/*", "https://example.org/a.git", "true", "\v", "\f"),
    ]
)
FILES = st.lists(PIECES, max_size=12).map("".join)
TIDY = st.tuples(PIECES, PIECES, PIECES).map(lambda three: f"[a]\nb = {''.join(three)}\nc = d\n")
WRITTEN = [
    b"",
    b"\n# nothing\n",
    b"\xef\xbb\xbf[a]\n\tb = c\n",
    b"\xef\xbb[a]\n\tb = c\n",
    b"a = b\n",
    b"[a]\n\tb\n\tc=\n\td = \n[a]\nb=1\nb=2",
    b'[A.B "C"]\n\tD = e\n',
    b'[a "caf\xe9"]\n\tb = caf\xe9\n',
    b'[a]\n\tb = "  c  "  # d\n\te = f ; "\n',
    b"[a]\n\tb = c \\\n  d\n\te = f\\\n\\\ng\n",
    b"[a]\n\tb = c \\",
    b"[a]\n\tb = c \\\n",
    b'[a]\n\tb = "c\\\nd"\n',
    b'[a]\n\tb = "c\nd"\n',
    b"[a]\n\tb = c d   e \t \n\tf = \t\n",
    b'[a]\r\n\tb = "c"\r\n\td = e\rf\r\n',
    b"[a] b = c\n[d]e\n",
    b'[a]\n\tb = c "" \n\td = "" e\n',
    b"[a]\n\tb # c\n",
    b"[a]\n\tb c\n",
    b"[a]\nb = c" * 1000,
]


Settings = list[tuple[bytes, bytes | None]]
# git before 2.45 replaced these by spaces between words.
SPACES = bytes.maketrans(b"\t\r", b"  ")


def parsed_by_git(content: bytes, directory: Path) -> Settings | None:
    """Return what `git config` lists of a file, or None when it cannot read the file."""
    file = directory / "config"
    file.write_bytes(content)
    command = ["git", "config", "--file", str(file), "--no-includes", "--null", "--list"]
    result = subprocess.run(command, capture_output=True, check=False, timeout=60)  # noqa: S603 - of our own choice
    if result.returncode:
        return None
    entries = (entry.partition(b"\n") for entry in result.stdout.split(b"\0")[:-1])
    return [(key, value.translate(SPACES) if has else None) for key, has, value in entries]


def parsed_here(content: bytes) -> Settings | None:
    try:
        return [
            (
                os.fsencode(f"{section}.{key}" if section else key),
                None if value is None else os.fsencode(value).translate(SPACES),
            )
            for section, key, value in config_syntax.parse_settings(content)
        ]
    except InvalidSyntax:
        return None


@pytest.mark.parametrize("content", WRITTEN, ids=range(len(WRITTEN)))
def test_a_file_is_parsed_as_git_parses_it(content: bytes, tmp_path: Path) -> None:
    assert parsed_here(content) == parsed_by_git(content, tmp_path)


@pytest.mark.long
@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(FILES | TIDY)
def test_any_file_is_parsed_as_git_parses_it_or_by_neither(tmp_path: Path, content: str) -> None:
    assert parsed_here(content.encode()) == parsed_by_git(content.encode(), tmp_path)
