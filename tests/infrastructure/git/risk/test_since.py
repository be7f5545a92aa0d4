"""A status says since when, at least, something exists only there."""

import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from scripts.support.git_repository import Repository
from symphony.domain.base import utc_now
from symphony.domain.git.facts import RepoFacts
from symphony.domain.git.status import RepoStatus
from symphony.infrastructure.git.status.local_git import LocalGit
from symphony.infrastructure.git.status.porcelain import parse_porcelain
from tests.support.repositories import USER

NOW = utc_now().replace(microsecond=0)


def ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


def touch(path: Path, at: datetime) -> None:
    seconds = at.timestamp()
    os.utime(path, (seconds, seconds), follow_symlinks=False)


def change(repository: Repository, name: str, at: datetime) -> Path:
    file = repository.write(name, f"changed {name}\n")
    touch(file, at)
    return file


def commit_at(repository: Repository, at: datetime | str, name: str = "work") -> str:
    repository.write(name, f"{at}\n")
    repository.git("add", "--", name)
    date = at if isinstance(at, str) else f"{int(at.timestamp())} +0000"
    repository.git(
        *("commit", "--quiet", "--message", name), GIT_COMMITTER_DATE=date, GIT_AUTHOR_DATE=date
    )
    return repository.head


@pytest.fixture
def clone(root: Path) -> Repository:
    """A clone of which everything is at its remote."""
    clone = Repository.with_commits(root / "origin", "file", "other").clone(root / "clone")
    clone.git("remote", "set-head", "origin", "main")
    return clone


async def status_of(git: LocalGit, repository: Repository) -> RepoStatus:
    return await git.status(USER, str(repository.path))


async def since_of(git: LocalGit, repository: Repository) -> datetime | None:
    return RepoFacts.of(await status_of(git, repository)).unfinished_since


async def test_what_is_finished_has_no_time(clone: Repository, git: LocalGit) -> None:
    status = await status_of(git, clone)
    assert (status.changed_since, status.stashed_since) == (None, None)
    assert [each.unpushed_since for each in status.work] == [None]
    assert RepoFacts.of(status).unfinished_since is None


async def test_the_oldest_of_several_changed_files_counts(clone: Repository, git: LocalGit) -> None:
    change(clone, "file", ago(2))
    change(clone, "new", ago(9))
    change(clone, "later", ago(1))
    change(clone, "future", NOW + timedelta(days=3))
    status = await status_of(git, clone)
    assert status.changed_since == ago(9)
    assert RepoFacts.of(status).unfinished_since == ago(9)


async def test_a_staged_file_counts_from_its_last_change(clone: Repository, git: LocalGit) -> None:
    change(clone, "file", ago(4))
    clone.git("add", "file")
    assert await since_of(git, clone) == ago(4)


@pytest.mark.parametrize("at", [NOW + timedelta(days=400), datetime(1985, 10, 26, tzinfo=UTC)])
async def test_a_time_that_cannot_be_true_is_unknown(
    at: datetime, clone: Repository, git: LocalGit
) -> None:
    change(clone, "file", at)
    status = await status_of(git, clone)
    assert (status.at_risk, status.changed_since) == (True, None)


async def test_a_deleted_file_counts_from_the_change_of_its_directory(
    clone: Repository, git: LocalGit
) -> None:
    clone.write("deep/er/file")
    clone.git("add", "deep")
    clone.git("commit", "--quiet", "--message=deep")
    clone.git("push", "--quiet", "origin", "HEAD:refs/heads/deep")
    clone.git("fetch", "--quiet")
    shutil.rmtree(clone.path / "deep" / "er")
    touch(clone.path / "deep", ago(6))
    status = await status_of(git, clone)
    assert (status.modified, status.changed_since) == (1, ago(6))


async def test_a_renamed_file_is_not_changed_since_it_was_written(
    clone: Repository, git: LocalGit
) -> None:
    touch(clone.path / "file", ago(900))
    clone.git("mv", "file", "renamed")
    since = (await status_of(git, clone)).changed_since
    assert since is not None
    assert since >= ago(0)


async def test_an_untracked_directory_and_a_link_count_by_their_own_times(
    clone: Repository, outside: Path, git: LocalGit
) -> None:
    old = outside / "old"
    old.write_text("old")
    touch(old, ago(50))
    clone.write("directory/file")
    touch(clone.path / "directory", ago(3))
    (clone.path / "link").symlink_to(old)
    touch(clone.path / "link", ago(2))
    assert await since_of(git, clone) == ago(3)


def test_only_the_first_files_are_looked_at() -> None:
    output = b"".join(b"? file %d\0" % number for number in range(1_000))
    porcelain = parse_porcelain(output, lambda: None)
    assert (porcelain.untracked, len(porcelain.changed)) == (1_000, 100)


async def test_the_oldest_unpushed_commit_counts_for_each_branch(
    clone: Repository, git: LocalGit
) -> None:
    commit_at(clone, ago(8))
    clone.git("branch", "first")
    commit_at(clone, ago(20))  # a clock that was wrong, or a rebase
    commit_at(clone, ago(1))
    clone.git("switch", "--quiet", "--create", "other", "origin/main")
    commit_at(clone, ago(3))
    status = await status_of(git, clone)
    found = {each.name: each.unpushed_since for each in status.work}
    assert found == {"main": ago(20), "first": ago(8), "other": ago(3)}
    assert RepoFacts.of(status).unfinished_since == ago(20)


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [(NOW + timedelta(days=900), ago(5)), ("@1 +0000", ago(5)), ("@99999999999 +0000", ago(5))],
)
async def test_a_wrong_clock_of_one_commit_does_not_hide_the_others(
    wrong: datetime | str, expected: datetime, clone: Repository, git: LocalGit
) -> None:
    commit_at(clone, ago(5))
    commit_at(clone, wrong)
    assert (await status_of(git, clone)).work[0].unpushed_since == expected


async def test_commits_of_the_future_alone_have_no_time(clone: Repository, git: LocalGit) -> None:
    commit_at(clone, NOW + timedelta(days=900))
    status = await status_of(git, clone)
    assert (status.unpushed_commits, status.work[0].unpushed_since) == (1, None)
    assert RepoFacts.of(status).unfinished_since is None


async def test_a_remembered_answer_has_the_same_time(clone: Repository, git: LocalGit) -> None:
    commit_at(clone, ago(5))
    first = await status_of(git, clone)
    assert (await status_of(git, clone)).work == first.work
    assert first.work[0].unpushed_since == ago(5)


async def test_what_is_integrated_is_finished(clone: Repository, git: LocalGit) -> None:
    clone.git("switch", "--quiet", "--create", "idea")
    commit_at(clone, ago(7))
    clone.git("switch", "--quiet", "main")
    clone.git("cherry-pick", "idea")
    clone.git("push", "--quiet", "origin", "main:refs/heads/landed")
    clone.git("update-ref", "refs/remotes/origin/main", "main")
    assert await since_of(git, clone) is None


async def test_without_a_remote_the_first_commit_counts(root: Path, git: LocalGit) -> None:
    repo = Repository.created(root / "repo")
    commit_at(repo, ago(30))
    commit_at(repo, ago(2))
    assert await since_of(git, repo) == ago(30)


async def test_the_oldest_stash_counts(clone: Repository, git: LocalGit) -> None:
    for days in (11, 4):
        change(clone, "file", ago(days))
        date = f"{int(ago(days).timestamp())} +0000"
        clone.git("stash", "--quiet", GIT_COMMITTER_DATE=date, GIT_AUTHOR_DATE=date)
    status = await status_of(git, clone)
    assert (status.stashes, status.stashed_since, status.changed_since) == (2, ago(11), None)
    assert RepoFacts.of(status).unfinished_since == ago(11)
    (clone.git_directory / "logs/refs/stash").unlink()
    status = await status_of(git, clone)
    assert (status.stashes, status.stashed_since) == (1, None)


async def test_a_dirty_worktree_has_a_time_of_its_own(clone: Repository, git: LocalGit) -> None:
    tree = clone.path.with_name("tree")
    clone.git("worktree", "add", "--quiet", "--detach", str(tree))
    change(Repository(tree), "file", ago(12))
    status = await status_of(git, clone)
    assert (status.changed_since, status.worktrees[0].changed_since) == (None, ago(12))
    assert RepoFacts.of(status).unfinished_since == ago(12)
    beside = await git.status(USER, str(tree))
    assert (beside.changed_since, beside.worktrees[0].changed_since) == (ago(12), None)


@pytest.fixture
def with_submodule(clone: Repository, root: Path) -> Repository:
    """The clone with a submodule; returns the submodule."""
    part = Repository.with_commits(root / "part", "note")
    clone.git("-c", "protocol.file.allow=always", "submodule", "add", str(part.path), "sub")
    clone.git("commit", "--quiet", "--message=sub")
    clone.git("push", "--quiet", "origin", "HEAD:refs/heads/sub")
    clone.git("update-ref", "refs/remotes/origin/main", "main")
    submodule = Repository(clone.path / "sub")
    submodule.git("remote", "set-head", "origin", "main")
    return submodule


async def test_changes_in_a_submodule_count(
    with_submodule: Repository, clone: Repository, git: LocalGit
) -> None:
    assert await since_of(git, clone) is None
    change(with_submodule, "note", ago(14))
    status = await status_of(git, clone)
    assert (status.modified, status.changed_since) == (1, ago(14))


async def test_commits_and_stashes_in_a_submodule_count(
    with_submodule: Repository, clone: Repository, git: LocalGit
) -> None:
    commit_at(with_submodule, ago(16))
    clone.git("config", "diff.ignoreSubmodules", "all")
    status = await status_of(git, clone)
    assert (status.modified, status.at_risk, status.changed_since) == (0, True, ago(16))


async def test_an_operation_in_progress_began_when_git_wrote_its_files(
    clone: Repository, git: LocalGit
) -> None:
    clone.git("bisect", "start")
    touch(clone.git_directory / "BISECT_START", ago(21))
    status = await status_of(git, clone)
    assert (status.operation, status.changed_since) == ("bisect", ago(21))
