"""What a remote has now, and how far a repository is from it."""

from collections.abc import Generator
from pathlib import Path
from uuid import UUID

import pytest

from symphony.domain.base import new_id
from symphony.domain.sync import RemoteFailed, RemoteState
from symphony.infrastructure.git.remotes import mirrors, repository
from symphony.infrastructure.git.remotes.remote import RemoteGit
from tests.support.remotes import asking, git_backend, git_daemon, http_server
from tests.support.repositories import USER, Repository


@pytest.fixture
def served(tmp_path: Path) -> Path:
    """The folder whose repositories are remotes."""
    return Repository.made(tmp_path / "served" / "engine").path.parent


@pytest.fixture
def remote(served: Path) -> Repository:
    """A remote with one commit."""
    remote = Repository(served / "engine")
    remote.commit("first")
    return remote


@pytest.fixture(params=["git", "http"])
def address(request: pytest.FixtureRequest, served: Path) -> Generator[str]:
    """Where the remote is, over two protocols."""
    over_git = request.param == "git"
    with git_daemon(served) if over_git else http_server(git_backend(served)) as found:
        yield f"{found}/engine/.git"


@pytest.fixture
def repo_id() -> UUID:
    return new_id()


class Syncing:
    """One repo, its folder, and its remote."""

    def __init__(self, remotes: RemoteGit, repo_id: UUID, path: Path, address: str) -> None:
        self._remotes = remotes
        self._repo_id = repo_id
        self.path = path
        self.address = address

    async def __call__(self) -> RemoteState:
        found = await self._remotes.sync(USER, self._repo_id, str(self.path), self.address)
        assert asking() == []
        return found


@pytest.fixture
def sync(remotes: RemoteGit, repo_id: UUID, root: Path, address: str) -> Syncing:
    return Syncing(remotes, repo_id, root / "repo", address)


def cloned(remote: Repository, root: Path) -> Repository:
    return remote.clone(root / "repo")


async def test_commits_on_both_sides_are_counted_against_what_the_remote_has_now(
    remote: Repository, root: Path, sync: Syncing
) -> None:
    repo = cloned(remote, root)
    for number in range(3):
        remote.commit(f"theirs-{number}")
    repo.commit("ours-0")
    repo.commit("ours-1")
    before = repo.traces()
    found = await sync()
    assert (found.ahead, found.behind) == (2, 3)
    assert found.branches == {"main": remote.git("rev-parse", "HEAD")}
    assert found.default_branch == "main"
    assert repo.traces() == before
    newest = remote.commit("theirs-3")
    found = await sync()
    assert (found.ahead, found.behind) == (2, 4)
    assert found.branches == {"main": newest}
    assert await sync() != found  # the same, at another time
    repo.git("pull", "--quiet", "--rebase")
    found = await sync()
    assert (found.ahead, found.behind) == (2, 0)


async def test_branches_come_go_and_are_moved(
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
    found = await sync()
    assert (found.ahead, found.behind) == (0, 2)
    remote.git("reset", "--quiet", "--hard", first)
    repo.git("checkout", "--quiet", "-b", "feature")
    repo.commit("ours")
    found = await sync()
    assert (found.ahead, found.behind) == (1, 0)
    assert found.branches == {"main": first, "feature": first}


@pytest.mark.parametrize("name", ["main", "master", "trunk/next"])
async def test_the_default_branch_is_the_one_that_the_remote_names(
    name: str, remote: Repository, sync: Syncing
) -> None:
    remote.git("checkout", "--quiet", "-B", name)
    found = await sync()
    assert found.default_branch == name
    assert (found.ahead, found.behind) == (None, None)  # there is no folder
    remote.git("checkout", "--quiet", "--detach")
    assert (await sync()).default_branch is None


async def test_an_empty_remote_has_no_branches(served: Path, root: Path, sync: Syncing) -> None:
    Repository.made(root / "repo").commit()
    found = await sync()
    assert (found.branches, found.default_branch) == ({}, None)
    assert (found.ahead, found.behind) == (None, None)


async def test_what_has_another_name_at_the_remote_is_found_by_its_upstream(
    remote: Repository, root: Path, sync: Syncing
) -> None:
    repo = cloned(remote, root)
    repo.git("remote", "set-url", "origin", sync.address)
    repo.git("checkout", "--quiet", "-b", "mine", "--track", "origin/main")
    repo.commit("ours")
    remote.commit("theirs")
    found = await sync()
    assert (found.ahead, found.behind) == (1, 1)
    repo.git("config", "branch.mine.remote", sync.address)  # which may stand in place of a name
    assert (await sync()).ahead == 1
    repo.git("checkout", "--quiet", "-b", "ours", "--track", "mine")
    assert (await sync()).ahead is None


async def test_a_branch_whose_upstream_is_at_another_remote_is_compared_by_its_own_name(
    remote: Repository, root: Path, sync: Syncing
) -> None:
    """The remote is somebody's fork, and the upstream of the branch is where it was forked from."""
    original = remote.clone(remote.path.with_name("original"))
    repo = cloned(remote, root)
    repo.git("remote", "set-url", "origin", sync.address)
    repo.git("remote", "add", "original", original.path.as_uri())
    repo.git("fetch", "--quiet", "original")
    repo.git("remote", "set-url", "original", sync.address.replace("/engine/", "/original/"))
    repo.git("checkout", "--quiet", "-b", "feature", "--track", "original/main")
    repo.commit("ours")
    assert (await sync()).ahead is None
    repo.git("push", "--quiet", remote.path.as_uri(), "feature")
    repo.commit("more of ours")
    found = await sync()
    assert (found.ahead, found.behind) == (1, 0)


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
    (repo.own / "HEAD").write_text("ref: refs/heads/main\n")
    assert (await sync()).ahead == 0
    (repo.own / "HEAD").write_text("damaged\n")
    found = await sync()
    assert (found.ahead, found.behind) == (None, None)
    assert found.branches


async def test_unrelated_histories_are_counted_whole(
    remote: Repository, root: Path, sync: Syncing
) -> None:
    remote.commit("second")
    Repository.made(root / "repo").commit("ours")
    found = await sync()
    assert (found.ahead, found.behind) == (1, 2)


async def test_a_remote_that_lacks_its_older_commits_is_asked_like_any_other(
    remote: Repository, root: Path, sync: Syncing
) -> None:
    repo = cloned(remote, root)
    repo.commit("ours")
    remote.commit("theirs")
    (remote.own / "shallow").write_text(remote.git("rev-parse", "HEAD") + "\n")
    for _ in range(2):
        found = await sync()
        assert (found.ahead, found.behind) == (1, 1)


async def test_of_a_remote_only_the_commits_are_kept(
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


async def test_a_mirror_that_is_damaged_or_full_is_made_anew(
    remote: Repository, root: Path, sync: Syncing, mirror: Path, monkeypatch: pytest.MonkeyPatch
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
    monkeypatch.setattr(mirrors, "_MAX_PACKS", 0)
    remote.commit("third")
    assert (await sync()).behind == 2
    assert len(list((mirror / "objects/pack").glob("*.pack"))) == 1


async def test_a_remote_may_have_only_so_many_branches(
    remote: Repository, sync: Syncing, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = remote.git("rev-parse", "HEAD")
    (remote.own / "packed-refs").write_text(
        "".join(f"{commit} refs/heads/b{number:05}\n" for number in range(9_999))
    )
    found = await sync()
    assert len(found.branches) == 10_000
    monkeypatch.setattr(repository, "MAX_BRANCHES", 9_999)
    with pytest.raises(RemoteFailed, match="It has more than 9,999 branches"):
        await sync()


def as_it_is(_: mirrors.Mirror) -> None:
    """Instead of making a mirror anew that is too large."""


async def test_a_remote_may_send_only_so_much(
    remote: Repository, root: Path, sync: Syncing, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloned(remote, root)
    await sync()
    monkeypatch.setattr(mirrors, "MAX_SIZE", 10)
    monkeypatch.setattr(mirrors.Mirror, "prepare", as_it_is)
    monkeypatch.setattr("symphony.infrastructure.git.remotes.remote._PAUSE", 0.0)
    with pytest.raises(RemoteFailed, match="It sends more than 10 bytes"):
        await sync._remotes.sync(USER, sync._repo_id, str(sync.path), sync.address)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - git is about to end
