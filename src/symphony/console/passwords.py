"""Reading a password from a terminal or from standard input."""

import codecs
import sys
import warnings
from getpass import GetPassWarning
from typing import NoReturn

import typer

from symphony.console.streams import StreamFailed
from symphony.console.usage import USAGE_ERROR, exit_with

STDIN_OPTION = "--password-stdin"
_MAX_LINE = 1 << 16  # bytes; more than any password has, and little enough for the memory
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def read_new_password(*, from_stdin: bool) -> str:
    """Return the first line of standard input, or what is typed twice at a prompt.

    Raises: StreamFailed.
    """
    return password_from_stdin() if from_stdin else _typed_twice()


def password_from_stdin() -> str:
    """Return the first line of standard input. Raises: StreamFailed."""
    return _decoded(_first_line())


def _typed_twice() -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("error", GetPassWarning)  # the password would be shown
        try:
            return typer.prompt("Password", hide_input=True, confirmation_prompt=True)
        except (typer.Abort, GetPassWarning, StreamFailed):
            typer.echo(err=True)  # the cursor stands behind the prompt
            raise StreamFailed(
                f"Cannot read the password from a terminal; use {STDIN_OPTION}."
            ) from None


def _first_line() -> bytes:
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
