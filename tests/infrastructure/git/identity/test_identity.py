"""By what a repository is recognized elsewhere."""

from datetime import UTC, datetime
from pathlib import Path
from unittest.mock import Mock

import pytest

from scripts.support.git_repository import Repository
from symphony.domain.git.status import RepoState
from symphony.domain.git.work import RemoteHeads
from symphony.domain.machines.checkouts import MAX_REMOTE_HEADS, MAX_ROOT_COMMITS, RemoteHead
from symphony.infrastructure.git.history import refs
from symphony.infrastructure.git.history.commits import Reader
from symphony.infrastructure.git.identity.identity import RepositoryIdentity
from symphony.infrastructure.git.process.program import OutOfTime
from symphony.infrastructure.git.status.local_git import LocalGit
from tests.support.repositories import USER

SYNCED_AT = datetime(2100, 1, 1, tzinfo=UTC)


@pytest.fixture
def origin(root: Path) -> Repository:
    return Repository.with_commits(root / "origin", "a")


async def identity_of(
    git: LocalGit, repository: Repository, synced: RemoteHeads | None = None
) -> RepositoryIdentity:
    status, identity = await git.identified_status(USER, str(repository.path), synced)
    assert status.state in {RepoState.CLEAN, RepoState.DIRTY}, status.reason
    return identity


def by_git(repository: Repository) -> list[str]:
    return sorted(repository.git("rev-list", "--max-parents=0", "--all").split())


async def test_clones_have_the_same_root_commit(
    git: LocalGit, origin: Repository, root: Path
) -> None:
    clone = origin.clone(root / "clone")
    clone.commit("b")
    assert (await identity_of(git, clone)).root_commits == (*by_git(origin),)
    assert (await identity_of(git, origin)).root_commits == (*by_git(origin),)


async def test_each_branch_has_root_commits_and_remote_tracking_branches_too(
    git: LocalGit, origin: Repository, root: Path
) -> None:
    origin.git("checkout", "--quiet", "--orphan", "pages")
    origin.git("commit", "--quiet", "--message", "pages")
    origin.git("checkout", "--quiet", "main")
    clone = origin.clone(root / "clone")
    assert len(by_git(clone)) == 2
    assert (await identity_of(git, clone)).root_commits == (*by_git(clone),)
    assert (await identity_of(git, origin)).root_commits == (*by_git(clone),)


async def test_the_refs_are_read_once_for_the_status_and_the_identity(
    git: LocalGit, origin: Repository, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clone = origin.clone(root / "clone")
    read = Mock(wraps=refs.read_refs)
    monkeypatch.setattr(refs, "read_refs", read)
    status, identity = await git.identified_status(USER, str(clone.path))
    assert (status.unpushed_commits, len(identity.remote_heads)) == (0, 1)
    assert read.call_count == 1


@pytest.mark.long
async def test_of_many_root_commits_the_first_ones_are_the_same_in_each_clone(
    git: LocalGit, origin: Repository, root: Path
) -> None:
    for number in range(MAX_ROOT_COMMITS + 3):
        tree = origin.git("rev-parse", "HEAD^{tree}")
        commit = origin.git("commit-tree", "-m", f"root {number}", tree)
        origin.git("branch", f"root-{number}", commit)
    clone = origin.clone(root / "clone")
    expected = (*by_git(origin)[:MAX_ROOT_COMMITS],)
    assert (await identity_of(git, origin)).root_commits == expected
    assert (await identity_of(git, clone)).root_commits == expected


async def test_a_shallow_clone_has_no_root_commits(
    git: LocalGit, origin: Repository, root: Path
) -> None:
    origin.commit("b")
    shallow = origin.clone(root / "shallow", "--depth=1")
    assert shallow.git("rev-list", "--max-parents=0", "HEAD")
    assert (await identity_of(git, shallow)).root_commits == ()


async def test_a_repository_without_commits_has_no_identity(git: LocalGit, root: Path) -> None:
    empty = Repository.created(root / "empty")
    assert await identity_of(git, empty) == RepositoryIdentity((), [])


async def test_a_damaged_branch_leaves_the_root_commits_of_head(
    git: LocalGit, origin: Repository
) -> None:
    (origin.git_directory / "refs/heads/damaged").write_text(f"{'1' * 40}\n")
    assert (await identity_of(git, origin)).root_commits == (*by_head(origin),)


def by_head(repository: Repository) -> list[str]:
    return repository.git("rev-list", "--max-parents=0", "HEAD").split()


async def test_root_commits_that_take_too_long_are_missing_and_the_status_is_there(
    git: LocalGit, origin: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Reader.run

    def out_of_time(reader: Reader, arguments: tuple[str, ...], *others: object) -> None:
        if "--max-parents=0" in arguments:
            raise OutOfTime
        run(reader, arguments, *others)  # pyright: ignore[reportArgumentType]

    monkeypatch.setattr(Reader, "run", out_of_time)
    assert (await identity_of(git, origin)).root_commits == ()
    monkeypatch.undo()
    assert (await identity_of(git, origin)).root_commits == (*by_git(origin),)


async def test_the_upstream_comes_first_then_main_and_master(
    git: LocalGit, origin: Repository, root: Path
) -> None:
    for name in ("a-branch", "master", "topic/one"):
        origin.git("branch", name)
    clone = origin.clone(root / "clone")
    clone.git("checkout", "--quiet", "topic/one")
    head = origin.head
    assert (await identity_of(git, clone)).remote_heads == [
        RemoteHead("origin", name, head) for name in ("topic/one", "main", "master", "a-branch")
    ]


async def test_a_branch_has_the_name_that_it_has_at_the_remote(
    git: LocalGit, origin: Repository, root: Path
) -> None:
    clone = origin.clone(root / "clone")
    clone.git("config", "remote.origin.fetch", "+refs/heads/*:refs/remotes/mirror/*")
    clone.git("config", "--add", "remote.origin.fetch", "+refs/pull/*:refs/remotes/pulls/*")
    clone.git("update-ref", "refs/remotes/mirror/main", clone.head)
    clone.git("update-ref", "refs/remotes/pulls/1", clone.head)
    (found,) = set((await identity_of(git, clone)).remote_heads)
    assert found == RemoteHead("origin", "main", clone.head)


async def test_branches_of_a_remote_that_was_removed_or_is_the_repository_itself_are_missing(
    git: LocalGit, origin: Repository, root: Path
) -> None:
    clone = origin.clone(root / "clone")
    clone.git("config", "remote.self.url", ".")
    clone.git("config", "remote.self.fetch", "+refs/heads/*:refs/remotes/self/*")
    clone.git("update-ref", "refs/remotes/self/main", clone.head)
    clone.git("update-ref", "refs/remotes/removed/main", clone.head)
    assert (await identity_of(git, clone)).remote_heads == [
        RemoteHead("origin", "main", clone.head)
    ]


@pytest.mark.long
async def test_no_more_heads_than_a_report_may_contain(git: LocalGit, origin: Repository) -> None:
    origin.git("remote", "add", "origin", "https://git.example.org/many")
    names = [f"refs/remotes/origin/branch-{number:04}" for number in range(MAX_REMOTE_HEADS)]
    lines = [f"{origin.head} {name}\n" for name in (*names, "refs/remotes/origin/main")]
    (origin.git_directory / "packed-refs").write_text(
        "# pack-refs with: sorted \n" + "".join(lines)
    )
    heads = (await identity_of(git, origin)).remote_heads
    assert len(heads) == MAX_REMOTE_HEADS
    assert heads[0].branch == "main"


async def test_what_was_synced_replaces_what_the_repository_knows_of_that_remote(
    git: LocalGit, origin: Repository, root: Path
) -> None:
    origin.git("branch", "deleted")
    clone = origin.clone(root / "clone")
    clone.git("remote", "add", "fork", "https://git.example.org/fork")
    clone.git("update-ref", "refs/remotes/fork/main", clone.head)
    synced = RemoteHeads(
        remote_url=origin.path.as_uri(),
        branches={"refs/heads/main": "2" * 40},
        default_branch="main",
        synced_at=SYNCED_AT,
    )
    assert (await identity_of(git, clone, synced)).remote_heads == [
        RemoteHead("origin", "main", "2" * 40),
        RemoteHead("fork", "main", clone.head),
    ]


async def test_the_identity_is_that_of_the_repository_and_not_of_its_submodules(
    git: LocalGit, origin: Repository, root: Path
) -> None:
    superproject = Repository.with_commits(root / "super", "file")
    superproject.git(
        *("-c", "protocol.file.allow=always", "submodule", "--quiet", "add"),
        *(origin.path.as_uri(), "module"),
    )
    assert (await identity_of(git, superproject)).root_commits == (*by_git(superproject),)


async def test_the_remote_to_ask_is_that_of_the_branch_and_has_its_credentials(
    git: LocalGit, origin: Repository, root: Path
) -> None:
    async def address() -> str | None:
        return await git.remote_address(USER, str(origin.path))

    assert await address() is None
    origin.git("remote", "add", "other", "https://git.example.org/other")
    assert await address() == "https://git.example.org/other"
    origin.git("remote", "add", "origin", "https://ada:secret@git.example.org/origin")
    assert await address() == "https://ada:secret@git.example.org/origin"
    origin.git("config", "branch.main.remote", "other")
    assert await address() == "https://git.example.org/other"
    assert await git.remote_address(USER, str(root / "missing")) is None
