"""A co-user swaps directories for links while the service reads them: nothing outside leaks.

`RACE_SECONDS` is how long each race runs.
"""

import asyncio
import os
import shutil
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import pytest

from scripts.support.co_user import give_to_co_user, passable, swapping
from scripts.support.git_daemon import git_daemon
from scripts.support.git_repository import Repository
from symphony.domain.git.status import RepoState
from symphony.domain.sync import RemoteFailed, SyncInProgress
from symphony.infrastructure.git.confinement.landlock import DetectLandlock
from symphony.infrastructure.git.discovery.finder import LocalFinder
from symphony.infrastructure.git.remotes.remote_git import RemoteGit
from symphony.infrastructure.git.status.local_git import LocalGit
from tests.support.inspections import needs_landlock
from tests.support.repositories import USER

pytestmark = [pytest.mark.long, needs_landlock]

SECONDS = float(os.environ.get("RACE_SECONDS", "40"))
PAUSE = 0.4  # seconds at most between two exchanges, which is as long as an inspection may take
SECRET = "SECRET"
STASHES = 23
AHEAD = 41


@dataclass(frozen=True, slots=True)
class Scene:
    """A git root in which the co-user owns everything, and a private directory beside it.

    Both have the same tree, `a/b/project`. `hop`, in the private one, is a link to objects in a
    place whose name is secret.
    """

    root: Path
    private: Path

    @property
    def project(self) -> Path:
        return self.root / "a/b/project"

    @property
    def secret(self) -> Path:
        return self.private / "a/b/project"

    def swaps(self) -> list[tuple[Path, Path]]:
        """Return what the co-user exchanges: directories, files and links at every depth."""
        ours, theirs = self.project / ".git", self.secret / ".git"
        pairs = [
            *((self.root / above, self.private / above) for above in ("a", "a/b", "a/b/project")),
            (ours, theirs),
            *((ours / name, theirs / name) for name in ("objects", "refs", "logs")),
            *((ours / name, theirs / name) for name in ("HEAD", "config", "index", "packed-refs")),
            (ours / "refs/heads/main", theirs / "refs/heads/SECRET-branch"),
            (ours / "objects/pack", theirs / "objects/pack"),
            (ours / "objects", self.private / "hop"),
            (self.project / "folder", self.secret / "SECRET-folder"),
        ]
        spare = self.root / "spare"  # beside the entries, links would make the service refuse them
        spare.mkdir()
        swaps = list[tuple[Path, Path]]()
        for entry, target in pairs:
            link = spare / f"link-{len(swaps)}"
            link.symlink_to(target)
            swaps.append((entry, link))
        contents = {
            ours / "objects/info/alternates": f"{theirs}/objects\n",
            ours / "refs/heads/other": f"{Repository(self.secret).head}\n",
            ours / "commondir": f"{theirs}\n",
            self.root / "a/pointer/.git": f"gitdir: {theirs}\n",
        }
        for file, content in contents.items():
            other = spare / f"file-{len(swaps)}"
            other.write_text(content)
            swaps.append((file, other))
        return swaps


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    scene = Scene(tmp_path / "root", tmp_path / "private")
    _create_private(scene.private, scene.secret)
    project = Repository.with_commits(scene.project, "file", "folder/inner")
    project.write(".git/config", _long_config())
    for name in ("logs/HEAD", "packed-refs", "commondir", "refs/heads/other"):
        project.write(f".git/{name}", "")
    project.write(".git/commondir", ".\n")
    project.write(".git/refs/heads/other", f"{project.head}\n")
    project.write(".git/objects/info/alternates", "")
    project.write(".git/objects/pack/none", "")
    (scene.root / "a/pointer").mkdir()
    (scene.root / "a/pointer/.git").write_text("gitdir: ../b/project/.git\n")
    with passable(scene.root):
        yield scene


def _long_config() -> str:
    """Return a configuration that takes some time to read, in which the co-user can swap."""
    lines = "".join(f"\tx{number % 9} = 1\n" for number in range(5_000))
    return (
        "[core]\n\trepositoryformatversion = 0\n"
        '[remote "origin"]\n\turl = https://git.example.org/public.git\n'
        f"[a]\n{lines}"
    )


def _create_private(private: Path, secret: Path) -> None:
    private.mkdir(mode=0o700)
    repository = Repository.created(secret)
    repository.git("symbolic-ref", "HEAD", "refs/heads/SECRET-branch")
    for number in range(AHEAD):
        repository.git(
            *("commit", "--quiet", "--allow-empty", f"--message={SECRET} {number}"),
            GIT_AUTHOR_NAME=SECRET,
        )
    repository.commit("SECRET-folder/file")
    repository.git("config", "remote.SECRET.url", "https://git.example.org/SECRET.git")
    repository.write(".git/logs/refs/stash", "stash\n" * STASHES)
    repository.git("pack-refs", "--no-prune", "--all")
    shutil.copytree(secret / ".git/objects", private / "SECRET-place/objects")
    (private / "hop").symlink_to(private / "SECRET-place/objects")


async def _raced(attempt: Callable[[], Awaitable[str]]) -> Counter[str]:
    """Repeat an attempt until the time is over, three at a time; count its outcomes."""
    outcomes = Counter[str]()
    deadline = time.monotonic() + SECONDS

    async def repeat() -> None:
        while time.monotonic() < deadline:
            outcomes[await attempt()] += 1

    await asyncio.gather(*(repeat() for _ in range(3)))
    return outcomes


async def test_a_status_shows_nothing_outside(
    scene: Scene, temporary: Path, detect: DetectLandlock
) -> None:
    paths = [scene.project, scene.root / "a/pointer"]

    async def attempt() -> str:
        status = await git.status(USER, str(paths[time.monotonic_ns() // 1000 % 2]))
        has_leaked = SECRET in repr(status) or status.stashes == STASHES
        return "leak" if has_leaked else status.state

    with closing(LocalGit([scene.root], detect=detect)) as git:
        await _race(scene, attempt, expected={RepoState.CLEAN, RepoState.DIRTY})


async def test_a_discovery_shows_nothing_outside(
    scene: Scene, temporary: Path, detect: DetectLandlock
) -> None:
    async def attempt() -> str:
        result = await finder.find(USER, str(scene.root), 20, [])
        has_leaked = any(SECRET in repr(found) for found in result.found)
        return "leak" if has_leaked else f"{len(result.found)} found"

    with closing(LocalFinder([scene.root], detect=detect)) as finder:
        await _race(scene, attempt, expected={"1 found", "2 found"})


async def test_a_sync_compares_nothing_outside(
    scene: Scene, temporary: Path, tmp_path: Path, detect: DetectLandlock
) -> None:
    public = Repository(scene.project).clone(tmp_path / "served/public.git", "--bare")
    public.git("branch", "SECRET-branch", "main")
    numbers = iter(range(10**9))

    async def attempt() -> str:
        repo = UUID(int=next(numbers) % 3 + 1)
        try:
            state = await remotes.sync(USER, repo, str(scene.project), f"{server}/public.git")
        except SyncInProgress:
            return "in progress"
        except RemoteFailed as failed:
            return "leak" if SECRET in failed.detail else "failed"
        return "leak" if (state.ahead or 0) >= AHEAD else f"ahead {state.ahead}"

    mirrors = tmp_path / "mirrors"
    with (
        git_daemon(tmp_path / "served") as server,
        closing(RemoteGit([scene.root], mirrors, allow_private=True, detect=detect)) as remotes,
    ):
        await _race(scene, attempt, expected={"ahead 0", "ahead None"})


async def _race(scene: Scene, attempt: Callable[[], Awaitable[str]], expected: set[str]) -> None:
    swaps = scene.swaps()
    give_to_co_user(scene.root)
    with swapping(swaps, PAUSE):
        outcomes = await _raced(attempt)
    print(outcomes)  # noqa: T201 - pytest shows it when the test fails
    assert outcomes["leak"] == 0
    assert outcomes.total() > SECONDS
    assert set(outcomes) & expected  # or the co-user has only kept the service from reading
    assert len(outcomes) > 1  # or nothing was swapped in time
