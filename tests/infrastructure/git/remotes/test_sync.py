"""A sync returns the branches of a remote, and how many commits a repository is ahead or behind."""

from collections.abc import Generator
from dataclasses import dataclass, replace
from datetime import datetime
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from uuid import UUID

import pytest

from scripts.support.git_daemon import git_daemon
from scripts.support.git_repository import Repository
from scripts.support.polling import until
from symphony.domain.base import new_id, utc_now
from symphony.domain.sync import RemoteFailed, RemoteState
from symphony.infrastructure.git.remotes.mirrors import Mirror, MirrorLimits
from symphony.infrastructure.git.remotes.remote_git import RemoteGit, SyncLimits
from tests.infrastructure.git.factories import NewRemotes
from tests.support.remotes import git_backend, http_server, no_sync_runs, sync_processes
from tests.support.repositories import USER


@pytest.fixture
def served(tmp_path: Path) -> Path:
    """The directory whose repositories are remotes."""
    return Repository.created(tmp_path / "served" / "engine").path.parent


@pytest.fixture
def remote(served: Path) -> Repository:
    """A remote with one commit."""
    remote = Repository(served / "engine")
    remote.commit("first")
    return remote


@pytest.fixture(params=["git", pytest.param("http", marks=pytest.mark.long)])
def url(request: pytest.FixtureRequest, served: Path) -> Generator[str]:
    """The URL of the remote, over two protocols."""
    over_git = request.param == "git"
    with git_daemon(served) if over_git else http_server(git_backend(served)) as url:
        yield f"{url}/engine/.git"


@pytest.fixture
def repo_id() -> UUID:
    return new_id()


@dataclass(frozen=True, slots=True)
class Syncing:
    """A repo, its directory, and its remote."""

    remotes: RemoteGit
    repo_id: UUID
    path: Path
    url: str

    def using(self, remotes: RemoteGit) -> "Syncing":
        """Return the same with an adapter that has other limits."""
        return replace(self, remotes=remotes)

    async def __call__(self) -> RemoteState:
        state = await self.remotes.sync(USER, self.repo_id, str(self.path), self.url)
        assert sync_processes() == []
        return state


@pytest.fixture
def sync(remotes: RemoteGit, repo_id: UUID, root: Path, url: str) -> Syncing:
    return Syncing(remotes, repo_id, root / "repo", url)


def cloned(remote: Repository, root: Path) -> Repository:
    return remote.clone(root / "repo")


@pytest.mark.long
async def test_commits_on_both_sides_are_counted_with_the_current_branch_of_the_remote(
    remote: Repository, root: Path, sync: Syncing
) -> None:
    repo = cloned(remote, root)
    for number in range(3):
        remote.commit(f"theirs-{number}")
    repo.commit("ours-0")
    repo.commit("ours-1")
    before = repo.snapshot()
    state = await sync()
    assert (state.ahead, state.behind) == (2, 3)
    assert state.branches == {"main": remote.git("rev-parse", "HEAD")}
    assert state.default_branch == "main"
    assert repo.snapshot() == before
    remote.commit("theirs-3")
    newest = remote.head
    state = await sync()
    assert (state.ahead, state.behind) == (2, 4)
    assert state.branches == {"main": newest}
    assert await sync() != state  # the same branches at another time
    repo.git("pull", "--quiet", "--rebase")
    state = await sync()
    assert (state.ahead, state.behind) == (2, 0)


@pytest.mark.long
async def test_branches_may_be_created_deleted_and_moved(
    remote: Repository, root: Path, sync: Syncing
) -> None:
    repo = cloned(remote, root)
    first = remote.git("rev-parse", "HEAD")
    remote.git("branch", "feature/one")
    remote.git("branch", "gone")
    assert set((await sync()).branches) == {"main", "feature/one", "gone"}
    remote.git("branch", "--delete", "gone")
    remote.git("branch", "--delete", "feature/one")
    remote.git("branch", "feature")
    assert set((await sync()).branches) == {"main", "feature"}
    remote.commit("second")
    assert ((await sync()).ahead, (await sync()).behind) == (0, 1)
    remote.git("commit", "--quiet", "--amend", "--message", "Another one")
    remote.git("commit", "--quiet", "--allow-empty", "--message", "And one more")
    state = await sync()
    assert (state.ahead, state.behind) == (0, 2)
    remote.git("reset", "--quiet", "--hard", first)
    repo.git("checkout", "--quiet", "-b", "feature")
    repo.commit("ours")
    state = await sync()
    assert (state.ahead, state.behind) == (1, 0)
    assert state.branches == {"main": first, "feature": first}


@pytest.mark.parametrize("name", ["main", "master", "trunk/next"])
async def test_the_default_branch_is_that_of_the_remote(
    name: str, remote: Repository, sync: Syncing
) -> None:
    remote.git("checkout", "--quiet", "-B", name)
    state = await sync()
    assert state.default_branch == name
    assert (state.ahead, state.behind) == (None, None)  # the directory does not exist
    remote.git("checkout", "--quiet", "--detach")
    assert (await sync()).default_branch is None


async def test_an_empty_remote_has_no_branches(served: Path, root: Path, sync: Syncing) -> None:
    Repository.with_commits(root / "repo", "file")
    state = await sync()
    assert (state.branches, state.default_branch) == ({}, None)
    assert (state.ahead, state.behind) == (None, None)


@pytest.mark.long
async def test_a_branch_with_another_name_at_the_remote_is_found_by_its_upstream(
    remote: Repository, root: Path, sync: Syncing
) -> None:
    repo = cloned(remote, root)
    repo.git("remote", "set-url", "origin", sync.url)
    repo.git("checkout", "--quiet", "-b", "mine", "--track", "origin/main")
    repo.commit("ours")
    remote.commit("theirs")
    state = await sync()
    assert (state.ahead, state.behind) == (1, 1)
    repo.git("config", "branch.mine.remote", sync.url)  # git accepts a URL in place of a name
    assert (await sync()).ahead == 1
    repo.git("checkout", "--quiet", "-b", "ours", "--track", "mine")
    assert (await sync()).ahead is None


@pytest.mark.long
async def test_a_branch_whose_upstream_is_at_another_remote_is_compared_by_its_own_name(
    remote: Repository, root: Path, sync: Syncing
) -> None:
    """The remote is a fork, and the upstream of the branch is in the original repository."""
    original = remote.clone(remote.path.with_name("original"))
    repo = cloned(remote, root)
    repo.git("remote", "set-url", "origin", sync.url)
    repo.git("remote", "add", "original", original.path.as_uri())
    repo.git("fetch", "--quiet", "original")
    repo.git("remote", "set-url", "original", sync.url.replace("/engine/", "/original/"))
    repo.git("checkout", "--quiet", "-b", "feature", "--track", "original/main")
    repo.commit("ours")
    assert (await sync()).ahead is None
    repo.git("push", "--quiet", remote.path.as_uri(), "feature")
    repo.commit("more of ours")
    state = await sync()
    assert (state.ahead, state.behind) == (1, 0)


@pytest.mark.long
async def test_without_a_branch_at_both_ends_nothing_is_counted(
    remote: Repository, root: Path, sync: Syncing
) -> None:
    repo = cloned(remote, root)
    repo.git("checkout", "--quiet", "-b", "only-here")
    assert (await sync()).ahead is None
    repo.git("checkout", "--quiet", "--detach")
    assert (await sync()).ahead is None
    repo.git("checkout", "--quiet", "--orphan", "main-again")
    assert (await sync()).ahead is None
    (repo.git_directory / "HEAD").write_text("ref: refs/heads/main\n")
    assert (await sync()).ahead == 0
    (repo.git_directory / "HEAD").write_text("damaged\n")
    state = await sync()
    assert (state.ahead, state.behind) == (None, None)
    assert state.branches


async def test_all_commits_of_unrelated_histories_are_counted(
    remote: Repository, root: Path, sync: Syncing
) -> None:
    remote.commit("second")
    Repository.with_commits(root / "repo", "ours")
    state = await sync()
    assert (state.ahead, state.behind) == (1, 2)


async def test_a_shallow_remote_is_synced_like_any_other(
    remote: Repository, root: Path, sync: Syncing
) -> None:
    repo = cloned(remote, root)
    repo.commit("ours")
    remote.commit("theirs")
    (remote.git_directory / "shallow").write_text(remote.git("rev-parse", "HEAD") + "\n")
    for _ in range(2):
        state = await sync()
        assert (state.ahead, state.behind) == (1, 1)


async def test_a_mirror_contains_only_commits(
    remote: Repository, root: Path, sync: Syncing, mirror: Path
) -> None:
    remote.commit("large", b"\0".join(bytes([each]) * 1000 for each in range(256)))
    cloned(remote, root)
    remote.commit("large", b"\1".join(bytes([each]) * 1000 for each in range(256)))
    await sync()
    kinds = Repository(root / "repo").git(
        "cat-file", "--batch-all-objects", "--batch-check=%(objecttype)",
        GIT_OBJECT_DIRECTORY=str(mirror / "objects"),
    )  # fmt: skip
    assert kinds.split() == ["commit"] * 3


@pytest.fixture
def mirror(tmp_path: Path, repo_id: UUID) -> Path:
    return tmp_path / "mirrors" / str(repo_id)


@pytest.mark.long
async def test_a_damaged_mirror_is_fetched_again(
    remote: Repository, root: Path, sync: Syncing, mirror: Path
) -> None:
    cloned(remote, root)
    await sync()
    for pack in (mirror / "objects/pack").glob("*"):
        pack.chmod(0o600)
        pack.write_bytes(b"damaged")
    (mirror / "objects/pack/tmp_pack_rest").touch()
    remote.commit("second")
    assert (await sync()).behind == 1
    (mirror / "packed-refs").write_text(f"{'1' * 40} refs/heads/main\n")
    assert (await sync()).behind == 1
    assert not (mirror / "objects/pack/tmp_pack_rest").exists()


@pytest.mark.long
async def test_a_mirror_with_too_many_packs_is_fetched_again(
    remote: Repository, root: Path, sync: Syncing, mirror: Path, new_remotes: NewRemotes
) -> None:
    cloned(remote, root)
    remote.commit("second")
    await sync()
    remote.commit("third")
    limited = sync.using(new_remotes(SyncLimits(mirrors=MirrorLimits(max_packs=0))))
    assert (await limited()).behind == 2
    assert len(list((mirror / "objects/pack").glob("*.pack"))) == 1


@pytest.mark.long
async def test_the_branches_of_a_remote_have_a_limit(
    remote: Repository, sync: Syncing, new_remotes: NewRemotes
) -> None:
    commit = remote.git("rev-parse", "HEAD")
    (remote.git_directory / "packed-refs").write_text(
        "".join(f"{commit} refs/heads/b{number:05}\n" for number in range(9_999))
    )
    state = await sync()
    assert len(state.branches) == 10_000
    limited = sync.using(new_remotes(SyncLimits(max_branches=9_999)))
    with pytest.raises(RemoteFailed, match="The remote has more than 9,999 branches"):
        await limited()


def keep(_mirror: Mirror, _limits: MirrorLimits) -> None:
    """In place of `Mirror.prepare`, which clears a mirror that is too large."""


async def test_what_a_remote_sends_has_a_limit(
    remote: Repository,
    root: Path,
    sync: Syncing,
    new_remotes: NewRemotes,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cloned(remote, root)
    await sync()
    limits = SyncLimits(mirrors=MirrorLimits(max_size=10), watch_interval=0.0)
    monkeypatch.setattr(Mirror, "prepare", keep)
    with pytest.raises(RemoteFailed, match="The remote sends more than 10 bytes"):
        await sync.using(new_remotes(limits))()
    await until(no_sync_runs)


async def test_the_time_of_a_sync_is_before_the_remote_is_contacted(
    root: Path, remotes: RemoteGit, tmp_path: Path
) -> None:
    remote = Repository.with_commits(tmp_path / "served" / "engine", "file")
    remote.clone(root / "repo")
    backend, contacted_at = git_backend(remote.path.parent), list[datetime]()

    def answer(request: BaseHTTPRequestHandler) -> None:
        contacted_at.append(utc_now())
        backend(request)

    before = utc_now()
    with http_server(answer) as url:
        state = await remotes.sync(USER, new_id(), str(root / "repo"), f"{url}/engine/.git")
    assert state.ahead == 0
    assert len(contacted_at) > 1
    assert before <= state.synced_at <= contacted_at[0]
