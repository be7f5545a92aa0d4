"""A bounded search in all that a directory contains, for what git does not have."""

import errno
import os
import time
from bisect import bisect_right
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from symphony.infrastructure.git.disposal.secret_files import holds_secrets, looks_secret
from symphony.infrastructure.git.files.unreadable import Unreadable
from symphony.infrastructure.git.files.untrusted_directory import Identity, UntrustedDirectory

_GIT = ".git"
_BARE_ENTRIES = frozenset({"HEAD", "objects", "refs"})
_SIGNIFICANT = _BARE_ENTRIES | {_GIT, "CACHEDIR.TAG", "package.json", "pyvenv.cfg"}
_CACHE_TAG = b"Signature: 8a477f597d28d172789f06886806bc55"  # https://bford.info/cachedir/
_MAX_TAG = 1 << 16  # bytes
# Removed or replaced after it was listed.
_GONE = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP}

Clock = Callable[[], float]


@dataclass(slots=True)
class SearchBudget:
    """The limits of all searches of an inspection together; `seconds` of a monotonic clock."""

    entries: int = 1_000_000
    directories: int = 100_000
    candidates: int = 20_000
    levels: int = 200
    seconds: float = 6
    clock: Clock = time.monotonic
    is_exceeded: bool = False


@dataclass(slots=True)
class Candidates:
    """Files whose names look secret. `reproducible` has those in directories that tools create
    again, by the path of the directory."""

    files: set[bytes] = field(default_factory=set[bytes])
    reproducible: dict[bytes, set[bytes]] = field(default_factory=dict[bytes, set[bytes]])
    bare: set[bytes] = field(default_factory=set[bytes])
    """Directories that look like bare repositories; in the history of a project about git, they may
    be files of a test."""

    def __bool__(self) -> bool:
        return bool(self.files or self.reproducible or self.bare)

    def secrets_without(self, tracked: "TrackedPaths") -> list[bytes]:
        """Return the files that git does not have. A directory with a tracked file was not created
        by a tool alone, so its files count as well."""
        found = set(self.files)
        for directory in tracked.directories:
            found |= self.reproducible[directory]
        return sorted(found - tracked.files)

    def bare_without(self, tracked: "TrackedPaths") -> list[bytes]:
        return sorted(each for each in self.bare if _head_of(each) not in tracked.files)


class TrackedPaths:
    """Which candidates are in the index, from all of its paths."""

    def __init__(self, candidates: Candidates) -> None:
        self._wanted = candidates.files.union(*candidates.reproducible.values())
        self._wanted |= {_head_of(each) for each in candidates.bare}
        self._directories = sorted(candidates.reproducible)
        self.files = set[bytes]()
        self.directories = set[bytes]()

    def add(self, path: bytes) -> None:
        if path in self._wanted:
            self.files.add(path)
        # No such directory is in another one, so only the last one before the path can contain it.
        position = bisect_right(self._directories, path)
        if position and path.startswith(self._directories[position - 1]):
            self.directories.add(self._directories[position - 1])


def _head_of(bare: bytes) -> bytes:
    return bare + b"/HEAD"


@dataclass(slots=True)
class _Directory:
    parts: Sequence[str]
    reproducible: bytes | None
    """The path of the directory that a tool creates again, and which contains this one."""
    is_secret: bool


@dataclass(slots=True)
class FileSearch:
    """A search that follows no symbolic link. Paths are relative to the top.

    `known` are directories that are inspected on their own, such as submodules. `skipped` are
    entries of the top that are git's own.
    """

    budget: SearchBudget
    known: Collection[Identity]
    skipped: Collection[str] = (_GIT,)
    candidates: Candidates = field(default_factory=Candidates)
    repositories: list[str] = field(default_factory=list[str])
    unreadable: list[str] = field(default_factory=list[str])
    _pending: list[_Directory] = field(default_factory=list[_Directory])
    _reproducible: list[_Directory] = field(default_factory=list[_Directory])
    """What is searched last."""
    _visited: set[Identity] = field(default_factory=set[Identity])

    def run(self, top: UntrustedDirectory) -> None:
        """Raises: Unreadable, Stopped, OSError when the top cannot be read."""
        started_at = self.budget.clock()
        self._pending.append(_Directory((), None, is_secret=False))
        while self._pending or self._reproducible:
            if self.budget.clock() - started_at > self.budget.seconds:
                self.budget.is_exceeded = True
            if self.budget.is_exceeded:
                break
            own = self._pending.pop() if self._pending else self._reproducible.pop()
            try:
                with top.open(*own.parts) as directory:
                    self._search(directory, own)
            except OSError as error:
                if not own.parts:
                    raise
                if error.errno not in _GONE:
                    self.unreadable.append("/".join(own.parts))
        self.budget.seconds -= self.budget.clock() - started_at

    def _search(self, directory: UntrustedDirectory, own: _Directory) -> None:
        is_top = not own.parts
        if directory.identity in self._visited or (not is_top and directory.identity in self.known):
            return
        self._visited.add(directory.identity)
        significant, names, files = self._read(directory, own, is_top=is_top)
        if not is_top:
            if _GIT in significant:
                self.repositories.append("/".join(own.parts))
                return
            if significant >= _BARE_ENTRIES:
                self.candidates.bare.add(os.fsencode("/".join(own.parts)))
                return
            if own.reproducible is None and _is_created_by_a_tool(directory, significant):
                own.reproducible = os.fsencode("/".join(own.parts) + "/")
        if files:
            prefix = os.fsencode("".join(f"{part}/" for part in own.parts))
            found = {prefix + os.fsencode(name) for name in files}
            self.budget.candidates -= len(found)
            if own.reproducible is None:
                self.candidates.files |= found
            else:
                self.candidates.reproducible.setdefault(own.reproducible, set()).update(found)
        self._add_directories(own, names, has_package="package.json" in significant)

    def _read(
        self, directory: UntrustedDirectory, own: _Directory, *, is_top: bool
    ) -> tuple[set[str], list[str], list[str]]:
        """Return the significant entries, the directories, and the files that look secret."""
        significant, names, files = set[str](), list[str](), list[str]()
        budget = self.budget
        for entry in directory.entries():
            budget.entries -= 1
            if self._is_exceeded(len(names), len(files)):
                budget.is_exceeded = True
                break
            name = entry.name
            if is_top and name in self.skipped:
                continue
            if name in _SIGNIFICANT:
                significant.add(name)
            if entry.is_dir(follow_symlinks=False):
                names.append(name)
            elif own.is_secret or looks_secret(name):
                files.append(name)
        return significant, names, files

    def _is_exceeded(self, directories: int, files: int) -> bool:
        budget = self.budget
        return budget.entries < 0 or directories > budget.directories or files > budget.candidates

    def _add_directories(self, own: _Directory, names: Sequence[str], *, has_package: bool) -> None:
        self.budget.directories -= len(names)
        if names and len(own.parts) >= self.budget.levels:
            self.budget.is_exceeded = True
            return
        for name in names:
            parts = (*own.parts, name)
            inner = _Directory(parts, own.reproducible, own.is_secret or holds_secrets(name))
            if own.reproducible is None and has_package and name == "node_modules":
                inner.reproducible = os.fsencode("/".join(parts) + "/")
            later = inner.reproducible is not None
            (self._reproducible if later else self._pending).append(inner)


def _is_created_by_a_tool(directory: UntrustedDirectory, significant: Collection[str]) -> bool:
    """Return whether a directory is a cache or a virtual environment of Python (PEP 405)."""
    if "pyvenv.cfg" in significant:
        return True
    if "CACHEDIR.TAG" not in significant:
        return False
    try:
        return (directory.read("CACHEDIR.TAG", _MAX_TAG) or b"").startswith(_CACHE_TAG)
    except (Unreadable, OSError):
        return False
