"""What a sync saw of a remote is used by the status and the board, until the remote is another."""

from typing import Any

import pytest

from scripts.support.git_repository import Repository
from symphony.config.settings import Settings
from tests.api.routes.boards import board
from tests.api.routes.test_repo_sync import address, client, registered, remote
from tests.support.api import User

__all__ = ["address", "client", "remote"]

pytestmark = pytest.mark.usefixtures("git_root")


@pytest.fixture
def clone(settings: Settings, remote: Repository, address: str) -> Repository:
    clone = remote.clone(settings.git_roots[0] / "engine")
    # Another form of the address that is registered.
    clone.git("remote", "set-url", "origin", f"{address}.git/")
    return clone


async def status_of(user: User, repo: dict[str, Any]) -> dict[str, Any]:
    return (await user.get(f"/repos/{repo['id']}/status")).json()


async def sync(user: User, repo: dict[str, Any]) -> dict[str, Any]:
    answer = await user.post(f"/repos/{repo['id']}/sync")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def item_of(user: User) -> dict[str, Any] | None:
    """The only item of the board, which is the same when it is remembered."""
    seen = await board(user)
    assert await board(user, "?fresh=false") == seen
    return seen["items"][0] if seen["items"] else None


@pytest.mark.long
async def test_commits_that_a_sync_saw_at_the_remote_are_pushed(
    ada: User, clone: Repository, remote: Repository, address: str
) -> None:
    repo = await registered(ada, clone.path, address)
    clone.git("switch", "--quiet", "--create", "idea")
    clone.commit("mine")
    # Without a remote-tracking branch: by the address, as `git push <address>` does.
    clone.git("push", "--quiet", remote.path.as_uri(), "idea")
    before = await status_of(ada, repo)
    assert (before["unpushed_commits"], before["at_risk"]) == (1, True)
    assert before["as_of"]["source"] == "fetch"
    item = await item_of(ada)
    assert item is not None
    assert item["reasons"] == ["unpushed"]
    assert item["unpushed_branches"] == ["idea"]
    synced = await sync(ada, repo)
    after = await status_of(ada, repo)
    assert (after["unpushed_commits"], after["at_risk"]) == (0, False)
    assert after["as_of"] == {"source": "sync", "at": synced["synced_at"]}
    assert await item_of(ada) is None


@pytest.mark.long
@pytest.mark.parametrize("option", ["--annotate", "--no-sign"])
async def test_a_tag_of_the_remote_whose_branch_is_gone_there_is_pushed(
    option: str, ada: User, clone: Repository, remote: Repository, address: str
) -> None:
    """As with a release that was merged and whose branch was deleted."""
    remote.git("switch", "--quiet", "--create", "release")
    remote.commit("release")
    remote.git("tag", option, "--message", "The first", "v1")
    remote.git("tag", "--no-sign", "a-tree", "HEAD^{tree}")
    remote.git("switch", "--quiet", "main")
    remote.git("branch", "--quiet", "--delete", "--force", "release")
    clone.git("fetch", "--quiet", "--tags", remote.path.as_uri())
    repo = await registered(ada, clone.path, address)
    assert (await status_of(ada, repo))["unpushed_commits"] == 1
    await sync(ada, repo)
    seen = await status_of(ada, repo)
    assert (seen["unpushed_commits"], seen["at_risk"]) == (0, False)
    assert await item_of(ada) is None
    clone.git("remote", "set-url", "origin", address)
    clone.git("fetch", "--quiet")
    seen = await status_of(ada, repo)
    assert (seen["unpushed_commits"], seen["as_of"]["source"]) == (0, "fetch")
    # A tag that only this clone has is not at the remote.
    clone.git("switch", "--quiet", "--detach")
    clone.commit("mine")
    clone.git("tag", "mine")
    clone.git("switch", "--quiet", "main")
    assert (await status_of(ada, repo))["unpushed_commits"] == 1


@pytest.mark.long
async def test_commits_that_only_the_remote_has_are_counted_by_the_sync(
    ada: User, clone: Repository, remote: Repository, address: str
) -> None:
    repo = await registered(ada, clone.path, address)
    clone.commit("mine")
    for name in ("their first", "their second"):
        remote.commit(name)
    assert (await status_of(ada, repo))["behind"] == 0
    await sync(ada, repo)
    seen = await status_of(ada, repo)
    assert (seen["ahead"], seen["behind"]) == (1, 2)
    (main,) = seen["work"]
    assert (main["ahead"], main["behind"]) == (1, 2)
    item = await item_of(ada)
    assert item is not None
    assert (item["ahead"], item["behind"]) == (1, 2)
    assert item["reasons"] == ["unpushed", "behind", "diverged"]
    # Another commit: it is still behind, and by how much would take another sync.
    clone.commit("more")
    seen = await status_of(ada, repo)
    assert (seen["ahead"], seen["behind"]) == (None, None)
    item = await item_of(ada)
    assert item is not None
    assert (item["behind"], "behind" in item["reasons"]) == (None, True)
    clone.git("remote", "set-url", "origin", address)
    clone.git("pull", "--quiet", "--rebase")
    seen = await status_of(ada, repo)
    assert (seen["ahead"], seen["behind"], seen["as_of"]["source"]) == (2, 0, "fetch")


@pytest.mark.long
async def test_what_was_seen_of_another_remote_does_not_count(
    ada: User, clone: Repository, remote: Repository, address: str
) -> None:
    repo = await registered(ada, clone.path, address)
    clone.commit("mine")
    clone.git("push", "--quiet", remote.path.as_uri(), "main:idea")
    await sync(ada, repo)
    assert (await status_of(ada, repo))["unpushed_commits"] == 0
    path = f"/repos/{repo['id']}"
    await ada.patch(path, {"remote_url": "https://git.example.org/other.git"})
    assert (await status_of(ada, repo))["unpushed_commits"] == 1
    await ada.patch(path, {"remote_url": None})
    assert (await status_of(ada, repo))["unpushed_commits"] == 1
    # The same remote again is as it was seen.
    await ada.patch(path, {"remote_url": address})
    assert (await status_of(ada, repo))["unpushed_commits"] == 0


@pytest.mark.long
async def test_a_sync_of_another_users_repo_of_the_same_directory_is_not_known(
    ada: User, eve: User, clone: Repository, remote: Repository, address: str
) -> None:
    clone.commit("mine")
    clone.git("push", "--quiet", remote.path.as_uri(), "main:idea")
    for user in (ada, eve):
        repo = await registered(user, clone.path, address)
        if user is ada:
            await sync(ada, repo)
    item = await item_of(eve)
    assert item is not None
    assert item["reasons"] == ["unpushed"]
    assert await item_of(ada) is None


@pytest.mark.long
async def test_a_directory_is_not_safe_to_delete_when_a_sync_saw_another_branch_there(
    ada: User, clone: Repository, remote: Repository, address: str
) -> None:
    repo = await registered(ada, clone.path, address)
    path = f"/repos/{repo['id']}/disposal"
    assert (await ada.get(path)).json()["verdict"] == "safe"
    remote.commit("theirs")
    await sync(ada, repo)
    disposal = (await ada.get(path)).json()
    assert disposal["verdict"] == "unknown"
    assert [each["kind"] for each in disposal["evidence"]] == ["outdated-remote"]
