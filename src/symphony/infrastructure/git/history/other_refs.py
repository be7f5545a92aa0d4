"""Refs that are neither branches, tags nor remote-tracking branches: notes, backups of tools.

No remote-tracking branch says whether their commits are elsewhere.
"""

import os
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from symphony.domain.git.status import RepoState
from symphony.infrastructure.git.files.decoding import printable
from symphony.infrastructure.git.files.opening import SymbolicLink
from symphony.infrastructure.git.files.unreadable import Unreadable, broken
from symphony.infrastructure.git.files.untrusted_directory import UntrustedDirectory
from symphony.infrastructure.git.history.commits import Reader
from symphony.infrastructure.git.process.copies import is_ref_name
from symphony.infrastructure.git.process.program import OutOfTime

_MAX_REFS = 2_000
_MAX_DIRECTORIES = 2_000
_MAX_LEVELS = 50
_MAX_REF = 4096  # bytes
_MAX_SHOWN = 3
_OBJECT_ID = re.compile(rb"([0-9a-f]{64}|[0-9a-f]{40})\s*")
_SYMBOLIC_REF = b"ref:"
# Their commits are counted elsewhere, were sent by a remote (git-maintenance(1), "prefetch"), or
# are a log of the past, as the reflog is.
_KNOWN = re.compile(r"refs/(?:heads|tags|remotes|stash|prefetch|jj)(?:/|$)")


@dataclass(slots=True)
class OtherRefs:
    """The ids of objects by the full names of refs; `problems` says what could not be read."""

    ids: dict[str, str] = field(default_factory=dict[str, str])
    problems: list[str] = field(default_factory=list[str])

    def add(self, name: str, object_id: str) -> None:
        """Raises: Unreadable beyond the limit."""
        self.ids[name] = object_id
        if len(self.ids) > _MAX_REFS:
            raise broken(f"More than {_MAX_REFS:,} refs are neither branches nor tags.")


def read_other_refs(common: UntrustedDirectory, packed: Mapping[str, str]) -> OtherRefs:
    """Return the other refs of a repository; `packed` are those in `packed-refs`.

    Each linked worktree has refs of its own (gitrepository-layout(5)).

    Raises: Stopped, OSError.
    """
    refs = OtherRefs()
    try:
        for name, object_id in packed.items():
            refs.add(name, object_id)
        _read_loose(common, "refs", refs)
        for worktree in _worktrees(common):
            _read_loose(common, f"{worktree}/refs", refs)
    except Unreadable as unreadable:
        refs.problems.append(unreadable.reason)
    except SymbolicLink:
        refs.problems.append("A directory of refs is a symbolic link.")
    return refs


def is_other(name: str) -> bool:
    """Return whether a ref with this full name is one of these."""
    return _KNOWN.match(name) is None


def reason_of_risk(reader: Reader, refs: OtherRefs, known: Collection[str]) -> str | None:
    """Say why a commit may exist only behind one of these refs; None when each is reached from the
    `known` commits.

    Raises: Unreadable (refused), Stopped.
    """
    if refs.problems:
        return refs.problems[0]
    ids = set(refs.ids.values()).difference(known)
    if not ids:
        return None
    try:
        commits = reader.commits(ids)
        tips = [each.id for each in commits.values() if each is not None]
        existing = reader.existing(known)
        is_reached = None not in commits.values() and reader.reached(tips, existing, 0) == {}
    except OutOfTime:
        is_reached = False
    except Unreadable as unreadable:
        if unreadable.state == RepoState.REFUSED:
            raise
        is_reached = False
    if is_reached:
        return None
    names = sorted(name for name, object_id in refs.ids.items() if object_id in ids)
    shown = ", ".join(printable(name)[:200] for name in names[:_MAX_SHOWN])
    more = f" and {len(names) - _MAX_SHOWN:,} more" if len(names) > _MAX_SHOWN else ""
    return f"What these refs have may be nowhere else: {shown}{more}."


def _worktrees(common: UntrustedDirectory) -> Iterator[str]:
    if not common.has_directory("worktrees"):
        return
    with common.open("worktrees") as directory:
        for entry in directory.entries():
            if entry.is_dir(follow_symlinks=False):
                yield f"worktrees/{entry.name}"


def _read_loose(common: UntrustedDirectory, top: str, refs: OtherRefs) -> None:
    pending = [top] if common.has_directory(top) else []
    count = 0
    while pending:
        path = pending.pop()
        count += 1
        if count + len(pending) > _MAX_DIRECTORIES or path.count("/") > _MAX_LEVELS:
            raise broken("The refs that are neither branches nor tags have too many directories.")
        try:
            with common.open(*path.split("/")) as directory:
                for entry in directory.entries():
                    inner = f"{path}/{entry.name}"
                    if not is_other(inner.removeprefix(top.removesuffix("refs"))):
                        continue
                    if entry.is_dir(follow_symlinks=False):
                        pending.append(inner)
                    elif is_ref_name(inner[inner.index("refs/") :]):
                        _read_file(directory, entry, inner, refs)
        except (FileNotFoundError, NotADirectoryError):
            continue  # removed meanwhile


def _read_file(
    directory: UntrustedDirectory, entry: os.DirEntry[str], name: str, refs: OtherRefs
) -> None:
    content = directory.read(entry.name, _MAX_REF)
    if content is None or content.startswith(_SYMBOLIC_REF):
        return  # removed meanwhile, or a name of a ref that is read itself
    object_id = _OBJECT_ID.fullmatch(content)
    if object_id is None:
        raise broken(f"{printable(name)[:200]} cannot be read.")
    refs.add(name, object_id[1].decode())
