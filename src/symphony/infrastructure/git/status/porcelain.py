"""The output of `git status --porcelain=v2 -z --branch` (git-status(1))."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from symphony.infrastructure.git.files.decoding import decode
from symphony.infrastructure.git.files.stopping import CheckStopped

SUBMODULE_MODE = b"160000"
_RECORDS_PER_CHECK = 1000
_NO_COMMIT = b"(initial)"


@dataclass(slots=True)
class Porcelain:
    """The headers, and the entries as counts.

    Not the branch: what git prints for "no branch" can be the name of one.

    `modified` has the paths of files whose content in the working tree differs from the index.
    `otherwise_modified` counts the files whose content need not be compared: deleted, of another
    type, added with intent to add. Submodules are in neither, because git does not inspect them.
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
            case b"? ":
                porcelain.untracked += 1
            case _:
                pass
    return porcelain


def _records(output: bytes) -> Iterator[bytes]:
    """Yield the records one by one: a list of millions would take far more memory than they do."""
    start = 0
    while (end := output.find(b"\0", start)) != -1:
        yield output[start:end]
        start = end + 1


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
    mode_in_index, path = fields[4], fields[-1]
    porcelain.staged += staged != b"."
    if modified == b"." or mode_in_index == SUBMODULE_MODE:
        return
    if modified == b"M":
        porcelain.modified.append(path)
    else:
        porcelain.otherwise_modified += 1
