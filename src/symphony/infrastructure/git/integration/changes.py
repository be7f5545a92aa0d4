"""Changes between trees: whether two of them are the same, wherever in the files they are."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import blake2b

from symphony.infrastructure.git.process.private_directory import PrivateDirectory
from symphony.infrastructure.git.process.program import OutOfTime

_MAX_RECORD = 8 << 20  # bytes of one change
_MAX_KEPT = 1024  # bytes of one change that are kept
_MAX_TEXT = 64 << 20  # bytes of all changes that are compared as text
# What git prints before each change: its line of the input. No line of a change looks like it.
_HEADER = re.compile(rb"^[0-9a-f]{40,64}(?: [0-9a-f]{40,64})?\n", re.MULTILINE)
# ":<mode> <mode> <id> <id> <letter>", a tab, the path (git-diff-tree(1), "Raw output format").
_IDS = re.compile(rb"(?<=^:\d{6} \d{6}) [0-9a-f]+ [0-9a-f]+", re.MULTILINE)
_HUNK = re.compile(rb"^@@ [^\n]*", re.MULTILINE)
_IDS_OF_TEXT = re.compile(rb"^index [^\n]*\n(?!Binary files )", re.MULTILINE)
_RAW = (
    "diff-tree", "--stdin", "-r", "--root", "--always", "--no-renames", "--no-abbrev", "--raw",
)  # fmt: skip
# No option can make git run a program here; these say so.
_TEXT = (
    "diff-tree", "--stdin", "-r", "--root", "--no-renames", "--full-index", "--patch",
    "--no-ext-diff", "--no-textconv",
)  # fmt: skip

Change = str
"""The id of a commit, or those of two trees with a space between them."""


@dataclass(frozen=True, slots=True)
class Outline:
    """The paths of a change: with their modes (`paths`), and with the ids of their contents too
    (`exact`); digests of both when they are long.

    Changes that are the same have the same `paths`; changes with the same `exact` are the same.
    Both are empty when nothing changed. `beginning` is that of git's output.
    """

    paths: bytes
    exact: bytes
    beginning: bytes


def read_outlines(
    directory: PrivateDirectory,
    changes: Sequence[Change],
    consume: Callable[[Change, Outline], None],
    deadline: float,
) -> bool:
    """Pass the outlines of changes to `consume`; return whether all were read before the deadline.

    Those of merges, and those that are too large, are left out: only changes that are as large have
    the same paths. Raises: Unreadable, Stopped.
    """

    def read(change: Change, record: bytes) -> None:
        paths = _IDS.sub(b"", record)
        consume(change, Outline(_shortened(paths), _shortened(record), record[:_MAX_KEPT]))

    return _read_records(directory, _RAW, changes, read, deadline)


def _shortened(text: bytes) -> bytes:
    return text if len(text) <= _MAX_KEPT else _digest(text)


def _digest(text: bytes) -> bytes:
    return blake2b(text, digest_size=32).digest()


def read_texts(
    directory: PrivateDirectory, changes: Sequence[Change], deadline: float
) -> dict[Change, bytes]:
    """Return a digest of the text of each change, without those beyond a limit.

    As with `git patch-id --verbatim`, the numbers of lines do not count, and all else does; files
    that are not compared as text are compared by their ids.

    Raises: Unreadable, Stopped.
    """
    digests: dict[Change, bytes] = {}
    remaining = _MAX_TEXT

    def read(change: Change, record: bytes) -> None:
        nonlocal remaining
        remaining -= len(record)
        if remaining < 0:
            raise _Enough
        text = _IDS_OF_TEXT.sub(b"", _HUNK.sub(b"@@", record))
        digests[change] = _digest(text)

    _read_records(directory, _TEXT, changes, read, deadline)
    return digests


def _read_records(
    directory: PrivateDirectory,
    command: Sequence[str],
    changes: Sequence[Change],
    read: Callable[[Change, bytes], None],
    deadline: float,
) -> bool:
    records = _Records(directory, read)
    try:
        directory.stream_with_input(
            *command,
            data="".join(f"{change}\n" for change in changes).encode(),
            consume=records.consume,
            deadline=deadline,
        )
    except (OutOfTime, _Enough):
        return False
    records.end()
    return True


class _Enough(Exception):
    """Beyond the limit, no more changes are read."""


class _Records:
    """Splits git's output into changes; those that are too large are skipped."""

    def __init__(self, directory: PrivateDirectory, read: Callable[[Change, bytes], None]) -> None:
        self._check_stopped = directory.program.check_stopped
        self._read = read
        self._rest = b""
        self._searched = 0  # up to here, the rest has no header that was not found
        self._change: Change | None = None
        self._is_skipped = False

    def consume(self, chunk: bytes) -> None:
        self._check_stopped()
        buffer = self._rest + chunk
        complete = buffer.rfind(b"\n") + 1
        begin = 0
        for header in _HEADER.finditer(buffer, self._searched, complete):
            self._finish(buffer[begin : header.start()])
            self._change = header[0].decode().rstrip()
            begin = header.end()
        if len(buffer) - begin > _MAX_RECORD:
            self._is_skipped = True
            begin = max(begin, complete)
        self._rest = buffer[begin:]
        self._searched = max(complete - begin, 0)

    def end(self) -> None:
        self._finish(self._rest)

    def _finish(self, record: bytes) -> None:
        if self._is_skipped or len(record) > _MAX_RECORD:
            self._is_skipped = False
        elif self._change is not None:
            self._read(self._change, record)
