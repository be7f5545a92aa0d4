"""The entries of an index of any size are checked in chunks."""

from pathlib import Path

import pytest

from scripts.support.git_repository import Repository
from symphony.domain.git.status import RepoState
from symphony.infrastructure.git.files.unreadable import Unreadable
from symphony.infrastructure.git.process.program import ProgramOptions
from symphony.infrastructure.git.status.index import IndexCheck, IndexLimits
from symphony.infrastructure.git.status.limits import InspectionLimits
from symphony.infrastructure.git.status.marked_files import MarkedFiles
from tests.infrastructure.git.factories import NewGit
from tests.support.repositories import USER, opened

ID = "1" * 40


def entry(path: str, mode: str = "100644", tag: str = "H", stage: int = 0) -> bytes:
    return f"{tag} {mode} {ID} {stage}\t{path}\0".encode()


def checked(
    output: bytes, chunk_size: int = 1 << 16, limits: IndexLimits | None = None
) -> IndexCheck:
    with opened(Path("/")) as work_tree:
        check = IndexCheck(work_tree, limits)
        for start in range(0, len(output), chunk_size):
            check.consume(output[start : start + chunk_size])
    return check


@pytest.mark.parametrize(
    "path",
    ["", "/", "/a", "a/", "a//b", ".", "..", "./a", "../a", "a/.", "a/..", "a/./b", "a/../b",
     ".git", ".git/a", "a/.GIT", "a/.Git/b", "a\tb/../c", "a\nb/..", "100644 1 0\t/a/../b"],
)  # fmt: skip
@pytest.mark.parametrize("mode", ["100644", "120000", "160000", "040000"])
@pytest.mark.parametrize("chunk_size", [1, 1 << 16])
def test_a_path_that_git_would_not_add_is_refused(path: str, mode: str, chunk_size: int) -> None:
    output = entry("!") + entry(path, mode) + entry("~~")
    if (path, mode) == ("a/", "040000"):
        checked(output, chunk_size)
        return
    with pytest.raises(Unreadable, match="leads outside the working tree") as refusal:
        checked(output, chunk_size)
    assert refusal.value.state == RepoState.REFUSED


@pytest.mark.parametrize(
    "entries",
    [
        [entry("a", "160000"), entry("a", "160000")],
        [entry("a"), entry("b"), entry("a"), entry("b")],
        [entry("a"), entry("a", stage=1)],
        [entry("a", stage=1), entry("a", stage=1)],
        [entry("a", stage=3), entry("a", stage=2)],
        [entry("b"), entry("a")],
        [entry("a", "160000", "S"), entry("a", "160000", "H")],
    ],
)
@pytest.mark.parametrize("chunk_size", [1, 60, 1 << 16])
def test_a_path_that_occurs_twice_or_in_the_wrong_place_is_refused(
    entries: list[bytes], chunk_size: int
) -> None:
    with pytest.raises(Unreadable, match="occurs twice, or in the wrong place") as refusal:
        checked(b"".join(entries), chunk_size)
    assert refusal.value.state == RepoState.REFUSED


@pytest.mark.parametrize("chunk_size", [1, 60, 1 << 16])
def test_the_sides_of_a_conflict_may_have_the_same_path(chunk_size: int) -> None:
    sides = [entry("a", stage=stage) for stage in (1, 2, 3)]
    some = [entry("b", stage=stage) for stage in (1, 3)]
    assert checked(b"".join([*sides, *some, entry("c")]), chunk_size).submodules == []


def test_any_other_path_is_accepted() -> None:
    paths = (
        "a", "...", "..a", "a..", ".a/b", "a/...", ".gitignore", ".github/a", "a.git", "a/.git2",
        "a\t/b", "a\t../b", "a/\tb", "a\n/b", "H 100644 1 0\t/a", "\\a", "a/b.git/c", "-", "~/a",
    )  # fmt: skip
    assert checked(b"".join(map(entry, sorted(paths)))).submodules == []


@pytest.mark.parametrize("tag", "HSMhsm")
def test_an_entry_is_checked_whatever_its_tag(tag: str) -> None:
    for path in ("/etc/passwd", "../a", "a/.git/b"):
        with pytest.raises(Unreadable, match="leads outside the working tree"):
            checked(entry(path, tag=tag))
    assert checked(entry("a", "160000", tag)).submodules == [("a", ID)]


def test_marked_files_that_exist_are_returned_wherever_the_output_is_split(root: Path) -> None:
    (root / "folder").mkdir()
    for name in ("a", "b", "c", "d", "folder/e"):
        (root / name).write_text("")
    output = b"".join(
        entry(name, tag=tag)
        for name, tag in (("a", "h"), ("b", "H"), ("c", "S"), ("d", "s"), ("folder/e", "h"))
    )
    with opened(root) as work_tree:
        for is_sparse, expected in ((False, b"a c d folder/e"), (True, b"a d folder/e")):
            marked = MarkedFiles(work_tree, is_sparse=is_sparse)
            check = IndexCheck(work_tree, marked=marked)
            for start in range(0, len(output), 7):
                check.consume(output[start : start + 7])
            check.consume(entry("gone", tag="h") + entry("z", "160000", "h"))
            assert b" ".join(each.path for each in marked.existing) == expected


@pytest.mark.parametrize("chunk_size", [1, 7, 1 << 16])
def test_submodules_are_returned_wherever_the_output_is_split(chunk_size: int) -> None:
    conflict = entry("c", "160000", "M", stage=1)
    output = (
        entry("a") + entry("b\tb", "160000") + conflict + entry("d", "160000", "S") + entry("e")
    )
    assert checked(output, chunk_size).submodules == [("b\tb", ID), ("d", ID)]


def test_a_path_and_all_submodules_have_a_limit() -> None:
    limits = IndexLimits(max_path=100, max_submodules=200)
    checked(entry("a" * 200) + entry("b", "160000"), limits=limits)
    with pytest.raises(Unreadable, match="longer than 100 bytes"):
        checked(entry("a" * 200), chunk_size=50, limits=limits)
    with pytest.raises(Unreadable, match="too many submodules"):
        checked(b"".join(entry(f"b{each}", "160000") for each in range(5)), limits=limits)


async def test_any_number_of_files_and_submodules_is_read(root: Path, new_git: NewGit) -> None:
    repo = Repository.created(root / "repo")
    for number in range(50):
        repo.write(f"file-{number}")
    # Its size in the index is the number that is the mode of a submodule.
    repo.write("table", b"\0" * 0o160000)
    repo.git("add", ".")
    repo.git("commit", "--quiet", "--message=files")
    git = new_git(InspectionLimits(program=ProgramOptions(max_output=1000)))
    status = await git.status(USER, str(repo.path))
    assert (status.state, status.reason) == (RepoState.CLEAN, None)
    inner = Repository.with_commits(repo.path / "inner", "file")
    repo.git("add", "inner")
    repo.git("commit", "--quiet", "--message=submodule")
    assert (await git.status(USER, str(repo.path))).state == RepoState.CLEAN
    inner.commit("new")
    status = await git.status(USER, str(repo.path))
    assert (status.modified, status.untracked) == (1, 0)
