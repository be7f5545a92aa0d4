"""What is in an index is looked through as it comes, whatever there is of it."""

from pathlib import Path

import pytest

from symphony.domain.git import RepoState
from symphony.infrastructure.git.files.unreadable import Unreadable
from symphony.infrastructure.git.process import program
from symphony.infrastructure.git.status import index
from symphony.infrastructure.git.status.index import Entries
from symphony.infrastructure.git.status.local import LocalGit
from tests.support.repositories import USER, Repository

ID = "1" * 40


def entry(path: str, mode: str = "100644", tag: str = "H") -> bytes:
    return f"{tag} {mode} {ID} 0\t{path}\0".encode()


def taken(told: bytes, at_once: int = 1 << 16) -> Entries:
    entries = Entries(Path("/nowhere"))
    for start in range(0, len(told), at_once):
        entries.take(told[start : start + at_once])
    return entries


@pytest.mark.parametrize(
    "path",
    ["", "/", "/a", "a/", "a//b", ".", "..", "./a", "../a", "a/.", "a/..", "a/./b", "a/../b",
     ".git", ".git/a", "a/.GIT", "a/.Git/b", "a\tb/../c", "a\nb/..", "100644 1 0\t/a/../b"],
)  # fmt: skip
@pytest.mark.parametrize("mode", ["100644", "120000", "160000", "040000"])
@pytest.mark.parametrize("at_once", [1, 1 << 16])
def test_a_path_that_git_would_not_add_is_refused(path: str, mode: str, at_once: int) -> None:
    told = entry("file") + entry(path, mode) + entry("other")
    if (path, mode) == ("a/", "040000"):
        taken(told, at_once)
        return
    with pytest.raises(Unreadable) as refusal:
        taken(told, at_once)
    assert refusal.value.state == RepoState.REFUSED


def test_any_other_path_is_not() -> None:
    paths = (
        "a", "...", "..a", "a..", ".a/b", "a/...", ".gitignore", ".github/a", "a.git", "a/.git2",
        "a\t/b", "a\t../b", "a/\tb", "a\n/b", "H 100644 1 0\t/a", "\\a", "a/b.git/c", "-", "~/a",
    )  # fmt: skip
    assert taken(b"".join(map(entry, paths))).submodules == []


@pytest.mark.parametrize("at_once", [1, 7, 1 << 16])
def test_submodules_are_told_wherever_what_git_says_is_cut(at_once: int) -> None:
    conflict = f"M 160000 {ID} 1\tc\0".encode()
    told = entry("a") + entry("b\tb", "160000") + conflict + entry("d", "160000", "S") + entry("e")
    assert taken(told, at_once).submodules == [("b\tb", ID), ("d", ID)]


def test_a_path_has_a_bound_and_so_have_submodules(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index, "_MAX_PATH", 100)
    monkeypatch.setattr(index, "_MAX_SUBMODULES", 200)
    taken(entry("a" * 200) + entry("b", "160000"))
    with pytest.raises(Unreadable, match="more than 100 bytes"):
        taken(entry("a" * 200), at_once=50)
    with pytest.raises(Unreadable, match="too many submodules"):
        taken(b"".join(entry(f"b{each}", "160000") for each in range(5)))


async def test_any_number_of_files_and_submodules_is_read(
    root: Path, git: LocalGit, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = Repository.made(root / "repo")
    for number in range(50):
        repo.write(f"file-{number}")
    # Whose size is in the index what the mode of a submodule is there.
    repo.write("table", b"\0" * 0o160000)
    repo.git("add", ".")
    repo.git("commit", "--quiet", "--message=files")
    monkeypatch.setattr(program, "MAX_OUTPUT", 1000)
    seen = await git.status(USER, str(repo.path))
    assert (seen.state, seen.reason) == (RepoState.CLEAN, None)
    inner = Repository.made(repo.path / "inner")
    inner.commit()
    repo.git("add", "inner")
    repo.git("commit", "--quiet", "--message=submodule")
    assert (await git.status(USER, str(repo.path))).state == RepoState.CLEAN
    inner.commit("new")
    seen = await git.status(USER, str(repo.path))
    assert (seen.modified, seen.untracked) == (1, 0)
