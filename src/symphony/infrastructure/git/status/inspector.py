"""The inspection of one repository."""

from collections.abc import Collection, Generator
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from pathlib import Path

from symphony.domain.base import utc_now
from symphony.domain.git.since import earliest
from symphony.domain.git.status import RepoState, RepoStatus, is_at_risk
from symphony.domain.git.work import RemoteHeads, Tracking, Work
from symphony.infrastructure.git.disposal.checkout import (
    InspectedCheckout,
    Visit,
    ignore_checkout,
)
from symphony.infrastructure.git.files import work_tree
from symphony.infrastructure.git.files.credentials import without_credentials
from symphony.infrastructure.git.files.decoding import printable
from symphony.infrastructure.git.files.location import open_directory
from symphony.infrastructure.git.files.operations import current_operation, operation_times
from symphony.infrastructure.git.files.roots import GitRoots, OpenedRoots
from symphony.infrastructure.git.files.unreadable import Unreadable, broken, refused
from symphony.infrastructure.git.files.untrusted_directory import (
    CopyBudget,
    Identity,
    UntrustedDirectory,
)
from symphony.infrastructure.git.files.user_config import ATTRIBUTES, EXCLUDES, UserConfig
from symphony.infrastructure.git.history.items import Checkout
from symphony.infrastructure.git.history.memory import Memories, Memory
from symphony.infrastructure.git.history.refs import RefsOnce
from symphony.infrastructure.git.history.work import read_work, unknown_work
from symphony.infrastructure.git.process.private_directory import (
    PrivateDirectory,
)
from symphony.infrastructure.git.process.program import Program
from symphony.infrastructure.git.status import filters, marked_files, submodules
from symphony.infrastructure.git.status.changed_since import earliest_of, files_changed_since
from symphony.infrastructure.git.status.compared import Compared, bare_repository
from symphony.infrastructure.git.status.findings import Findings, joined
from symphony.infrastructure.git.status.head import head_id, read_head
from symphony.infrastructure.git.status.index import check_index
from symphony.infrastructure.git.status.linked_worktrees import (
    Inspected,
    Others,
    inspect_others,
)
from symphony.infrastructure.git.status.porcelain import Porcelain, parse_porcelain
from symphony.infrastructure.git.status.private_directories import PrivateDirectories
from symphony.infrastructure.git.status.stored_submodules import (
    find_staged,
    stored,
    work_tree_of,
)
from symphony.infrastructure.git.status.submodules import Submodule
from symphony.infrastructure.git.status.surveyed import Surveyed
from symphony.infrastructure.git.status.unchecked import (
    find_other_case,
    find_stashes,
    find_unchecked,
    find_unreadable,
)

MAX_COPIED = 256 << 20  # bytes at the same time: of a submodule and all that contain it
_MAX_DEPTH = 8  # of submodules in submodules
_IN_A_SUBMODULE = "In a submodule: "
_IN_A_STORED_SUBMODULE = "In a submodule that is not checked out: "
_BARE = "The repository is bare: it has no files to compare."


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
        self._program = program
        self._private = PrivateDirectories(temporary, program, CopyBudget(max_copied), user_config)
        self._memories = Memories()
        self._visit: Visit = ignore_checkout
        self._surveyed = set[Identity]()  # the repositories whose other worktrees are inspected

    def inspect(
        self,
        path: str,
        synced: RemoteHeads | None = None,
        visit: Visit = ignore_checkout,
        memories: Memories | None = None,
    ) -> RepoStatus:
        """Return the status of the repository at a path; every problem with it is a state.

        It calls `visit` with each submodule and then the repository, while they are open. Without
        `memories` of earlier inspections, everything is asked of git.

        Raises: Stopped.
        """
        self._visit = visit
        if memories is not None:
            self._memories = memories
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
            self._private.open(directory, roots) as private,
        ):
            yield private

    def _status(
        self, private: PrivateDirectory, synced: RemoteHeads | None, started_at: datetime
    ) -> RepoStatus:
        location = private.location
        operation = current_operation(location.git_directory)
        started = operation_times(location.git_directory) if operation else ()
        remotes = {
            printable(name): without_credentials(url)
            for name, url in private.config.subsections("remote", "url")
        }
        is_bare = work_tree.is_bare(location, private.config)
        result = self._files(private, depth=0)
        compared = result.porcelain
        head, committed_at = None, None
        memory = self._memories.of(private)
        if compared.head is not None:
            read = partial(read_head, private, compared.head)
            head, committed_at = memory.heads.one(compared.head, read)
        own = Checkout(
            None if location.work_tree is None else str(location.work_tree.path),
            private.branch,
            compared.head,
            committed_at,
        )
        surveyed = self._survey(private, memory, result, own, synced, depth=0)
        work = surveyed.work
        tracking = work.tracking or Tracking(
            compared.ahead, compared.behind, is_behind=bool(compared.behind)
        )
        self._pass_on(private, memory, result, surveyed)
        return RepoStatus(
            state=RepoState.DIRTY if result.is_dirty else RepoState.CLEAN,
            reason=joined([_BARE if is_bare else None, *surveyed.reasons]),
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
            stashes=surveyed.stashes.count,
            operation=operation,
            remotes=remotes,
            unpushed_commits=work.unpushed_commits,
            work=work.items,
            work_truncated=work.is_truncated,
            worktrees=surveyed.others.worktrees,
            at_risk=surveyed.at_risk,
            places=work.places,
            as_of=work.as_of,
            main_repository=str(location.main_directory) if location.is_linked else None,
            changed_since=earliest([result.changed_since, earliest_of(started)]),
            stashed_since=surveyed.stashes.since,
            observed_at=started_at,
        )

    def _pass_on(
        self,
        private: PrivateDirectory,
        memory: Memory,
        result: Compared,
        surveyed: Surveyed,
        *,
        is_submodule: bool = False,
    ) -> None:
        self._visit(
            InspectedCheckout(
                private=private,
                memory=memory,
                refs=surveyed.refs,
                head=result.porcelain.head,
                work=surveyed.work,
                at_risk=surveyed.at_risk,
                files_at_risk=result.is_dirty or result.findings.at_risk,
                is_submodule=is_submodule,
            )
        )

    def _survey(
        self,
        private: PrivateDirectory,
        memory: Memory,
        result: Compared,
        own: Checkout,
        synced: RemoteHeads | None,
        depth: int,
    ) -> Surveyed:
        """Find what exists only in a repository, of which one worktree was compared.

        Raises: Unreadable (refused), Stopped, OSError.
        """
        repository = private.location.common_directory.identity
        self._surveyed.add(repository)
        refs = RefsOnce(private.location.common_directory)
        try:
            others, work = self._work(private, memory, own, synced, refs, depth)
        finally:
            self._surveyed.discard(repository)
        stashes = find_stashes(private)
        findings = Findings()
        findings.add(result.findings)
        findings.add(others.findings)
        at_risk = is_at_risk(
            has_changes=result.is_dirty or stashes.count > 0,
            has_commits=_has_commits(own.head, work),
            has_remote=any(private.config.subsections("remote", "url")),
            unpushed=work.at_risk,
            worktrees=others.worktrees,
            hidden=findings.at_risk,
        )
        unknown = findings.unknown if at_risk is None else ()
        reasons = [work.reason, *findings.notes, *unknown]
        return Surveyed(others, refs, work, stashes, at_risk, reasons, result.changed_since)

    def _work(
        self,
        private: PrivateDirectory,
        memory: Memory,
        own: Checkout,
        synced: RemoteHeads | None,
        refs: RefsOnce,
        depth: int,
    ) -> tuple[Others, Work]:
        """Return the other worktrees, and the committed work of the whole repository."""
        inspect = partial(self._other_worktree, private, depth)
        try:
            others = inspect_others(private.location, inspect)
        except Unreadable as unreadable:
            if unreadable.state == RepoState.REFUSED:
                raise
            return Others(), unknown_work(unreadable.reason)
        return others, read_work(private, memory, [own, *others.checkouts], synced, refs)

    def _other_worktree(self, shared: PrivateDirectory, depth: int, path: Path) -> Inspected:
        """Raises: Unreadable, Stopped, OSError."""
        with (
            open_directory(str(path), shared.location.roots) as directory,
            self._private.open_worktree(directory, shared) as private,
        ):
            location = private.location
            result = self._files(private, depth)
            is_bare = work_tree.is_bare(location, private.config)
            top = None if is_bare or location.work_tree is None else location.work_tree.path
            return Inspected(
                top,
                result.porcelain.head,
                result.is_dirty,
                result.findings,
                result.changed_since,
            )

    def _files(self, private: PrivateDirectory, depth: int) -> Compared:
        is_bare = work_tree.is_bare(private.location, private.config)
        return bare_repository(private) if is_bare else self._compare(private, depth)

    def _compare(self, private: PrivateDirectory, depth: int) -> Compared:
        findings = find_unchecked(private)
        index = check_index(private)
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
        findings.add(find_unreadable(self._program.error_output))
        if not porcelain.untracked:
            findings.add(find_other_case(private))
        findings.add(marked_files.compare(private, index.marked))
        files = filters.compare(private, porcelain.modified)
        findings.add(files.findings())
        inspect = partial(self._submodule, roots=private.location.roots, depth=depth + 1)
        inner = submodules.compare(private, index.submodules, inspect)
        findings.add(inner.findings)
        findings.add(self._stored_submodules(private, inner.git_directories, depth))
        modified = porcelain.otherwise_modified + files.modified + inner.modified
        changed = [each for each in porcelain.changed if each.path not in files.undecided]
        since = None
        if changed and (top := private.location.work_tree) is not None:
            since = files_changed_since(top, changed)
        return Compared(porcelain, modified, findings, since)

    def _submodule(
        self, directory: UntrustedDirectory, roots: OpenedRoots, depth: int
    ) -> Submodule:
        if depth > _MAX_DEPTH:
            raise broken(f"{_IN_A_SUBMODULE}The submodules are nested too deeply.")
        try:
            with self._private.open(directory, roots) as private:
                result = self._compare(private, depth)
                findings = self._only_in_submodule(private, result, depth)
                identity = private.location.git_directory.identity
        except Unreadable as unreadable:
            # The superproject exists and is a repository, so it is neither missing nor none.
            error = refused if unreadable.state == RepoState.REFUSED else broken
            reason = _IN_A_SUBMODULE + unreadable.reason.removeprefix(_IN_A_SUBMODULE)
            raise error(reason) from None
        return Submodule(
            result.porcelain.head,
            has_changes=result.has_changes,
            has_untracked=bool(result.porcelain.untracked),
            git_directory=identity,
            findings=findings,
        )

    def _only_in_submodule(
        self, private: PrivateDirectory, result: Compared, depth: int
    ) -> Findings:
        """Return what exists only in a submodule. Raises: Unreadable, Stopped, OSError."""
        findings = Findings()
        repository = private.location.common_directory.identity
        if repository in self._surveyed:  # it is a worktree of a repository that contains it
            findings.is_at_risk = result.is_dirty
            findings.add(result.findings, _IN_A_SUBMODULE)
            findings.since = result.changed_since
            return findings
        own = Checkout(None, private.branch, result.porcelain.head)
        memory = self._memories.of(private)
        surveyed = self._survey(private, memory, result, own, None, depth)
        self._pass_on(private, memory, result, surveyed, is_submodule=True)
        return surveyed.as_findings(_IN_A_SUBMODULE)

    def _stored_submodules(
        self, private: PrivateDirectory, inspected: Collection[Identity], depth: int
    ) -> Findings:
        """Return what exists only in submodules that are not checked out. Raises: Stopped."""
        findings = Findings()
        roots = private.location.roots
        try:
            for directory in stored(private.location.git_directory, inspected):
                findings.add(self._stored_submodule(directory, roots, depth + 1))
        except Unreadable as unreadable:
            findings.unknown.append(_IN_A_STORED_SUBMODULE + unreadable.reason)
        except OSError as error:
            cause = error.strerror or "unknown error"
            findings.unknown.append(f"{_IN_A_STORED_SUBMODULE}It cannot be read: {cause}.")
        return findings

    def _stored_submodule(
        self, directory: UntrustedDirectory, roots: OpenedRoots, depth: int
    ) -> Findings:
        """Raises: Unreadable, Stopped, OSError."""
        with work_tree_of(directory, roots) as top:
            if top is not None:
                return self._submodule(top, roots, depth).findings
        if depth > _MAX_DEPTH:
            raise broken("The submodules are nested too deeply.")
        with self._private.open_without_files(directory, roots) as private:
            head = head_id(private)
            findings = find_staged(private, head)
            findings.add(self._stored_submodules(private, (), depth))
            result = Compared(Porcelain(head=head), 0, findings)
            own = Checkout(None, private.branch, head)
            memory = self._memories.of(private)
            surveyed = self._survey(private, memory, result, own, None, depth)
            self._pass_on(private, memory, result, surveyed, is_submodule=True)
        return surveyed.as_findings(_IN_A_STORED_SUBMODULE)


def _has_commits(head: str | None, work: Work) -> bool | None:
    """Return whether there is any commit; None when it is unknown."""
    if head is not None or work.items:
        return True
    return None if work.unpushed_commits is None or work.at_risk is None else False
