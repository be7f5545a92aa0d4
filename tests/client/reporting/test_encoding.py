"""The status in a report is what the API returns for the same repository."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from scripts.support.git_repository import Repository
from symphony.client.reporting.encoding import encode_checkout, encode_status
from symphony.config.settings import Settings
from symphony.domain.git.status import RepoState
from symphony.domain.machines.checkouts import Checkout, CheckoutRemote, RemoteHead
from symphony.infrastructure.git.status.local_git import LocalGit
from tests.support.api import running_api, sign_up
from tests.support.repositories import USER


def with_everything(path: Path) -> None:
    """A branch ahead of and behind its upstream, changes, a stash, a worktree, an operation."""
    origin = Repository.with_commits(path.with_name("origin"), "a", "b")
    repo = origin.clone(path)
    repo.git("remote", "add", "fork", "https://ada:secret@git.example.org/fork")
    origin.commit("c")
    repo.git("fetch", "--quiet")
    repo.commit("d")
    repo.write("a", "stashed")
    repo.git("stash", "--quiet")
    repo.git("branch", "idea")
    repo.git("tag", "v1")
    repo.git("worktree", "add", "--quiet", "--detach", str(path.with_name("linked")))
    repo.write("b", "edited")
    repo.write("new")
    repo.git("bisect", "start")


def linked(path: Path) -> None:
    repo = Repository.with_commits(path.with_name("main"), "a")
    repo.git("worktree", "add", "--quiet", "-b", "topic", str(path))


def with_an_invalid_time(path: Path) -> None:
    repo = Repository.created(path)
    commit = "tree {}\nauthor A <a> 99999999999999 +0000\ncommitter A <a> 1 +0000\n\nm\n"
    tree = repo.git("write-tree")
    file = repo.write("commit", commit.format(tree))
    repo.git(
        "update-ref",
        "refs/heads/main",
        repo.git("hash-object", "-t", "commit", "-w", "--literally", str(file)),
    )


def empty(path: Path) -> None:
    Repository.created(path)


def bare(path: Path) -> None:
    Repository.created(path, "--bare")


def no_repository(path: Path) -> None:
    path.mkdir()


def nothing(path: Path) -> None:
    assert not path.exists()


@pytest.mark.parametrize(
    ("create", "state"),
    [
        (with_everything, RepoState.DIRTY),
        (linked, RepoState.CLEAN),
        (with_an_invalid_time, RepoState.DIRTY),
        (empty, RepoState.CLEAN),
        (bare, RepoState.CLEAN),
        (no_repository, RepoState.NOT_A_REPOSITORY),
        (nothing, RepoState.MISSING),
    ],
)
@pytest.mark.parametrize("store_kind", ["sqlite-memory"])
async def test_a_status_is_encoded_as_the_api_returns_it(
    settings: Settings, root: Path, create: Callable[[Path], None], state: RepoState
) -> None:
    path = root / "repo"
    create(path)
    git = LocalGit([root])
    status = await git.status(USER, str(path))
    git.close()
    assert status.state == state
    async with running_api(settings.model_copy(update={"git_roots": (root,)})) as client:
        ada = await sign_up(client, "ada")
        workspace = await ada.workspace()
        repo = await ada.repo(workspace["id"], path=str(path))
        returned = (await ada.get(f"/repos/{repo['id']}/status")).json()
    encoded = encode_status(status)
    times = {encoded.pop("observed_at")[-1], returned.pop("observed_at")[-1]}
    assert encoded == returned
    assert list(encoded) == list(returned)
    assert times == {"Z"}
    if create is with_everything:
        assert all(value not in (None, [], {}) for value in shown(returned).values())


def shown(returned: dict[str, Any]) -> dict[str, Any]:
    optional = {"reason", "main_repository", "work_truncated", "staged", "conflicted"}
    return {name: value for name, value in returned.items() if name not in optional}


async def test_a_checkout_has_its_remotes_its_root_commits_and_the_heads_of_its_remotes(
    root: Path, repo: Repository
) -> None:
    git = LocalGit([root])
    status = await git.status(USER, str(repo.path))
    git.close()
    checkout = Checkout(
        path="/home/ada/dev/engine",
        remotes=[CheckoutRemote("origin", "https://git.example.org/engine")],
        root_commits=["1" * 40],
        remote_heads=[RemoteHead("origin", "main", "2" * 40)],
        status=status,
    )
    assert encode_checkout(checkout) == {
        "path": "/home/ada/dev/engine",
        "remotes": [{"name": "origin", "url": "https://git.example.org/engine"}],
        "root_commits": ["1" * 40],
        "remote_heads": [{"remote": "origin", "branch": "main", "head": "2" * 40}],
        "status": encode_status(status),
    }
