"""What `git status --porcelain=v2 -z --branch` says (git-status(1))."""

from dataclasses import dataclass, field

from symphony.infrastructure.git.files.decoding import text

GITLINK = b"160000"  # the mode of a submodule
_UNBORN = b"(initial)"
_DETACHED = b"(detached)"


@dataclass(slots=True)
class Porcelain:
    """Its headers, and its entries counted.

    `modified` has the paths of files that differ from the index in the working tree; `deleted` and
    the like are among them. Submodules are not: git does not look into them here.
    """

    head: str | None = None
    branch: str | None = None
    upstream: str | None = None
    ahead: int | None = None
    behind: int | None = None
    staged: int = 0
    untracked: int = 0
    conflicted: int = 0
    otherwise_modified: int = 0
    """Those whose content need not be compared: deleted, of another type, to be added."""
    modified: list[bytes] = field(default_factory=list[bytes])


def read_porcelain(output: bytes) -> Porcelain:
    seen = Porcelain()
    records = iter(output.split(b"\0"))
    for record in records:
        match record[:2]:
            case b"# ":
                _read_header(seen, record[2:])
            case b"1 ":
                _read_change(seen, record.split(b" ", 8))
            case b"2 ":
                next(records)  # its former name
                _read_change(seen, record.split(b" ", 9))
            case b"u ":
                seen.conflicted += 1
            case b"? ":
                seen.untracked += 1
            case _:
                pass  # the end
    return seen


def _read_header(seen: Porcelain, header: bytes) -> None:
    name, _, value = header.partition(b" ")
    match name:
        case b"branch.oid" if value != _UNBORN:
            seen.head = value.decode()
        case b"branch.head" if value != _DETACHED:
            seen.branch = text(value)
        case b"branch.upstream":
            seen.upstream = text(value)
        case b"branch.ab":
            ahead, behind = value.split()
            seen.ahead, seen.behind = int(ahead), -int(behind)
        case _:
            pass


def _read_change(seen: Porcelain, fields: list[bytes]) -> None:
    staged, modified = fields[1][:1], fields[1][1:]
    mode_in_index, path = fields[4], fields[-1]
    seen.staged += staged != b"."
    if modified == b"." or mode_in_index == GITLINK:
        return
    if modified == b"M":
        seen.modified.append(path)
    else:
        seen.otherwise_modified += 1
