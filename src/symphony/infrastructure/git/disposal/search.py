"""The search for what would be lost with the directory of a repository, beside its status."""

import os
import re
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from symphony.domain.git.assessment import DisposalFindings
from symphony.domain.git.status import RepoState, RepoStatus
from symphony.domain.git.work import RemoteHeads, WorkKind
from symphony.infrastructure.git.disposal.checkout import InspectedCheckout
from symphony.infrastructure.git.disposal.file_search import (
    FileSearch,
    SearchBudget,
    TrackedPaths,
)
from symphony.infrastructure.git.disposal.large_files import large_files
from symphony.infrastructure.git.disposal.tracking_branches import compare_with_sync
from symphony.infrastructure.git.files.decoding import printable
from symphony.infrastructure.git.files.location import Location
from symphony.infrastructure.git.files.roots import real_path
from symphony.infrastructure.git.files.unreadable import Unreadable
from symphony.infrastructure.git.files.untrusted_directory import Identity
from symphony.infrastructure.git.files.work_tree import is_bare
from symphony.infrastructure.git.history.commits import Reader
from symphony.infrastructure.git.history.other_refs import read_other_refs, reason_of_risk
from symphony.infrastructure.git.history.own_remotes import local_path
from symphony.infrastructure.git.process.private_directory import PrivateDirectory
from symphony.infrastructure.git.process.program import OutOfTime

_TIME_LIMIT = 3.0  # seconds, for commits
_MAX_NAMES = 5  # in a sentence
_MAX_BESIDE = 1_000  # files and directories beside a bare repository, more of which say no more
_INDEX_PATH = re.compile(rb"\0[^\t\0]*\t([^\0]+)(?=\0)")
_OWN_ENTRIES = (".git",)
_OWN_ENTRIES_OF_BARE = ("objects", "refs", "logs", "hooks", "info", "lfs", "modules", "worktrees")


@dataclass(slots=True)
class _Found:
    """What was found, with absolute paths: those of linked worktrees elsewhere do not count."""

    submodules: list[Path] = field(default_factory=list[Path])
    secrets: list[Path] = field(default_factory=list[Path])
    nested: list[Path] = field(default_factory=list[Path])
    unreadable: list[Path] = field(default_factory=list[Path])
    shallow: list[Path] = field(default_factory=list[Path])
    partial: list[Path] = field(default_factory=list[Path])
    undetermined: list[Path] = field(default_factory=list[Path])
    large_files: list[Path] = field(default_factory=list[Path])


class DisposalSearch:
    """A search during one inspection, which calls `visit` for each submodule and the repository.

    `synced` is what the last sync of the repo saw of its remote.
    """

    def __init__(self, synced: RemoteHeads | None, budget: SearchBudget | None = None) -> None:
        self._synced = synced
        self._budget = budget or SearchBudget()
        self._visited = set[Identity]()
        self._found = _Found()
        self._remotes: list[tuple[Path, str, Path | None]] = []
        self._unchecked = list[str]()
        self._last: InspectedCheckout | None = None
        self._top = Path()
        self._detached_commits: int | None = 0
        self._outdated = list[str]()
        self._beside = list[Path]()

    def visit(self, checkout: InspectedCheckout) -> None:
        """Raises: Unreadable, Stopped, OSError."""
        private = checkout.private
        location, found = private.location, self._found
        directories = [location.work_tree, location.git_directory, location.common_directory]
        self._visited |= {each.identity for each in directories if each is not None}
        top = _top(location)
        self._search_files(private, top)
        if location.common_directory.size("shallow"):
            found.shallow.append(top)
        if private.config.is_partial_clone():
            found.partial.append(top)
        self._add_remotes(private, top)
        if checkout.is_submodule:
            self._visit_submodule(checkout, top)
        else:
            self._visit_repository(checkout, top)

    def findings(self, status: RepoStatus) -> DisposalFindings | None:
        """Return the findings; None when the repository was not inspected."""
        if self._last is None or status.state not in {RepoState.CLEAN, RepoState.DIRTY}:
            return None
        top, found = self._top, self._found
        worktrees = {each.path for each in status.worktrees}
        own = [(name, path) for at, name, path in self._remotes if at == top]
        inner = [name for name, path in own if _is_inside(path, top)]
        of_submodules = [
            name for at, name, path in self._remotes if at != top and _is_inside(path, top)
        ]
        unchecked = list(self._unchecked)
        for text, paths in (
            ("cannot be read", found.unreadable),
            ("is a submodule of which not everything was checked", found.undetermined),
        ):
            unchecked += [f"{each} {text}." for each in _relative(paths, top)]
        unchecked += [
            f"The remote {each} of a submodule is in the directory." for each in of_submodules
        ]
        if beside := _relative(self._beside_of(status), top):
            names = ", ".join(beside[:_MAX_NAMES]) + (" and more" if beside[_MAX_NAMES:] else "")
            unchecked.append(f"The repository is bare; files beside it are not compared: {names}.")
        if self._budget.is_exceeded:
            unchecked.append("The directory has more files than the limit of the search.")
        return DisposalFindings(
            work=self._last.work,
            files_at_risk=self._last.files_at_risk,
            detached_commits=self._detached_commits,
            inner_remotes=inner,
            outer_remotes=[name for name, _ in own if name not in inner],
            submodules=_relative(found.submodules, top),
            secrets=_relative(found.secrets, top),
            nested=_relative((e for e in found.nested if printable(str(e)) not in worktrees), top),
            outdated=[printable(each) for each in self._outdated],
            large_files=_relative(found.large_files, top),
            shallow=_relative(found.shallow, top),
            partial=_relative(found.partial, top),
            unchecked=unchecked,
        )

    def _beside_of(self, status: RepoStatus) -> list[Path]:
        worktrees = [Path(each.path) for each in status.worktrees]
        return [
            path
            for path in self._beside
            if not any(each.is_relative_to(path) for each in worktrees)
        ]

    def _visit_submodule(self, checkout: InspectedCheckout, top: Path) -> None:
        if checkout.at_risk:
            self._found.submodules.append(top)
        elif checkout.at_risk is None or checkout.work.reason is not None:
            self._found.undetermined.append(top)
        common = checkout.private.location.common_directory
        self._found.large_files += [top / each for each in large_files(common)]

    def _visit_repository(self, checkout: InspectedCheckout, top: Path) -> None:
        self._last, self._top = checkout, top
        location = checkout.private.location
        if location.work_tree is not None and location.work_tree.mode(".git") is None:
            self._unchecked.append("The files of the repository are in another directory.")
        if is_bare(location, checkout.private.config):
            self._beside = [top / each for each in _beside_git_directory(location)]
        if location.is_linked and location.common_directory.path.is_relative_to(top):
            self._unchecked.append("The repository of this worktree is in the directory.")
        if not location.is_linked:
            common = location.common_directory
            self._found.large_files += [top / each for each in large_files(common)]
        reader = Reader(checkout.private, time.monotonic() + _TIME_LIMIT)
        try:
            self._compare_commits(reader, checkout)
        except OutOfTime:
            self._unchecked.append("The remote-tracking branches took too long to compare.")

    def _compare_commits(self, reader: Reader, checkout: InspectedCheckout) -> None:
        location = reader.private.location
        refs = checkout.refs.read()
        branches = compare_with_sync(reader, refs, self._synced)
        self._outdated = branches.outdated
        if branches.reason is not None:
            self._unchecked.append(branches.reason)
        self._unchecked += [
            f"The remote-tracking branch {printable(each)} is of no remote of the configuration."
            for each in branches.foreign
        ]
        if not location.is_linked:
            return
        tips = {*refs.branches.values(), *refs.tags.values(), *refs.remotes.values()}
        reason = reason_of_risk(reader, read_other_refs(location.git_directory, {}), tips)
        if reason is not None:
            self._unchecked.append(reason)
        if reader.private.branch is None and checkout.head is not None:
            self._detached_commits = _reached_only(reader, checkout, tips)

    def _search_files(self, private: PrivateDirectory, top: Path) -> None:
        location = private.location
        directory = location.work_tree
        skipped = _OWN_ENTRIES
        if directory is None or directory.mode(".git") is None:
            directory, skipped = location.git_directory, _OWN_ENTRIES_OF_BARE
        search = FileSearch(self._budget, self._visited, skipped)
        search.run(directory)
        candidates = search.candidates
        tracked = TrackedPaths(candidates)
        if candidates:
            private.list_index_entries(_PathReader(tracked).consume)
        found = self._found
        found.secrets += _below(top, candidates.secrets_without(tracked))
        found.nested += _below(top, candidates.bare_without(tracked))
        found.nested += [top / each for each in search.repositories]
        found.unreadable += [top / each for each in search.unreadable]

    def _add_remotes(self, private: PrivateDirectory, top: Path) -> None:
        for name, url in private.config.subsections("remote", "url"):
            local = local_path(private.config, url)
            path = None if local is None else real_path(top / local)
            self._remotes.append((top, printable(name), path))


class _PathReader:
    """Reads the paths in the output of `git ls-files -v --stage -z`, in chunks."""

    def __init__(self, tracked: TrackedPaths) -> None:
        self._tracked = tracked
        self._rest = b"\0"

    def consume(self, chunk: bytes) -> None:
        output = self._rest + chunk
        end = output.rindex(b"\0")
        self._rest = output[end:]
        for match in _INDEX_PATH.finditer(output[: end + 1]):
            self._tracked.add(match[1])


def _reached_only(reader: Reader, checkout: InspectedCheckout, tips: Iterable[str]) -> int | None:
    """Return how many commits the detached HEAD of a worktree reaches and no tip does, unless their
    change is integrated; None when it is unknown."""
    head = checkout.head
    assert head is not None  # noqa: S101 - of a detached HEAD
    for item in checkout.work.items:
        is_own = item.kind == WorkKind.DETACHED and item.head == head
        if is_own and item.integrated.is_proved:
            return 0
    try:
        commits = reader.reached([head], reader.existing(set(tips)), limit=20_000)
    except Unreadable as unreadable:
        if unreadable.state == RepoState.REFUSED:
            raise
        return None
    return None if commits is None else len(commits)


def _beside_git_directory(location: Location) -> list[str]:
    """Return what is in the directory of a bare repository beside its git directory."""
    top, git_directory = location.work_tree, location.git_directory
    if top is None:
        return []
    names = (
        entry.name
        for entry in top.entries()
        if entry.name != ".git" and not git_directory.path.is_relative_to(top.path / entry.name)
    )
    return list(islice(names, _MAX_BESIDE))


def _top(location: Location) -> Path:
    """Return the directory that would be deleted."""
    work_tree = location.work_tree
    if work_tree is None or work_tree.mode(".git") is None:
        return location.git_directory.path
    return work_tree.path


def _below(top: Path, paths: Iterable[bytes]) -> list[Path]:
    return [top / os.fsdecode(each) for each in paths]


def _relative(paths: Iterable[Path], top: Path) -> list[str]:
    """Return the paths inside the directory, relative to it."""
    inside = {each for each in paths if each.is_relative_to(top)}
    return sorted("." if each == top else printable(str(each.relative_to(top))) for each in inside)


def _is_inside(path: Path | None, top: Path) -> bool:
    return path is not None and path.is_relative_to(top)
