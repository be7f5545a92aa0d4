"""The output of `git status --porcelain=v2 -z --branch` (git-status(1))."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from symphony.infrastructure.git.files.decoding import decode
from symphony.infrastructure.git.files.stopping import CheckStopped

SUBMODULE_MODE = b"160000"
_RECORDS_PER_CHECK = 1000
_NO_COMMIT = b"(initial)"
_NO_FILE = b"000000"  # a mode
_MAX_CHANGED = 100


class ChangedPath(NamedTuple):
    """The path of a changed file, or of an untracked directory. `keeps_time`: its content may be
    older than the change, as that of a file that was renamed."""

    path: bytes
    keeps_time: bool = False


@dataclass(slots=True)
class Porcelain:
    """The headers, and the entries as counts.

    Not the branch: what git prints for "no branch" can be the name of one.

    `modified` has the paths of files whose content in the working tree differs from the index.
    `otherwise_modified` counts the files whose content need not be compared: deleted, of another
    type, added with intent to add. Submodules are in neither, because git does not inspect them.
    `changed` has the first 100 paths of files, whatever their change, also untracked ones.
    """

    head: str | None = None
    upstream: str | None = None
    ahead: int | None = None
    behind: int | None = None
    staged: int = 0
    untracked: int = 0
    conflicted: int = 0
    otherwise_modified: int = 0
    modified: list[bytes] = field(default_factory=list[bytes])
    changed: list[ChangedPath] = field(default_factory=list[ChangedPath])


def parse_porcelain(output: bytes, check_stopped: CheckStopped) -> Porcelain:
    """Raises: Stopped."""
    porcelain = Porcelain()
    records = _records(output)
    for number, record in enumerate(records):
        if number % _RECORDS_PER_CHECK == 0:
            check_stopped()
        match record[:2]:
            case b"# ":
                _parse_header(porcelain, record[2:])
            case b"1 ":
                _parse_change(porcelain, record.split(b" ", 8))
            case b"2 ":
                next(records, None)  # the previous name
                _parse_change(porcelain, record.split(b" ", 9))
            case b"u ":
                porcelain.conflicted += 1
                _add(porcelain, record.split(b" ", 10)[-1])
            case b"? ":
                porcelain.untracked += 1
                _add(porcelain, record[2:].removesuffix(b"/"))
            case _:
                pass
    return porcelain


def _records(output: bytes) -> Iterator[bytes]:
    """Yield the records one by one: a list of millions would take far more memory than they do."""
    start = 0
    while (end := output.find(b"\0", start)) != -1:
        yield output[start:end]
        start = end + 1


def _add(porcelain: Porcelain, path: bytes, *, keeps_time: bool = False) -> None:
    if len(porcelain.changed) < _MAX_CHANGED:
        porcelain.changed.append(ChangedPath(path, keeps_time))


def _parse_header(porcelain: Porcelain, header: bytes) -> None:
    name, _, value = header.partition(b" ")
    match name:
        case b"branch.oid" if value != _NO_COMMIT:
            porcelain.head = value.decode()
        case b"branch.upstream":
            porcelain.upstream = decode(value)
        case b"branch.ab":
            ahead, behind = value.split()
            porcelain.ahead, porcelain.behind = int(ahead), -int(behind)
        case _:
            pass


def _parse_change(porcelain: Porcelain, fields: list[bytes]) -> None:
    staged, modified = fields[1][:1], fields[1][1:]
    mode_in_head, mode_in_index, mode, path = *fields[3:6], fields[-1]
    porcelain.staged += staged != b"."
    if SUBMODULE_MODE not in {mode_in_head, mode_in_index, mode}:
        is_added = mode_in_head == _NO_FILE
        is_same_kind = is_added or mode_in_head == mode
        _add(porcelain, path, keeps_time=fields[0] == b"2" or not is_same_kind)
    if modified == b"." or mode_in_index == SUBMODULE_MODE:
        return
    if modified == b"M":
        porcelain.modified.append(path)
    else:
        porcelain.otherwise_modified += 1
