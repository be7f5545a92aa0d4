"""Repositories made by somebody who means harm: nothing of theirs is run, nothing else is told."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from symphony.domain.git import RepoState, RepoStatus
from symphony.infrastructure.git.status.local import LocalGit
from tests.infrastructure.git.status import indexes, plants
from tests.infrastructure.git.status.plants import SECRET, Ground
from tests.support.repositories import USER, Repository, running

Plant = Callable[[Ground], None]


@pytest.fixture
def ground(root: Path, outside: Path) -> Ground:
    return Ground.prepared(root, outside)


def named(plants: tuple[Plant, ...]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("plant", plants, ids=lambda each: each.__name__)


async def looked_at(ground: Ground, git: LocalGit) -> RepoStatus:
    """What is told, after a look that nothing was run, is left running, or was let out."""
    seen = await git.status(USER, str(ground.repo.path))
    assert not ground.mark.exists(), ground.mark.read_text()
    assert running() == []
    assert SECRET not in repr(seen)
    assert str(ground.outside) not in repr(replace(seen, remotes={}))
    return seen


@named(plants.BITING)
async def test_a_program_that_git_would_run_is_not_run(
    plant: Plant, ground: Ground, git: LocalGit
) -> None:
    plant(ground)
    ground.mark.unlink(missing_ok=True)
    seen = await looked_at(ground, git)
    if "missing" in plant.__name__:
        assert seen.state == RepoState.ERROR
    else:
        assert seen.state in {RepoState.CLEAN, RepoState.DIRTY}
        assert seen.modified == 0
    ground.repo.git("status", check=False, GIT_ALLOW_PROTOCOL="ext:ssh:file")
    assert ground.mark.exists()  # or it would have been no danger


@named(plants.HARMLESS)
async def test_what_concerns_other_commands_changes_nothing(
    plant: Plant, ground: Ground, git: LocalGit
) -> None:
    plant(ground)
    ground.mark.unlink(missing_ok=True)
    seen = await looked_at(ground, git)
    assert seen.reason is None
    assert seen.head is not None
    assert seen.head.subject == ground.repo.git(
        "-c", "log.showSignature=no", "log", "-1", "--format=%s"
    )
    assert (seen.staged, seen.modified, seen.conflicted) == (0, 0, 0)
    has_new_files = any(
        (ground.repo.path / name).exists() for name in (".gitattributes", "new", "nested")
    )
    assert seen.untracked == has_new_files


@named((*plants.LEADING_OUT, *indexes.LEADING_OUT))
async def test_what_leads_out_of_the_allowed_folders_is_refused(
    plant: Plant, ground: Ground, git: LocalGit
) -> None:
    plant(ground)
    seen = await looked_at(ground, git)
    assert seen.state == RepoState.REFUSED
    assert seen.reason
    assert seen == RepoStatus(
        state=RepoState.REFUSED, reason=seen.reason, observed_at=seen.observed_at
    )


async def test_outside_nothing_is_told_not_even_whether_it_is_there(
    ground: Ground, git: LocalGit
) -> None:
    (ground.repo.path / "link").symlink_to(ground.outside)
    reasons = {
        ((seen := await git.status(USER, path)).state, seen.reason)
        for path in (
            str(ground.secret.path),
            str(ground.outside / "nothing"),
            f"{ground.repo.path}/../../outside/secret",
            f"{ground.repo.path}/link/secret",
            f"{ground.repo.path}/link/nothing",
            f"{ground.repo.path}-beside",
            "/",
            "~/no such folder",
        )
    }
    assert reasons == {
        (RepoState.REFUSED, "It lies outside the folders in which this service may look."),
        (RepoState.MISSING, "There is nothing at this path."),  # the one beside it is allowed
    }


async def test_a_repository_of_another_user_is_read_as_any_other(
    ground: Ground, git: LocalGit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    plants.file_system_monitor(ground)
    assert (await looked_at(ground, git)).state == RepoState.CLEAN


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("https://ada:s3cret@git.example.org/e.git", "https://git.example.org/e.git"),
        ("https://s3cret@git.example.org/e.git", "https://git.example.org/e.git"),
        ("https://ada:p@s3cret@git.example.org:8443/e", "https://git.example.org:8443/e"),
        ("https://ada:p/s3cret@git.example.org/e", "https://…"),
        ("https://git.example.org/e.git?token=s3cret#s3cret", "https://git.example.org/e.git"),
        ("ssh://git:s3cret@git.example.org:22/e", "ssh://git@git.example.org:22/e"),
        ("http://ada:s3cret@[2001:db8::1]:80/e", "http://[2001:db8::1]:80/e"),
        ("git@git.example.org:ada/e.git", "git@git.example.org:ada/e.git"),
        ("ada:s3cret@git.example.org:ada/e.git", "…"),
        ("hg::https://ada:s3cret@hg.example.org/e", "hg::https://hg.example.org/e"),
        ("ext::sh -c 'login ada@s3cret'", "…"),
        ("/srv/git/engine.git", "/srv/git/engine.git"),
        ("file:///srv/git/engine.git", "file:///srv/git/engine.git"),
    ],
)
async def test_credentials_of_remotes_are_not_told(
    name: str, value: str, ground: Ground, git: LocalGit
) -> None:
    ground.config("remote.origin.url", name)
    seen = await looked_at(ground, git)
    assert seen.remotes == {"origin": value}
    assert "s3cret" not in repr(seen)


async def test_nothing_is_written_while_a_user_commits(ground: Ground, git: LocalGit) -> None:
    done = asyncio.Event()

    async def look() -> int:
        looks = 0
        while not done.is_set() or looks == 0:
            seen = await git.status(USER, str(ground.repo.path))
            assert seen.state in {RepoState.CLEAN, RepoState.DIRTY}, seen.reason
            looks += 1
        return looks

    def commit() -> None:
        user = Repository(ground.repo.path)
        for number in range(20):
            user.commit("file", f"{number}\n")

    looking = asyncio.gather(look(), look())
    try:
        await asyncio.to_thread(commit)  # every git command has to succeed
    finally:
        done.set()
    assert min(await looking) > 1
