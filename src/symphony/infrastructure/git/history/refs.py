"""The branches, tags and remote-tracking branches of a repository, read as data.

git itself fails for all refs when one of them is damaged, and a name may look like an option.
"""

import io
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field

from symphony.infrastructure.git.files.decoding import printable
from symphony.infrastructure.git.files.opening import SymbolicLink
from symphony.infrastructure.git.files.unreadable import broken
from symphony.infrastructure.git.files.untrusted_directory import UntrustedDirectory
from symphony.infrastructure.git.history.other_refs import (
    OtherRefs,
    is_other,
    read_other_refs,
)
from symphony.infrastructure.git.process.copies import is_ref_name

MAX_REFS = 20_000
_MAX_REF = 4096  # bytes
_MAX_PACKED_REFS = 16 << 20  # bytes
_MAX_DIRECTORIES = 5_000
_MAX_LEVELS = 50
_MAX_SYMBOLIC_REFS = 5  # in a chain, as in git itself
_LINES_PER_CHECK = 1_000
_ATTEMPTS = 3
_BRANCHES, _TAGS, _REMOTES = "refs/heads/", "refs/tags/", "refs/remotes/"
_COUNTED = (_BRANCHES, _TAGS, _REMOTES)
_OBJECT_ID = re.compile(rb"(?:[0-9a-f]{64}|[0-9a-f]{40})")
_SYMBOLIC_REF = re.compile(rb"ref:[ \t]*([^\s]+)\s*")


@dataclass(slots=True)
class Refs:
    """The ids of objects by the names of refs: those of branches and tags without their prefix,
    those of remote-tracking branches without `refs/remotes/`.

    `damaged` has a sentence for each branch or tag that cannot be read, `ignored` one for each file
    that is no ref. `remote_defaults` maps the names of remotes to their default branches, as
    `remotes` names them. `remotes_modified_at` is that of the newest remote-tracking branch that is
    a file of its own, in nanoseconds.
    """

    branches: dict[str, str] = field(default_factory=dict[str, str])
    tags: dict[str, str] = field(default_factory=dict[str, str])
    remotes: dict[str, str] = field(default_factory=dict[str, str])
    remote_defaults: dict[str, str] = field(default_factory=dict[str, str])
    damaged: list[str] = field(default_factory=list[str])
    ignored: list[str] = field(default_factory=list[str])
    remotes_modified_at: int | None = None
    others: OtherRefs = field(default_factory=OtherRefs)

    def find(self, full_name: str) -> str | None:
        """Return the id of a ref, or None when there is none of this name."""
        for prefix, refs in self._by_prefix():
            if full_name.startswith(prefix):
                return refs.get(full_name.removeprefix(prefix))
        return None

    def _by_prefix(self) -> tuple[tuple[str, dict[str, str]], ...]:
        return (_BRANCHES, self.branches), (_TAGS, self.tags), (_REMOTES, self.remotes)


def short_name(full_name: str) -> str:
    """Return the name of a ref as git abbreviates it."""
    for prefix in _COUNTED:
        if full_name.startswith(prefix):
            return full_name.removeprefix(prefix)
    return full_name


class RefsOnce:
    """The refs of a repository, read once for all parts of an inspection."""

    def __init__(self, common: UntrustedDirectory) -> None:
        self._common = common
        self._refs: Refs | None = None

    def read(self) -> Refs:
        """Raises: as `read_refs`, which is called again after a failure."""
        if self._refs is None:
            self._refs = read_refs(self._common)
        return self._refs


def read_refs(common: UntrustedDirectory) -> Refs:
    """Read all refs of a repository, again when they change meanwhile.

    Raises: Unreadable, Stopped, OSError.
    """
    for _ in range(_ATTEMPTS):
        loose = _LooseRefs(common)
        try:
            loose.read()
        except SymbolicLink:
            raise broken("A directory of refs is a symbolic link.") from None
        except (FileNotFoundError, NotADirectoryError):
            continue  # removed after its directory was listed
        # After the single refs: git packs a ref by adding it to the list before removing its file.
        packed = dict(packed_refs(common))
        if not loose.have_changed():
            others = {name: each for name, each in packed.items() if is_other(name)}
            counted = {name: each for name, each in packed.items() if name not in others}
            refs = _resolved(loose, counted)
            refs.others = read_other_refs(common, others)
            return refs
    raise broken("The refs of the repository change while they are read.")


class _LooseRefs:
    """The refs that are files of their own; `contents` has what is in each of them."""

    def __init__(self, common: UntrustedDirectory) -> None:
        self._common = common
        self._times: dict[str, int | None] = {}
        self.contents: dict[str, bytes | None] = {}
        self.ignored: list[str] = []
        self.remotes_modified_at: int | None = None

    def read(self) -> None:
        pending = [prefix.removesuffix("/") for prefix in _COUNTED]
        while pending:
            name = pending.pop()
            self._times[name] = self._common.modified_at(name)
            if len(self._times) > _MAX_DIRECTORIES:
                raise broken(f"The refs are in more than {_MAX_DIRECTORIES:,} directories.")
            if self._times[name] is None:
                continue
            if name.count("/") > _MAX_LEVELS:
                raise broken(f"The name of a ref has more than {_MAX_LEVELS} levels.")
            with self._common.open(*name.split("/")) as directory:
                pending += self._read_directory(directory, name)

    def have_changed(self) -> bool:
        """Return whether a ref was created, changed or removed: each changes a directory."""
        return any(self._common.modified_at(name) != time for name, time in self._times.items())

    def _read_directory(self, directory: UntrustedDirectory, prefix: str) -> Iterator[str]:
        for entry in directory.entries():
            name = f"{prefix}/{entry.name}"
            if entry.is_dir(follow_symlinks=False):
                yield name
            elif not entry.name.startswith(".") and not entry.name.endswith(".lock"):
                if is_ref_name(name):
                    self._read_file(directory, entry, name)
                else:
                    self.ignored.append(f"{_shown(name)} is not a valid name of a ref.")
                if len(self.contents) + len(self.ignored) > MAX_REFS:
                    raise _too_many()

    def _read_file(self, directory: UntrustedDirectory, entry: os.DirEntry[str], name: str) -> None:
        status = entry.stat(follow_symlinks=False)
        if not stat.S_ISREG(status.st_mode) or status.st_size > _MAX_REF:
            self.contents[name] = None
            return
        content = directory.read(entry.name, _MAX_REF)
        if content is None:
            raise FileNotFoundError
        self.contents[name] = content
        if name.startswith(_REMOTES):
            known = self.remotes_modified_at
            self.remotes_modified_at = max(known or 0, status.st_mtime_ns)


def packed_refs(common: UntrustedDirectory) -> Iterator[tuple[str, str]]:
    """Yield the names and ids of all refs in `packed-refs` (git-pack-refs(1))."""
    content = common.read("packed-refs", _MAX_PACKED_REFS) or b""
    if content and not content.endswith(b"\n"):
        raise broken("packed-refs is damaged.")
    found = 0
    for number, line in enumerate(io.BytesIO(content)):
        if number % _LINES_PER_CHECK == 0:
            common.check_stopped()
        if line.startswith((b"#", b"^")):
            continue
        object_id, _, name = line.removesuffix(b"\n").partition(b" ")
        if not _OBJECT_ID.fullmatch(object_id) or not name.startswith(b"refs/"):
            raise broken("packed-refs is damaged.")
        full_name = os.fsdecode(name)
        if full_name.startswith(_COUNTED):
            found += 1
            if found > MAX_REFS:
                raise _too_many()
            yield full_name, object_id.decode()
        elif is_other(full_name):
            yield full_name, object_id.decode()


def _resolved(loose: _LooseRefs, packed: dict[str, str]) -> Refs:
    refs = Refs(ignored=loose.ignored, remotes_modified_at=loose.remotes_modified_at)
    names = {**packed, **dict.fromkeys(loose.contents, "")}
    if len(names) > MAX_REFS:
        raise _too_many()
    for name in names:
        if not is_ref_name(name):
            refs.ignored.append(f"{_shown(name)} is not a valid name of a ref.")
            continue
        target = _last_of_chain(loose, name)
        is_remote = name.startswith(_REMOTES)
        # A name of a local branch among the remote-tracking ones says nothing about the remote.
        if target is None or (is_remote and not target.startswith(_REMOTES)):
            if not is_remote:
                refs.damaged.append(f"{_shown(name)} cannot be read.")
            continue
        content = loose.contents.get(target)
        object_id = packed.get(target) if content is None else content.strip().decode()
        if object_id is None:
            continue  # a symbolic ref to a ref that does not exist, as before its first commit
        if is_remote:
            remote, _, last = short_name(name).rpartition("/")
            if last == "HEAD" and target != name:
                refs.remote_defaults[remote] = short_name(target)
            refs.remotes[short_name(name)] = object_id
        else:
            kind = refs.branches if name.startswith(_BRANCHES) else refs.tags
            kind[short_name(name)] = object_id
    return refs


def _last_of_chain(loose: _LooseRefs, name: str) -> str | None:
    """Return the ref to which a symbolic ref leads at last; None when the chain is damaged."""
    for _ in range(_MAX_SYMBOLIC_REFS + 1):
        if name not in loose.contents:
            return name if name.startswith(_COUNTED) else None
        content = loose.contents[name]
        if content is None:
            return None
        if _OBJECT_ID.fullmatch(content.rstrip()):
            return name
        symbolic = _SYMBOLIC_REF.fullmatch(content)
        if symbolic is None:
            return None
        name = os.fsdecode(symbolic[1])
    return None


def _shown(name: str) -> str:
    return printable(name)[:200]


def _too_many() -> Exception:
    return broken(f"The repository has more than {MAX_REFS:,} refs.")
