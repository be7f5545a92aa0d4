"""Looking at one repository."""

import os
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from symphony.domain.base import utc_now
from symphony.domain.git import Head, RepoState, RepoStatus
from symphony.infrastructure.git.files.config import check_work_tree, read_config
from symphony.infrastructure.git.files.credentials import without_credentials
from symphony.infrastructure.git.files.decoding import text
from symphony.infrastructure.git.files.folder import Folder, Room
from symphony.infrastructure.git.files.location import locate
from symphony.infrastructure.git.files.objects import allowed_objects, check_loose_object
from symphony.infrastructure.git.files.operations import operation
from symphony.infrastructure.git.files.roots import Roots
from symphony.infrastructure.git.files.unreadable import Unreadable, broken, refused
from symphony.infrastructure.git.process import private_directory
from symphony.infrastructure.git.process.private_directory import PrivateDirectory
from symphony.infrastructure.git.process.program import Program
from symphony.infrastructure.git.status import filters, index, submodules
from symphony.infrastructure.git.status.porcelain import Porcelain, read_porcelain
from symphony.infrastructure.git.status.submodules import Submodule

_MAX_DEPTH = 8  # of submodules in submodules
MAX_COPIED = 256 << 20  # bytes at a time: of a submodule and all that are around it
_MAX_STASHES = 16 << 20  # bytes of their list
_MAX_SHOWN = 1000  # characters
_COMMIT = "--format=%H%x00%s%x00%an%x00%at"
_IN_A_SUBMODULE = "In a submodule: "
_BARE = "It is a bare repository: there are no files to compare."


class Inspector:
    """Looks at repositories for one caller; blocks while it does."""

    def __init__(self, roots: Roots, scratch: Path, program: Program) -> None:
        self._roots = roots
        self._temporary = scratch
        self._program = program
        self._room = Room(MAX_COPIED)

    def status(self, path: str) -> RepoStatus:
        """Raises: Stopped, and nothing else for whatever is wrong with a repository."""
        begun = utc_now()
        try:
            with self.opened(self.folder(path)) as private:
                return self._status(private, begun)
        except Unreadable as unreadable:
            state, reason = unreadable.state, unreadable.reason
        except OSError as error:
            state, reason = RepoState.ERROR, f"It cannot be read: {error.strerror or 'unknown'}."
        return RepoStatus(state=state, reason=reason, observed_at=begun)

    def folder(self, path: str) -> Path:
        """Where a repo's path leads. Raises: Unreadable when it may not be looked at."""
        return self._roots.resolve(os.path.expanduser(path), "It")

    @contextmanager
    def opened(self, folder: Path) -> Generator[PrivateDirectory]:
        """The repository in a folder, as git may look at it. Raises: Unreadable, OSError."""
        location = locate(folder, self._roots)
        with self._copies() as path:
            config = read_config(location)
            check_work_tree(config, location)
            objects = allowed_objects(location.common / "objects", self._roots)
            yield private_directory.make(location, config, objects, self._program, path, self._room)

    @contextmanager
    def _copies(self) -> Generator[Path]:
        """A folder for copies, whose room is free again when the block ends."""
        left = self._room.left
        with tempfile.TemporaryDirectory(dir=self._temporary) as path:
            yield Path(path)
        self._room.left = left

    def _status(self, private: PrivateDirectory, begun: datetime) -> RepoStatus:
        with Folder(private.location.own) as own, Folder(private.location.common) as common:
            under_way = operation(own)
            # git, too, has as many stashes as there are lines.
            stashes = (common.read("logs/refs/stash", _MAX_STASHES) or b"").count(b"\n")
        remotes = {
            text(os.fsencode(name)): without_credentials(url)
            for name, url in private.config.subsections("remote", "url")
        }
        is_bare = private.location.work_tree is None or private.config.is_true("core.bare")
        seen, modified = (_bare(private), 0) if is_bare else self._compared(private, depth=0)
        is_dirty = seen.staged or modified or seen.untracked or seen.conflicted
        return RepoStatus(
            state=RepoState.DIRTY if is_dirty else RepoState.CLEAN,
            reason=_BARE if is_bare else None,
            is_bare=is_bare,
            branch=seen.branch,
            head=None if seen.head is None else _head(private, seen.head),
            upstream=seen.upstream,
            ahead=seen.ahead,
            behind=seen.behind,
            staged=seen.staged,
            modified=modified,
            untracked=seen.untracked,
            conflicted=seen.conflicted,
            stashes=stashes,
            operation=under_way,
            remotes=remotes,
            observed_at=begun,
        )

    def _compared(self, private: PrivateDirectory, depth: int) -> tuple[Porcelain, int]:
        """What git sees, and how many files and submodules are modified."""
        inner = index.checked(private)
        seen = read_porcelain(
            private.git(
                # Without looking into submodules, which overrides what .gitmodules says.
                "status", "--porcelain=v2", "-z", "--branch",
                "--ignore-submodules=dirty",
            )
        )  # fmt: skip
        modified = (
            seen.otherwise_modified
            + filters.count_modified(private, seen.modified)
            + submodules.count_modified(
                private, inner, lambda folder: self._submodule(folder, depth + 1)
            )
        )
        return seen, modified

    def _submodule(self, folder: Path, depth: int) -> Submodule:
        if depth > _MAX_DEPTH:
            raise broken(f"{_IN_A_SUBMODULE}They are nested too deeply.")
        try:
            with self.opened(folder) as private:
                seen, modified = self._compared(private, depth)
        except Unreadable as unreadable:
            # It stands in a repository, which is neither missing nor none because of it.
            kind = refused if unreadable.state == RepoState.REFUSED else broken
            raise kind(_IN_A_SUBMODULE + unreadable.reason.removeprefix(_IN_A_SUBMODULE)) from None
        return Submodule(
            seen.head,
            has_changes=bool(seen.staged or modified or seen.conflicted),
            has_untracked=bool(seen.untracked),
        )


def _bare(private: PrivateDirectory) -> Porcelain:
    """A bare repository has refs and objects; what it prints is empty before the first commit."""
    head = private.git("rev-parse", "--revs-only", "HEAD").decode().strip()
    branch = None if private.branch is None else text(os.fsencode(private.branch))
    return Porcelain(head=head or None, branch=branch)


def _head(private: PrivateDirectory, commit: str) -> Head:
    check_loose_object(private.objects, commit)
    shown = private.git("log", "--no-walk", "--encoding=UTF-8", _COMMIT, commit, "--")
    identity, subject, author, seconds = text(shown.removesuffix(b"\n")).split("\0")
    return Head(identity, subject[:_MAX_SHOWN], author[:_MAX_SHOWN], _time(seconds))


def _time(seconds: str) -> datetime | None:
    try:
        return datetime.fromtimestamp(int(seconds), UTC)
    except (ValueError, OverflowError, OSError):
        return None
