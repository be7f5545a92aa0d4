"""A directory that is replaced by a symbolic link while it is read leads nowhere.

Each test replaces it at an exact moment, so it needs no luck. Without Landlock as well, nothing
outside the git root may be revealed by what the service reads itself.
"""

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from scripts.support.git_repository import Repository
from symphony.domain.git.status import RepoState, RepoStatus
from symphony.infrastructure.git.discovery.classification import classify
from symphony.infrastructure.git.discovery.walk import Walk
from symphony.infrastructure.git.files.roots import GitRoots, OpenedRoots
from symphony.infrastructure.git.files.stopping import StopSignal
from symphony.infrastructure.git.files.unreadable import Unreadable
from symphony.infrastructure.git.files.untrusted_directory import UntrustedDirectory
from symphony.infrastructure.git.process.program import Program, ProgramOptions
from symphony.infrastructure.git.status import filters, index, inspector, private_directories
from symphony.infrastructure.git.status.inspector import Inspector
from tests.infrastructure.git.corpus.hostile import SECRET, HostileRepository
from tests.infrastructure.git.corpus.submodules import submodule
from tests.support.repositories import opened

Inspect = Callable[[Path], RepoStatus]
SYSTEM_CALLS = ("open", "stat", "lstat", "readlink", "scandir")
URL = "https://example.org/the-secret"


@dataclass
class Swap:
    """Replaces a directory by a symbolic link, once, and puts it back."""

    directory: Path
    target: Path
    is_done: bool = field(default=False, init=False)

    @property
    def _away(self) -> Path:
        return self.directory.with_name("away")

    def do(self) -> None:
        if not self.is_done:
            self.is_done = True
            self.directory.rename(self._away)
            self.directory.symlink_to(self.target)

    def undo(self) -> None:
        if self.is_done:
            self.is_done = False
            self.directory.unlink()
            self._away.rename(self.directory)


def before_call(number: int, swap: Swap, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the swap happen just before one of the following system calls."""
    calls = 0
    for name in SYSTEM_CALLS:
        original: Callable[..., Any] = getattr(os, name)

        def call(*arguments: Any, original: Callable[..., Any] = original, **named: Any) -> Any:
            nonlocal calls
            if calls == number:
                calls += 1
                swap.do()
            calls += 1
            return original(*arguments, **named)

        monkeypatch.setattr(os, name, call)


def at_every_moment(swap: Swap, work: Callable[[], object], monkeypatch: pytest.MonkeyPatch) -> int:
    """Do the work once for each system call that it makes, with the swap just before that call.

    Nothing is revealed, and no file descriptor stays open.
    """
    number, descriptors = 0, len(os.listdir("/dev/fd"))
    while True:
        with monkeypatch.context() as patched:
            before_call(number, swap, patched)
            result = work()
        assert len(os.listdir("/dev/fd")) == descriptors, number
        if not swap.is_done:
            return number
        swap.undo()
        shown = repr(result)
        assert SECRET not in shown, (number, shown)
        assert "the-secret" not in shown, (number, shown)
        assert "secret-branch" not in shown, (number, shown)
        number += 1


@pytest.fixture
def hostile(root: Path, outside: Path) -> HostileRepository:
    """`root/d/repo`, and `outside/d/repo` with the secrets."""
    hostile = HostileRepository.created(root / "d", outside)
    (outside / "d").mkdir()
    secret = Repository(hostile.secret.path.rename(outside / "d/repo"))
    secret.git("branch", "--move", "secret-branch")
    secret.git("config", "remote.origin.url", URL)
    return hostile


@pytest.fixture
def inspect(root: Path, temporary: Path) -> Inspect:
    roots = GitRoots([root])

    def inspect(path: Path) -> RepoStatus:
        return Inspector(roots, temporary, Program(ProgramOptions())).inspect(str(path))

    return inspect


def test_a_search_reveals_nothing_whenever_a_directory_is_replaced(
    hostile: HostileRepository, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git_roots = GitRoots([root])

    def search() -> list[object]:
        found: list[object] = []
        with (
            suppress(Unreadable, OSError),
            git_roots.opened(StopSignal().check) as roots,
            roots.open(root, "The directory") as top,
        ):
            Walk(9, inf).run(top, lambda each: found.append(classify(each, roots)) is None)
        return found

    assert len(search()) == 1
    for name in ("", "d", "d/repo", "d/repo/.git"):
        swap = Swap(root / name, hostile.outside / name)
        assert at_every_moment(swap, search, monkeypatch) > 10


@pytest.mark.long
@pytest.mark.parametrize(
    "name",
    ["", "d", "d/repo", "d/repo/.git", "d/repo/.git/objects", "d/repo/.git/objects/pack",
     "d/repo/.git/refs"],
)  # fmt: skip
def test_an_inspection_reveals_nothing_whenever_a_directory_is_replaced(
    name: str,
    hostile: HostileRepository,
    root: Path,
    inspect: Inspect,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for top in (root, hostile.outside):
        (top / "d/repo/.git/objects/pack").mkdir(exist_ok=True)
    swap = Swap(root / name, hostile.outside / name)
    moments = at_every_moment(swap, lambda: inspect(hostile.repo.path), monkeypatch)
    assert moments > 50


@pytest.mark.long
def test_parts_behind_links_reveal_nothing_whenever_a_directory_is_replaced(
    hostile: HostileRepository, root: Path, inspect: Inspect, monkeypatch: pytest.MonkeyPatch
) -> None:
    for top in (root, hostile.outside):
        (top / "shared").mkdir()
        for name in ("config", "objects", "refs"):
            part = top / "d/repo/.git" / name
            part.rename(top / "shared" / name)
            part.symlink_to(root / "shared" / name)
    assert inspect(hostile.repo.path).state == RepoState.CLEAN
    swap = Swap(root / "shared", hostile.outside / "shared")
    assert at_every_moment(swap, lambda: inspect(hostile.repo.path), monkeypatch) > 50


@pytest.mark.parametrize(
    ("module", "moment"),
    [
        (inspector, "open_directory"),
        (private_directories, "locate"),
        (private_directories, "read_config"),
        (private_directories, "find_object_directories"),
        (inspector, "check_index"),
    ],
)
def test_an_inspection_of_a_directory_that_is_replaced_reveals_nothing(
    module: ModuleType,
    moment: str,
    hostile: HostileRepository,
    root: Path,
    inspect: Inspect,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    swap, original = Swap(root / "d", hostile.outside / "d"), getattr(module, moment)

    def replaced(*arguments: object) -> object:
        swap.do()
        return original(*arguments)

    monkeypatch.setattr(module, moment, replaced)
    status = inspect(hostile.repo.path)
    assert swap.is_done
    assert status.state == RepoState.REFUSED
    assert (status.head, status.branch, status.remotes) == (None, None, {})
    assert SECRET not in repr(status)


def test_the_size_of_a_filtered_file_behind_a_new_link_is_not_compared(
    root: Path, outside: Path, inspect: Inspect, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = Repository.created(root / "repo")
    repo.write(".gitattributes", "* filter=large\n")
    repo.commit("data/file", "six by")
    repo.write("data/file", "changed")
    (outside / "file").write_text("as six")  # of the size that the index has
    assert inspect(repo.path).modified == 1
    swap, count = Swap(repo.path / "data", outside), filters.compare

    def replaced(*arguments: Any) -> filters.Changes:
        swap.do()
        return count(*arguments)

    monkeypatch.setattr(filters, "compare", replaced)
    assert inspect(repo.path).modified == 1
    assert swap.is_done


@pytest.mark.long
def test_a_submodule_is_not_inspected_outside_whenever_its_directory_is_replaced(
    hostile: HostileRepository, inspect: Inspect, monkeypatch: pytest.MonkeyPatch
) -> None:
    submodule(hostile.repo)
    library = hostile.outside / "vendor/lib"
    library.parent.mkdir()
    (hostile.outside / "d/repo").rename(library)
    swap = Swap(hostile.repo.path / "vendor", hostile.outside / "vendor")
    inspected, locate = list[tuple[int, int]](), private_directories.locate

    def recorded(directory: UntrustedDirectory, roots: OpenedRoots) -> object:
        inspected.append(directory.identity)
        return locate(directory, roots)

    monkeypatch.setattr(private_directories, "locate", recorded)
    assert at_every_moment(swap, lambda: inspect(hostile.repo.path), monkeypatch) > 100
    found = library.stat()
    assert len(set(inspected)) == 2
    assert (found.st_dev, found.st_ino) not in inspected


def test_a_file_left_out_behind_a_new_link_is_refused(root: Path, outside: Path) -> None:
    (root / "link").mkdir()
    with opened(root) as work_tree:
        (root / "link").rename(root / "was")
        (root / "link").symlink_to(outside)
        check = index.IndexCheck(work_tree)
        with pytest.raises(Unreadable, match="leads through a symbolic link"):
            check.consume(b"S 100644 1 0\tlink/file\0")
