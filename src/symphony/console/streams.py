"""The standard streams of a command.

Python starts without a stream that is closed, and the next file or socket that is opened gets its
number. And Python finds out that a result could not be written only when it exits.
"""

import errno
import io
import os
import sys
from contextlib import suppress
from typing import NoReturn, TextIO

_STREAMS = (0, 1, 2)
OUTPUT = 1
ERRORS = 2


class StreamFailed(Exception):
    """Standard input or output cannot be used; the message is one line that says why."""


class ReaderEnded(StreamFailed):
    """The reader of a pipe has ended, as `head` does when it has what it wants."""


def open_streams() -> None:
    """Open what is closed of the standard streams, and handle the failures of all three.

    From then on, reading a closed standard input and writing to standard output raise StreamFailed.
    An error message that cannot be written is lost: the exit status remains.
    """
    for number in _STREAMS:
        try:
            os.fstat(number)
        except OSError:
            _occupy(number)
    if sys.stdin is None:  # pyright: ignore[reportUnnecessaryComparison] - None when it is closed
        sys.stdin = io.TextIOWrapper(_ClosedInput())  # pyright: ignore[reportArgumentType]
    sys.stdout = text_stream(_Output(OUTPUT), sys.stdout)
    sys.stderr = text_stream(_Errors(ERRORS), sys.stderr)


def printable(text: str) -> str:
    """Escape what could move the cursor or reverse the text of a terminal."""
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)


def text_stream(raw: io.RawIOBase, replaced: TextIO | None) -> io.TextIOWrapper:
    """A text stream in the encoding of another one, which is None when it was closed.

    What the encoding does not contain is written as an escape sequence.
    """
    return io.TextIOWrapper(
        raw,  # pyright: ignore[reportArgumentType] - needs no buffer
        encoding="utf-8" if replaced is None else replaced.encoding,
        errors="backslashreplace",
        line_buffering=True,
    )


def _occupy(number: int) -> None:
    """Open /dev/null for the wrong direction, so that using the stream still fails.

    As gnulib's `stdopen` does for the programs of GNU.
    """
    opened = os.open(os.devnull, os.O_WRONLY if number == 0 else os.O_RDONLY)
    if opened == number:
        os.set_inheritable(number, True)  # noqa: FBT003 - for worker processes
        return
    os.dup2(opened, number)
    os.close(opened)


class _ClosedInput(io.RawIOBase):
    def readable(self) -> bool:
        return True

    def readinto(self, _buffer: object, /) -> NoReturn:
        raise StreamFailed("Cannot read standard input: it is closed.")


class Descriptor(io.RawIOBase):
    """A file descriptor that stays open."""

    def __init__(self, number: int) -> None:
        self._number = number

    def fileno(self) -> int:
        return self._number

    def isatty(self) -> bool:
        return os.isatty(self._number)

    def writable(self) -> bool:
        return True


class _Output(Descriptor):
    """Has no buffer that Python would try to write once more when it exits."""

    def write(self, data: bytes, /) -> int:  # pyright: ignore[reportIncompatibleMethodOverride] - what TextIOWrapper passes
        left = memoryview(data)
        while left:
            try:
                left = left[os.write(self._number, left) :]
            except OSError as error:
                why = "it is closed" if error.errno == errno.EBADF else error.strerror
                failure = ReaderEnded if error.errno == errno.EPIPE else StreamFailed
                raise failure(f"Cannot write to standard output: {why}.") from None
        return len(data)


class _Errors(_Output):
    def write(self, data: bytes, /) -> int:  # pyright: ignore[reportIncompatibleMethodOverride]
        with suppress(StreamFailed):
            super().write(data)
        return len(data)
