"""Hostile repositories: none of their programs runs, and nothing outside is revealed."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from scripts.support.git_repository import Repository
from symphony.domain.git.status import RepoState, RepoStatus
from symphony.infrastructure.git.confinement.landlock import DetectLandlock, detect_landlock
from symphony.infrastructure.git.status.local_git import LocalGit
from tests.infrastructure.git.corpus import hostile_indexes, hostile_links, hostile_programs
from tests.infrastructure.git.corpus.hostile import SECRET, Attack, HostileRepository
from tests.support.inspections import needs_landlock, no_landlock
from tests.support.repositories import USER, running

long = pytest.mark.long


@pytest.fixture(params=[no_landlock, pytest.param(detect_landlock, marks=[long, needs_landlock])])
def detect(request: pytest.FixtureRequest) -> DetectLandlock:
    """Without Landlock by default: the program of an attack that is confined leaves no mark."""
    return request.param


@pytest.fixture
def is_confined(detect: DetectLandlock) -> bool:
    return detect() is not None


@pytest.fixture
def hostile(root: Path, outside: Path) -> HostileRepository:
    return HostileRepository.created(root, outside)


def each_of(attacks: tuple[Attack, ...]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("attack", attacks, ids=lambda each: each.__name__)


async def inspected(hostile: HostileRepository, git: LocalGit) -> RepoStatus:
    """Inspect the repository, and check that no program ran or runs, and nothing is revealed."""
    status = await git.status(USER, str(hostile.repo.path))
    assert not hostile.mark.exists(), hostile.mark.read_text()
    assert running() == []
    assert SECRET not in repr(status)
    assert str(hostile.outside) not in repr(replace(status, remotes={}))
    return status


@each_of(hostile_programs.RUN_BY_STATUS)
async def test_a_program_that_git_would_run_is_not_run(
    attack: Attack, hostile: HostileRepository, git: LocalGit
) -> None:
    attack(hostile)
    hostile.mark.unlink(missing_ok=True)
    status = await inspected(hostile, git)
    if attack is hostile_programs.file_system_monitor_in_an_included_file:
        assert status.state == RepoState.REFUSED
    elif "missing" in attack.__name__ or "included_for" in attack.__name__:
        assert status.state == RepoState.ERROR
    else:
        assert status.state in {RepoState.CLEAN, RepoState.DIRTY}
        assert status.modified == 0
    hostile.repo.git("status", check=False, GIT_ALLOW_PROTOCOL="ext:ssh:file")
    assert hostile.mark.exists()  # or it would have been no attack


@each_of(hostile_programs.WITHOUT_EFFECT)
async def test_what_concerns_other_commands_has_no_effect(
    attack: Attack, hostile: HostileRepository, git: LocalGit, *, is_confined: bool
) -> None:
    attack(hostile)
    hostile.mark.unlink(missing_ok=True)
    status = await inspected(hostile, git)
    assert status.reason is None
    assert status.head is not None
    assert status.head.subject == hostile.repo.git(
        "-c", "log.showSignature=no", "log", "-1", "--format=%s"
    )
    assert (status.staged, status.modified, status.conflicted) == (0, 0, 0)
    has_new_files = any(
        (hostile.repo.path / name).exists() for name in (".gitattributes", "new", "nested")
    )
    # A confined git does not learn that the place outside is a git directory.
    is_unknown = is_confined and attack.__name__.endswith("_elsewhere")
    assert status.untracked == (has_new_files and not is_unknown)


@each_of(
    (
        *hostile_links.LEADING_OUTSIDE,
        *hostile_indexes.LEADING_OUTSIDE,
        *hostile_indexes.INVALID,
    )
)
async def test_what_leads_outside_the_git_root_is_refused(
    attack: Attack, hostile: HostileRepository, git: LocalGit
) -> None:
    attack(hostile)
    status = await inspected(hostile, git)
    assert status.state == RepoState.REFUSED
    assert status.reason
    assert status == RepoStatus(
        state=status.state, reason=status.reason, observed_at=status.observed_at
    )


async def test_nothing_outside_is_revealed_not_even_whether_it_exists(
    hostile: HostileRepository, git: LocalGit
) -> None:
    (hostile.repo.path / "link").symlink_to(hostile.outside)
    reasons = {
        ((status := await git.status(USER, path)).state, status.reason)
        for path in (
            str(hostile.secret.path),
            str(hostile.outside / "nothing"),
            f"{hostile.repo.path}/../../outside/secret",
            f"{hostile.repo.path}/link/secret",
            f"{hostile.repo.path}/link/nothing",
            f"{hostile.repo.path}-beside",
            "/",
            "~/no such directory",
        )
    }
    assert reasons == {
        (RepoState.REFUSED, "The directory is outside the git roots of this service."),
        (
            RepoState.MISSING,
            "Nothing exists at this path.",
        ),  # only the one with `-beside` is in the git root
    }


async def test_a_repository_of_another_user_is_read_like_any_other(
    hostile: HostileRepository, git: LocalGit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    hostile_programs.file_system_monitor(hostile)
    assert (await inspected(hostile, git)).state == RepoState.CLEAN


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
async def test_credentials_of_remotes_are_removed(
    name: str, value: str, hostile: HostileRepository, git: LocalGit
) -> None:
    hostile.config("remote.origin.url", name)
    status = await inspected(hostile, git)
    assert status.remotes == {"origin": value}
    assert "s3cret" not in repr(status)


@pytest.mark.long
async def test_nothing_is_written_while_a_user_commits(
    hostile: HostileRepository, git: LocalGit
) -> None:
    done = asyncio.Event()

    async def inspect() -> int:
        count = 0
        while not done.is_set() or count == 0:
            status = await git.status(USER, str(hostile.repo.path))
            assert status.state in {RepoState.CLEAN, RepoState.DIRTY}, status.reason
            count += 1
        return count

    def commit() -> None:
        user = Repository(hostile.repo.path)
        for number in range(20):
            user.commit("file", f"{number}\n")

    inspections = asyncio.gather(inspect(), inspect())
    try:
        await asyncio.to_thread(commit)  # every git command has to succeed
    finally:
        done.set()
    assert min(await inspections) > 1
