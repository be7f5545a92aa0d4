"""`at_risk` is false only when nothing exists only here, whatever `git status` reports."""

from collections.abc import Iterable
from pathlib import Path

import pytest

from scripts.support.git_repository import Repository
from symphony.domain.git.status import RepoState, RepoStatus
from symphony.infrastructure.git.status.local_git import LocalGit
from symphony.infrastructure.git.status.unchecked import find_unreadable
from tests.infrastructure.git.corpus import hidden_work
from tests.infrastructure.git.corpus.hidden_work import Hide
from tests.support.repositories import USER


@pytest.fixture
def clone(root: Path) -> Repository:
    """A clone of which everything is at its remote."""
    origin = Repository.with_commits(root / "origin", "file")
    origin.git("config", "receive.denyCurrentBranch", "ignore")
    return origin.clone(root / "clone")


def each_of(situations: Iterable[Hide]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("hide", situations, ids=lambda each: each.__name__)


async def status_of(git: LocalGit, repository: Repository) -> RepoStatus:
    before = repository.snapshot()
    status = await git.status(USER, str(repository.path))
    assert repository.snapshot() == before
    return status


@pytest.mark.long
@each_of(hidden_work.AT_RISK)
async def test_what_git_status_does_not_report_is_at_risk(
    hide: Hide, clone: Repository, git: LocalGit
) -> None:
    hide(clone)
    status = await status_of(git, clone)
    assert (status.state, status.at_risk) == (RepoState.CLEAN, True)


@each_of(hidden_work.PERHAPS_AT_RISK)
async def test_what_cannot_be_determined_is_unknown_with_a_reason(
    hide: Hide, clone: Repository, git: LocalGit
) -> None:
    hide(clone)
    status = await status_of(git, clone)
    assert (status.state, status.at_risk) == (RepoState.CLEAN, None)
    assert status.reason
    assert hidden_work.PERHAPS_AT_RISK[hide] in status.reason


@pytest.mark.long
@each_of(hidden_work.NOT_AT_RISK)
async def test_what_is_elsewhere_as_well_is_not_at_risk(
    hide: Hide, clone: Repository, git: LocalGit
) -> None:
    hide(clone)
    status = await status_of(git, clone)
    assert (status.state, status.at_risk, status.unpushed_commits) == (RepoState.CLEAN, False, 0)
    assert status.is_bare or status.reason is None


@pytest.mark.long
async def test_changes_in_a_submodule_of_another_branch_are_at_risk(
    clone: Repository, git: LocalGit
) -> None:
    hidden_work.work_in_a_submodule_of_another_branch(clone)
    assert (await status_of(git, clone)).at_risk is True


async def test_hidden_changes_are_named(clone: Repository, git: LocalGit) -> None:
    hidden_work.file_assumed_unchanged(clone)
    reason = (await status_of(git, clone)).reason or ""
    assert reason.startswith("Modified files that are marked as unchanged: 1 ")


async def test_very_many_marked_files_are_unknown(
    clone: Repository, git: LocalGit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("symphony.infrastructure.git.status.marked_files._MAX_MARKED", 0)
    clone.git("update-index", "--assume-unchanged", "file")
    status = await status_of(git, clone)
    assert status.at_risk is None
    assert (status.reason or "").startswith("More than 0 files are marked as unchanged")


async def test_a_directory_that_git_cannot_read_is_unknown(
    clone: Repository, git: LocalGit
) -> None:
    hidden_work.directory_that_cannot_be_read(clone)
    status = await git.status(USER, str(clone.path))
    assert (status.state, status.at_risk) == (RepoState.CLEAN, None)
    assert status.reason == "git cannot read a part of the working tree."


@pytest.mark.parametrize(
    ("line", "is_unreadable"),
    [
        ("warning: could not open directory 'd/': Permission denied", True),
        ("d/file: Permission denied", True),
        ('error: open("file"): Input/output error', True),
        ("warning: in the working copy of 'a', LF will be replaced by CRLF", False),
        ("warning: a: Bad", False),
        ("", False),
    ],
)
def test_what_git_prints_about_files_that_it_cannot_read_is_recognized(
    line: str,
    is_unreadable: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    other = "warning: in the working copy of 'b', LF will be replaced by CRLF"
    assert bool(find_unreadable(f"{other}\n{line}\n").unknown) is is_unreadable


async def test_a_marked_file_behind_a_link_is_not_compared(
    clone: Repository, outside: Path, git: LocalGit
) -> None:
    clone.commit("data/file")
    clone.git("push", "--quiet")
    clone.git("update-index", "--assume-unchanged", "data/file")
    (outside / "file").write_text("a secret")
    (clone.path / "data").rename(clone.path / "was")
    (clone.path / "data").symlink_to(outside)
    status = await status_of(git, clone)
    assert (status.at_risk, status.reason) == (True, None)  # the link and `was` are untracked


async def test_a_bare_repository_shows_why_its_commits_are_unknown(
    root: Path, git: LocalGit
) -> None:
    bare = Repository(root / "bare")
    Repository.with_commits(root / "repo", "file").clone(bare.path, "--bare")
    bare.write("refs/heads/bad", "")
    status = await status_of(git, bare)
    assert status.reason == (
        "The repository is bare: it has no files to compare. refs/heads/bad cannot be read."
    )


async def test_the_main_worktree_counts_for_a_linked_one(clone: Repository, git: LocalGit) -> None:
    tree = hidden_work.linked_worktree(clone)
    status = await status_of(git, tree)
    (main,) = status.worktrees
    assert (main.path, main.branch, main.head) == (str(clone.path), "main", clone.head)
    assert (main.state, status.at_risk) == (RepoState.CLEAN, False)
    clone.write("file", "only here\n")
    status = await status_of(git, tree)
    assert [each.state for each in status.worktrees] == [RepoState.DIRTY]
    assert (status.state, status.at_risk) == (RepoState.CLEAN, True)


async def test_a_main_worktree_that_cannot_be_inspected_is_unknown(
    clone: Repository, git: LocalGit
) -> None:
    tree = hidden_work.linked_worktree(clone)
    clone.write(".git/index", b"damaged")
    status = await status_of(git, tree)
    (main,) = status.worktrees
    assert (main.state, status.state, status.at_risk) == (RepoState.ERROR, RepoState.CLEAN, None)
    assert main.reason


async def test_a_bare_main_repository_is_no_worktree(clone: Repository, git: LocalGit) -> None:
    hidden_work.bare_repository_with_worktrees(clone)
    status = await status_of(git, Repository(clone.path / "main"))
    assert (status.worktrees, status.at_risk) == ([], False)


async def test_a_submodule_that_is_a_worktree_of_its_superproject_is_inspected(
    clone: Repository, git: LocalGit
) -> None:
    clone.git("worktree", "add", "--quiet", "--detach", "inner")
    clone.git("add", "inner")
    clone.git("commit", "--quiet", "--message=Inner")
    clone.git("push", "--quiet")
    assert (await status_of(git, clone)).at_risk is False
    clone.write("inner/file", "only here\n")
    assert (await status_of(git, clone)).at_risk is True
