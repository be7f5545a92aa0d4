"""A damaged repository, or a directory without one, has a state and a reason."""

from pathlib import Path

import pytest

from scripts.support.git_repository import Repository
from symphony.domain.git.status import RepoState, RepoStatus
from symphony.infrastructure.git.status.local_git import LocalGit
from tests.infrastructure.git.corpus.damages import DAMAGES, MESSAGE_OF_GIT, Damage
from tests.support.repositories import USER, running


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda each: each.__name__)
async def test_the_damage_is_reported(damage: Damage, root: Path, git: LocalGit) -> None:
    repo = Repository.with_commits(root / "place" / "repo", "file")
    damage(repo)
    status = await git.status(USER, str(repo.path))
    state, reason = DAMAGES[damage]
    if reason == MESSAGE_OF_GIT:
        assert status.reason
        assert str(root) not in status.reason
        assert "symphony-git-" not in status.reason
        reason = status.reason
    assert status == RepoStatus(state=state, reason=reason, observed_at=status.observed_at)
    assert running() == []


async def test_a_bare_repository_is_clean_and_has_a_reason(root: Path, git: LocalGit) -> None:
    repo = Repository.with_commits(root / "repo", "file")
    head = repo.head
    repo.git("checkout", "--quiet", "-b", "topic")
    bare = repo.clone(root / "bare", "--bare")
    status = await git.status(USER, str(bare.path))
    assert status.state == RepoState.CLEAN
    assert status.reason == "The repository is bare: it has no files to compare."
    assert status.is_bare
    assert status.head is not None
    assert (status.branch, status.head.id, status.upstream) == ("topic", head, None)
    assert status.remotes == {"origin": repo.path.as_uri()}
    empty = Repository.created(root / "empty", "--bare")
    status = await git.status(USER, str(empty.path))
    assert (status.state, status.branch, status.head) == (RepoState.CLEAN, "main", None)
    assert not (await git.status(USER, str(repo.path))).is_bare
    repo.git("config", "core.bare", "true")
    status = await git.status(USER, str(repo.path))
    assert (status.is_bare, status.branch) == (True, "topic")


async def test_a_directory_inside_a_repository_is_not_a_repository(
    root: Path, git: LocalGit
) -> None:
    repo = Repository.created(root / "repo")
    repo.commit("directory/file")
    status = await git.status(USER, str(repo.path / "directory"))
    assert status.state == RepoState.NOT_A_REPOSITORY


async def test_a_commit_with_unusual_headers_is_reported(root: Path, git: LocalGit) -> None:
    repo = Repository.with_commits(root / "repo", "file")
    tree = repo.git("rev-parse", "HEAD^{tree}")
    for text, expected in (
        (f"tree {tree}\n\n", ("", "", None)),
        (
            f"tree {tree}\nauthor A <a> 99999999999999999999 +0000\ncommitter\n\nhi\n",
            ("hi", "A", None),
        ),
        (f"tree {tree}\nauthor A <a> -5 +0000\n\n" + "x" * 5000, ("x" * 1000, "A", None)),
    ):
        file = repo.write(".git/commit", text)
        commit = repo.git("hash-object", "-t", "commit", "-w", "--literally", str(file))
        repo.write(".git/refs/heads/main", commit)
        status = await git.status(USER, str(repo.path))
        assert status.head is not None, status.reason
        assert (status.head.subject, status.head.author, status.head.authored_at) == expected
