"""What is damaged or no repository has a state and a reason, whatever it is."""

from pathlib import Path

import pytest

from symphony.domain.git import RepoState, RepoStatus
from symphony.infrastructure.git.status.local import LocalGit
from tests.infrastructure.git.status.damages import DAMAGES, IN_GITS_WORDS, Damage
from tests.support.repositories import USER, Repository, running


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda each: each.__name__)
async def test_it_is_told_what_is_wrong(damage: Damage, root: Path, git: LocalGit) -> None:
    repo = Repository.made(root / "place" / "repo")
    repo.commit()
    damage(repo)
    seen = await git.status(USER, str(repo.path))
    state, reason = DAMAGES[damage]
    if reason == IN_GITS_WORDS:
        assert seen.reason
        assert str(root) not in seen.reason
        assert "symphony-git-" not in seen.reason
        reason = seen.reason
    assert seen == RepoStatus(state=state, reason=reason, observed_at=seen.observed_at)
    assert running() == []


async def test_a_bare_repository_is_clean_and_says_why_it_is(root: Path, git: LocalGit) -> None:
    repo = Repository.made(root / "repo")
    head = repo.commit()
    repo.git("checkout", "--quiet", "-b", "topic")
    bare = repo.clone(root / "bare", "--bare")
    seen = await git.status(USER, str(bare.path))
    assert seen.state == RepoState.CLEAN
    assert seen.reason == "It is a bare repository: there are no files to compare."
    assert seen.is_bare
    assert seen.head is not None
    assert (seen.branch, seen.head.id, seen.upstream) == ("topic", head, None)
    assert seen.remotes == {"origin": repo.path.as_uri()}
    empty = Repository.made(root / "empty", "--bare")
    seen = await git.status(USER, str(empty.path))
    assert (seen.state, seen.branch, seen.head) == (RepoState.CLEAN, "main", None)
    assert not (await git.status(USER, str(repo.path))).is_bare
    repo.git("config", "core.bare", "true")
    seen = await git.status(USER, str(repo.path))
    assert (seen.is_bare, seen.branch) == (True, "topic")


async def test_a_folder_in_a_repository_is_none(root: Path, git: LocalGit) -> None:
    repo = Repository.made(root / "repo")
    repo.commit("folder/file")
    seen = await git.status(USER, str(repo.path / "folder"))
    assert seen.state == RepoState.NOT_A_REPOSITORY


async def test_a_commit_may_tell_of_itself_what_it_likes(root: Path, git: LocalGit) -> None:
    repo = Repository.made(root / "repo")
    repo.commit()
    tree = repo.git("rev-parse", "HEAD^{tree}")
    for text, told in (
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
        seen = await git.status(USER, str(repo.path))
        assert seen.head is not None, seen.reason
        assert (seen.head.subject, seen.head.author, seen.head.authored_at) == told
