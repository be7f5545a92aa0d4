"""The inspection of one repository."""

import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from symphony.domain.base import utc_now
from symphony.domain.git import Head, RepoState, RepoStatus
from symphony.infrastructure.git.files import work_tree
from symphony.infrastructure.git.files.config import read_config
from symphony.infrastructure.git.files.credentials import without_credentials
from symphony.infrastructure.git.files.decoding import decode, printable
from symphony.infrastructure.git.files.location import locate, open_directory
from symphony.infrastructure.git.files.objects import check_loose_object, find_object_directories
from symphony.infrastructure.git.files.operations import current_operation
from symphony.infrastructure.git.files.roots import GitRoots, OpenedRoots
from symphony.infrastructure.git.files.unreadable import Unreadable, broken, refused
from symphony.infrastructure.git.files.untrusted_directory import CopyBudget, UntrustedDirectory
from symphony.infrastructure.git.process.private_directory import (
    PrivateDirectory,
    create_private_directory,
)
from symphony.infrastructure.git.process.program import Program
from symphony.infrastructure.git.status import filters, submodules
from symphony.infrastructure.git.status.index import check_index
from symphony.infrastructure.git.status.porcelain import Porcelain, parse_porcelain
from symphony.infrastructure.git.status.submodules import Submodule

MAX_COPIED = 256 << 20  # bytes at the same time: of a submodule and all that contain it
_MAX_DEPTH = 8  # of submodules in submodules
_MAX_STASH_LOG = 16 << 20  # bytes
_MAX_TEXT = 1000  # characters of a commit's subject and author
_COMMIT_FORMAT = "--format=%H%x00%s%x00%an%x00%at"
_IN_A_SUBMODULE = "In a submodule: "
_BARE = "The repository is bare: it has no files to compare."


class Inspector:
    """The inspections for one caller, in the thread of the caller."""

    def __init__(
        self, roots: GitRoots, temporary: Path, program: Program, max_copied: int = MAX_COPIED
    ) -> None:
        self._roots = roots
        self._temporary = temporary
        self._program = program
        self._budget = CopyBudget(max_copied)

    def inspect(self, path: str) -> RepoStatus:
        """Return the status of the repository at a path; every problem with it is a state.

        Raises: Stopped.
        """
        started_at = utc_now()
        try:
            with self.open(path) as private:
                return self._status(private, started_at)
        except Unreadable as unreadable:
            state, reason = unreadable.state, unreadable.reason
        except OSError as error:
            state = RepoState.ERROR
            reason = f"The repository cannot be read: {error.strerror or 'unknown error'}."
        return RepoStatus(state=state, reason=reason, observed_at=started_at)

    @contextmanager
    def open(self, path: str) -> Generator[PrivateDirectory]:
        """Create a private git directory for the repository at a path.

        Raises: Unreadable, Stopped, OSError.
        """
        with (
            self._roots.opened(self._program.check_stopped) as roots,
            open_directory(path, roots) as directory,
            self._open(directory, roots) as private,
        ):
            yield private

    @contextmanager
    def _open(
        self, directory: UntrustedDirectory, roots: OpenedRoots
    ) -> Generator[PrivateDirectory]:
        with locate(directory, roots) as found, self._copies() as path:
            config = read_config(found)
            with work_tree.configured(found, config) as location:
                objects = find_object_directories(location.common_directory, roots)
                yield create_private_directory(
                    location, config, objects, self._program, path, self._budget
                )

    @contextmanager
    def _copies(self) -> Generator[Path]:
        """Create a temporary directory for copies; its removal restores the budget."""
        remaining = self._budget.remaining
        with tempfile.TemporaryDirectory(dir=self._temporary) as path:
            yield Path(path)
        self._budget.remaining = remaining

    def _status(self, private: PrivateDirectory, started_at: datetime) -> RepoStatus:
        location = private.location
        operation = current_operation(location.git_directory)
        # As in git, each line of the log is a stash.
        stash_log = location.common_directory.read("logs/refs/stash", _MAX_STASH_LOG) or b""
        remotes = {
            printable(name): without_credentials(url)
            for name, url in private.config.subsections("remote", "url")
        }
        is_bare = work_tree.is_bare(location, private.config)
        compared, modified = (_bare(private), 0) if is_bare else self._compare(private, depth=0)
        is_dirty = compared.staged or modified or compared.untracked or compared.conflicted
        return RepoStatus(
            state=RepoState.DIRTY if is_dirty else RepoState.CLEAN,
            reason=_BARE if is_bare else None,
            is_bare=is_bare,
            branch=None if private.branch is None else printable(private.branch),
            head=None if compared.head is None else _head(private, compared.head),
            upstream=compared.upstream,
            ahead=compared.ahead,
            behind=compared.behind,
            staged=compared.staged,
            modified=modified,
            untracked=compared.untracked,
            conflicted=compared.conflicted,
            stashes=stash_log.count(b"\n"),
            operation=operation,
            remotes=remotes,
            observed_at=started_at,
        )

    def _compare(self, private: PrivateDirectory, depth: int) -> tuple[Porcelain, int]:
        """Return what git reports, and the number of modified files and submodules."""
        recorded = check_index(private)
        porcelain = parse_porcelain(
            private.git(
                # The option keeps git out of submodules, whatever .gitmodules says.
                "status", "--porcelain=v2", "-z", "--branch",
                "--ignore-submodules=dirty",
            ),
            self._program.check_stopped,
        )  # fmt: skip
        modified = (
            porcelain.otherwise_modified
            + filters.count_modified(private, porcelain.modified)
            + submodules.count_modified(
                private,
                recorded,
                lambda directory: self._submodule(directory, private.location.roots, depth + 1),
            )
        )
        return porcelain, modified

    def _submodule(
        self, directory: UntrustedDirectory, roots: OpenedRoots, depth: int
    ) -> Submodule:
        if depth > _MAX_DEPTH:
            raise broken(f"{_IN_A_SUBMODULE}The submodules are nested too deeply.")
        try:
            with self._open(directory, roots) as private:
                porcelain, modified = self._compare(private, depth)
        except Unreadable as unreadable:
            # The superproject exists and is a repository, so it is neither missing nor none.
            error = refused if unreadable.state == RepoState.REFUSED else broken
            reason = _IN_A_SUBMODULE + unreadable.reason.removeprefix(_IN_A_SUBMODULE)
            raise error(reason) from None
        return Submodule(
            porcelain.head,
            has_changes=bool(porcelain.staged or modified or porcelain.conflicted),
            has_untracked=bool(porcelain.untracked),
        )


def _bare(private: PrivateDirectory) -> Porcelain:
    """Return the head of a bare repository, which has no files to compare.

    Before the first commit git prints no head.
    """
    head = private.git("rev-parse", "--revs-only", "HEAD").decode().strip()
    return Porcelain(head=head or None)


def _head(private: PrivateDirectory, commit: str) -> Head:
    roots = private.location.roots
    check_loose_object(private.object_directories, commit, roots)
    output = private.git("log", "--no-walk", "--encoding=UTF-8", _COMMIT_FORMAT, commit, "--")
    if not output:  # git compares files with a tree, too
        raise broken("HEAD does not refer to a commit.")
    commit_id, subject, author, seconds = decode(output.removesuffix(b"\n")).split("\0")
    if commit_id != commit:  # HEAD or the branch is at a tag
        check_loose_object(private.object_directories, commit_id, roots)
    return Head(commit_id, subject[:_MAX_TEXT], author[:_MAX_TEXT], _time(seconds))


def _time(seconds: str) -> datetime | None:
    try:
        return datetime.fromtimestamp(int(seconds), UTC)
    except (ValueError, OverflowError, OSError):
        return None
