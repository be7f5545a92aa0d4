"""The inspection of one repository."""

import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from symphony.domain.base import utc_now
from symphony.domain.git.status import Head, RepoState, RepoStatus, any_of, is_at_risk
from symphony.domain.git.work import RemoteHeads, Tracking, Work
from symphony.infrastructure.git.disposal.checkout import (
    InspectedCheckout,
    Visit,
    ignore_checkout,
)
from symphony.infrastructure.git.files import work_tree
from symphony.infrastructure.git.files.config import read_config
from symphony.infrastructure.git.files.credentials import without_credentials
from symphony.infrastructure.git.files.decoding import decode, printable
from symphony.infrastructure.git.files.location import Location, locate, open_directory
from symphony.infrastructure.git.files.objects import check_loose_object, find_object_directories
from symphony.infrastructure.git.files.operations import current_operation
from symphony.infrastructure.git.files.roots import GitRoots, OpenedRoots
from symphony.infrastructure.git.files.unreadable import Unreadable, broken, refused
from symphony.infrastructure.git.files.untrusted_directory import CopyBudget, UntrustedDirectory
from symphony.infrastructure.git.files.user_config import ATTRIBUTES, EXCLUDES, UserConfig
from symphony.infrastructure.git.history.items import Checkout
from symphony.infrastructure.git.history.work import read_work, unknown_work
from symphony.infrastructure.git.process.private_directory import (
    PrivateDirectory,
    create_private_directory,
)
from symphony.infrastructure.git.process.program import Program
from symphony.infrastructure.git.status import filters, submodules
from symphony.infrastructure.git.status.index import check_index
from symphony.infrastructure.git.status.linked_worktrees import (
    Inspected,
    Others,
    inspect_linked,
    main_directory,
)
from symphony.infrastructure.git.status.porcelain import Porcelain, parse_porcelain
from symphony.infrastructure.git.status.submodules import Submodule

MAX_COPIED = 256 << 20  # bytes at the same time: of a submodule and all that contain it
_MAX_DEPTH = 8  # of submodules in submodules
_MAX_STASH_LOG = 16 << 20  # bytes
_MAX_TEXT = 1000  # characters of a commit's subject and author
_COMMIT_FORMAT = "--format=%H%x00%s%x00%an%x00%at%x00%ct"
_IN_A_SUBMODULE = "In a submodule: "
_NO_UNTRACKED_FILES = {"no", "false", "off", "0"}
_BARE = "The repository is bare: it has no files to compare."


@dataclass(frozen=True, slots=True)
class Compared:
    """What git reports of a working tree, the number of modified files and submodules, and whether
    something exists only in a submodule."""

    porcelain: Porcelain
    modified: int
    submodules_at_risk: bool | None

    @property
    def has_changes(self) -> bool:
        return bool(self.porcelain.staged or self.modified or self.porcelain.conflicted)


class Inspector:
    """The inspections for one caller, in the thread of the caller."""

    def __init__(
        self,
        roots: GitRoots,
        temporary: Path,
        program: Program,
        max_copied: int = MAX_COPIED,
        user_config: UserConfig | None = None,
    ) -> None:
        self._roots = roots
        self._temporary = temporary
        self._program = program
        self._budget = CopyBudget(max_copied)
        self._user_config = user_config
        self._visit: Visit = ignore_checkout

    def inspect(
        self, path: str, synced: RemoteHeads | None = None, visit: Visit = ignore_checkout
    ) -> RepoStatus:
        """Return the status of the repository at a path; every problem with it is a state.

        It calls `visit` with each submodule and then the repository, while they are open.

        Raises: Stopped.
        """
        self._visit = visit
        started_at = utc_now()
        try:
            with self.open(path) as private:
                return self._status(private, synced, started_at)
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
            config = read_config(found, self._user_config)
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

    def _status(
        self, private: PrivateDirectory, synced: RemoteHeads | None, started_at: datetime
    ) -> RepoStatus:
        location = private.location
        operation = current_operation(location.git_directory)
        remotes = {
            printable(name): without_credentials(url)
            for name, url in private.config.subsections("remote", "url")
        }
        is_bare = work_tree.is_bare(location, private.config)
        result = _bare(private) if is_bare else self._compare(private, depth=0)
        compared = result.porcelain
        is_dirty = result.has_changes or compared.untracked > 0
        stashes = _count_stashes(location)
        head, committed_at = None, None
        if compared.head is not None:
            head, committed_at = _head(private, compared.head)
        own = Checkout(
            None if location.work_tree is None else str(location.work_tree.path),
            private.branch,
            compared.head,
            committed_at,
        )
        others, work = self._work(private, own, synced)
        tracking = work.tracking or Tracking(
            compared.ahead, compared.behind, is_behind=bool(compared.behind)
        )
        status = RepoStatus(
            state=RepoState.DIRTY if is_dirty else RepoState.CLEAN,
            reason=_BARE if is_bare else work.reason,
            is_bare=is_bare,
            branch=None if private.branch is None else printable(private.branch),
            head=head,
            upstream=compared.upstream,
            ahead=tracking.ahead,
            behind=tracking.behind,
            is_behind=tracking.is_behind,
            staged=compared.staged,
            modified=result.modified,
            untracked=compared.untracked,
            conflicted=compared.conflicted,
            stashes=stashes,
            operation=operation,
            remotes=remotes,
            unpushed_commits=work.unpushed_commits,
            work=work.items,
            work_truncated=work.is_truncated,
            worktrees=others.worktrees,
            at_risk=is_at_risk(
                has_changes=is_dirty or stashes > 0,
                has_commits=_has_commits(compared.head, work),
                has_remote=bool(remotes),
                unpushed=work.at_risk,
                worktrees=others.worktrees,
                submodules=any_of([result.submodules_at_risk, *others.submodules_at_risk]),
                is_complete=_is_complete(private) and not others.incomplete,
            ),
            places=work.places,
            as_of=work.as_of,
            main_repository=main_directory(location),
            observed_at=started_at,
        )
        self._visit(
            InspectedCheckout(
                private=private,
                head=compared.head,
                work=work,
                at_risk=status.at_risk,
                is_complete=_is_complete(private),
                is_submodule=False,
            )
        )
        return status

    def _work(
        self, private: PrivateDirectory, own: Checkout, synced: RemoteHeads | None
    ) -> tuple[Others, Work]:
        """Return the other worktrees, and the committed work of the whole repository."""
        location = private.location
        inspect = partial(self._linked_worktree, location)
        try:
            others = inspect_linked(location, inspect)
        except Unreadable as unreadable:
            if unreadable.state == RepoState.REFUSED:
                raise
            return Others(), unknown_work(unreadable.reason)
        return others, read_work(private, [own, *others.checkouts], synced)

    def _linked_worktree(self, main: Location, path: Path) -> Inspected:
        """Raises: Unreadable, Stopped, OSError."""
        roots = main.roots
        with (
            open_directory(str(path), roots) as directory,
            self._open(directory, roots) as private,
        ):
            if private.location.common_directory.identity != main.common_directory.identity:
                raise broken("The directory belongs to another repository now.")
            result = self._compare(private, depth=0)
            head, untracked = result.porcelain.head, result.porcelain.untracked
            is_dirty = result.has_changes or untracked > 0
            return Inspected(
                head,
                is_dirty=is_dirty,
                is_complete=_is_complete(private),
                submodules_at_risk=result.submodules_at_risk,
            )

    def _compare(self, private: PrivateDirectory, depth: int) -> Compared:
        at_risk = list[bool | None]()

        def inspect_submodule(directory: UntrustedDirectory) -> Submodule:
            submodule = self._submodule(directory, private.location.roots, depth + 1)
            at_risk.append(submodule.at_risk)
            return submodule

        recorded = check_index(private)
        private.require_list(ATTRIBUTES)
        porcelain = parse_porcelain(
            private.git(
                # The option keeps git out of submodules, whatever .gitmodules says.
                "status", "--porcelain=v2", "-z", "--branch",
                "--ignore-submodules=dirty",
            ),
            self._program.check_stopped,
        )  # fmt: skip
        if porcelain.untracked:  # git may ignore these
            private.require_list(EXCLUDES)
        modified = (
            porcelain.otherwise_modified
            + filters.count_modified(private, porcelain.modified)
            + submodules.count_modified(private, recorded, inspect_submodule)
        )
        return Compared(porcelain, modified, any_of(at_risk))

    def _submodule(
        self, directory: UntrustedDirectory, roots: OpenedRoots, depth: int
    ) -> Submodule:
        if depth > _MAX_DEPTH:
            raise broken(f"{_IN_A_SUBMODULE}The submodules are nested too deeply.")
        try:
            with self._open(directory, roots) as private:
                result = self._compare(private, depth)
                at_risk = self._is_submodule_at_risk(private, result)
        except Unreadable as unreadable:
            # The superproject exists and is a repository, so it is neither missing nor none.
            error = refused if unreadable.state == RepoState.REFUSED else broken
            reason = _IN_A_SUBMODULE + unreadable.reason.removeprefix(_IN_A_SUBMODULE)
            raise error(reason) from None
        return Submodule(
            result.porcelain.head,
            has_changes=result.has_changes,
            has_untracked=bool(result.porcelain.untracked),
            at_risk=at_risk,
        )

    def _is_submodule_at_risk(self, private: PrivateDirectory, result: Compared) -> bool | None:
        """Raises: Unreadable, Stopped."""
        head, location = result.porcelain.head, private.location
        work = read_work(private, [Checkout(None, private.branch, head)], None)
        at_risk = is_at_risk(
            has_changes=result.has_changes
            or result.porcelain.untracked > 0
            or _count_stashes(location) > 0,
            has_commits=_has_commits(head, work),
            has_remote=any(private.config.subsections("remote", "url")),
            unpushed=work.at_risk,
            worktrees=(),
            submodules=result.submodules_at_risk,
            is_complete=_is_complete(private),
        )
        self._visit(
            InspectedCheckout(
                private=private,
                head=head,
                work=work,
                at_risk=at_risk,
                is_complete=_is_complete(private),
                is_submodule=True,
            )
        )
        return at_risk


def _has_commits(head: str | None, work: Work) -> bool | None:
    """Return whether there is any commit; None when it is unknown."""
    if head is not None or work.items:
        return True
    return None if work.unpushed_commits is None else False


def _is_complete(private: PrivateDirectory) -> bool:
    """Return whether git looked for untracked files, and no operation has work in its own files.

    An operation may keep patches (`git am`), changes (`--autostash`) or the commits that it started
    from in files, which are on no branch.
    """
    untracked = private.config.last("status.showuntrackedfiles") or ""
    return (
        untracked.lower() not in _NO_UNTRACKED_FILES
        and current_operation(private.location.git_directory) is None
    )


def _count_stashes(location: Location) -> int:
    """As in git, each line of the log is a stash."""
    log = location.common_directory.read("logs/refs/stash", _MAX_STASH_LOG) or b""
    return log.count(b"\n")


def _bare(private: PrivateDirectory) -> Compared:
    """Return the head of a bare repository, which has no files to compare.

    Before the first commit git prints no head.
    """
    head = private.git("rev-parse", "--revs-only", "HEAD").decode().strip()
    return Compared(Porcelain(head=head or None), 0, submodules_at_risk=False)


def _head(private: PrivateDirectory, commit: str) -> tuple[Head, datetime | None]:
    """Return the commit that is checked out, and when it was created."""
    roots = private.location.roots
    check_loose_object(private.object_directories, commit, roots)
    output = private.git("log", "--no-walk", "--encoding=UTF-8", _COMMIT_FORMAT, commit, "--")
    if not output:  # git compares files with a tree, too
        raise broken("HEAD does not refer to a commit.")
    fields = decode(output.removesuffix(b"\n")).split("\0")
    commit_id, subject, author, authored, committed = fields
    if commit_id != commit:  # HEAD or the branch is at a tag
        check_loose_object(private.object_directories, commit_id, roots)
    head = Head(commit_id, subject[:_MAX_TEXT], author[:_MAX_TEXT], _time(authored))
    return head, _time(committed)


def _time(seconds: str) -> datetime | None:
    try:
        return datetime.fromtimestamp(int(seconds), UTC)
    except (ValueError, OverflowError, OSError):
        return None
