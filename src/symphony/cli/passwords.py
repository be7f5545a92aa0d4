"""Reading a new password from a terminal or from standard input."""

import codecs
import sys
from typing import NoReturn

from symphony.cli.usage import USAGE_ERROR, exit_with
from symphony.password_prompt import ask_new_password

STDIN_OPTION = "--password-stdin"
_MAX_LINE = 1 << 16  # bytes; more than any password has, and little enough for the memory
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def read_password(*, from_stdin: bool) -> str:
    """Return the first line of standard input, or what is typed twice at a prompt."""
    if from_stdin:
        return _decoded(_first_line())
    return ask_new_password()


def _first_line() -> bytes:
    if sys.stdin is None or sys.stdin.closed:
        _refuse("standard input is closed; it must contain the password.")
    if sys.stdin.isatty():
        _refuse("standard input is a terminal; omit the option to get a prompt.")
    try:
        line = sys.stdin.buffer.readline(_MAX_LINE)
    except OSError as error:
        _refuse(f"standard input cannot be read: {error.strerror}.")
    if not line:
        _refuse("standard input is empty; it must contain the password.")
    return line


def _decoded(line: bytes) -> str:
    if line.startswith(_UTF_16):
        _refuse("standard input is UTF-16; it must be UTF-8.")
    try:
        # Editors and PowerShell write a byte order mark, which no person types.
        text = line.decode("utf-8-sig")
    except UnicodeDecodeError:
        _refuse("standard input is not UTF-8.")
    return text.removesuffix("\n").removesuffix("\r")


def _refuse(reason: str) -> NoReturn:
    exit_with(f"{STDIN_OPTION}: {reason}", USAGE_ERROR)
