"""Sync of a repo with its remote, over HTTP."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Generator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from scripts.support.git_daemon import git_daemon
from scripts.support.git_repository import Repository
from scripts.support.polling import until
from symphony.config.settings import Settings
from symphony.domain.base import utc_now
from symphony.infrastructure.git.remotes import remote_git
from symphony.infrastructure.git.remotes.remote_git import RemoteGit, SyncLimits
from symphony.main import GitLimits
from tests.support.api import User, code, running_api, sign_up, utc
from tests.support.metrics import scraped
from tests.support.openapi import check
from tests.support.remotes import Listener, no_sync_runs, sync_runs

pytestmark = pytest.mark.usefixtures("git_root")


@pytest.fixture
async def client(settings: Settings, git_limits: GitLimits) -> AsyncGenerator[httpx.AsyncClient]:
    """The client of a service that may connect to remotes on this machine."""
    allowing = settings.model_copy(update={"git_allow_private_remotes": True})
    async with running_api(allowing, git_limits) as client:
        client.event_hooks["response"] = [check]
        yield client


@pytest.fixture
def remote(tmp_path: Path) -> Repository:
    return Repository.with_commits(tmp_path / "served" / "engine", "file")


@pytest.fixture
def address(remote: Repository) -> Generator[str]:
    with git_daemon(remote.path.parent) as address:
        yield f"{address}/engine"


@pytest.fixture
def silent() -> Generator[Listener]:
    listener = Listener()
    yield listener
    listener.close()


async def registered(user: User, path: Path, remote_url: str | None) -> dict[str, Any]:
    workspace = await user.workspace()
    return await user.repo(workspace["id"], path=str(path), remote_url=remote_url)


async def test_a_sync_returns_the_branches_of_the_remote_and_is_stored(
    ada: User, settings: Settings, remote: Repository, address: str
) -> None:
    clone = remote.clone(settings.git_roots[0] / "engine")
    clone.commit("ours")
    remote.commit("theirs")
    theirs = remote.head
    repo = await registered(ada, clone.path, address)
    tag = (await ada.get(f"/repos/{repo['id']}")).headers["etag"]
    answer = await ada.post(f"/repos/{repo['id']}/sync")
    assert answer.status_code == 200
    found = answer.json()
    synced = found.pop("repo")
    assert utc(found["synced_at"]) >= utc(repo["created_at"])
    assert found == {
        "ahead": 1,
        "behind": 1,
        "default_branch": "main",
        "branches": {"main": theirs},
        "synced_at": synced["last_synced"],
    }
    assert synced["version"] == 2
    read = await ada.get(f"/repos/{repo['id']}")
    assert read.json() == synced
    assert read.headers["etag"] != tag
    assert "etag" not in answer.headers


async def test_each_failure_of_a_sync_has_its_code(ada: User, settings: Settings) -> None:
    repo = await registered(ada, settings.git_roots[0], None)
    path = f"/repos/{repo['id']}"
    assert code(await ada.post(f"{path}/sync")) == "409 no-remote"
    await ada.patch(path, {"remote_url": "http://127.0.0.1:1/engine"})
    answer = await ada.post(f"{path}/sync")
    assert code(answer) == "502 remote-failed"
    assert "127.0.0.1" not in answer.json()["detail"]
    assert (await ada.get(path)).json()["last_synced"] is None


async def test_without_git_roots_a_sync_is_refused(settings: Settings) -> None:
    async with running_api(settings.model_copy(update={"git_roots": ()})) as client:
        ada = await sign_up(client, "ada")
        assert code(await ada.post(f"/repos/{ada.id}/sync")) == "403 git-disabled"


@pytest.mark.long
async def test_remotes_in_private_networks_are_refused_unless_allowed(
    settings: Settings, silent: Listener
) -> None:
    async with running_api(settings) as client:
        ada = await sign_up(client, "ada")
        repo = await registered(ada, Path("/none"), f"git://127.0.0.1:{silent.port}/engine")
        answer = await ada.post(f"/repos/{repo['id']}/sync")
    assert code(answer) == "502 remote-failed"
    assert "not public" in answer.json()["detail"]
    assert silent.connections == 0


async def test_the_sync_of_another_users_repo_is_a_404(ada: User, eve: User) -> None:
    repo = await registered(ada, Path("/none"), "git://127.0.0.1:1/engine")
    assert code(await eve.post(f"/repos/{repo['id']}/sync")) == "404 repo-not-found"


async def test_during_a_sync_another_is_refused_and_no_connection_is_held(
    ada: User, silent: Listener
) -> None:
    repo = await registered(ada, Path("/none"), f"git://127.0.0.1:{silent.port}/engine")
    asked = asyncio.create_task(ada.post(f"/repos/{repo['id']}/sync"))
    await until(sync_runs)
    assert code(await ada.post(f"/repos/{repo['id']}/sync")) == "409 sync-in-progress"
    assert (await scraped(ada.client)).value("symphony_database_callers") == 0
    asked.cancel()
    await asyncio.gather(asked, return_exceptions=True)
    await until(no_sync_runs)


@pytest.mark.long
@pytest.mark.parametrize("git_limits", [GitLimits(sync=SyncLimits(time_limit=0.5))])
async def test_a_remote_that_takes_too_long_is_a_504(ada: User, silent: Listener) -> None:
    repo = await registered(ada, Path("/none"), f"http://127.0.0.1:{silent.port}/engine")
    assert code(await ada.post(f"/repos/{repo['id']}/sync")) == "504 remote-timeout"
    await until(no_sync_runs)


@pytest.mark.parametrize("git_limits", [GitLimits(sync=SyncLimits(max_queued=0))])
async def test_a_sync_is_a_503_when_the_queue_is_full(ada: User, silent: Listener) -> None:
    repo = await registered(ada, Path("/none"), f"git://127.0.0.1:{silent.port}/engine")
    assert code(await ada.post(f"/repos/{repo['id']}/sync")) == "503 service-unavailable"
    assert silent.connections == 0


async def synced_while(
    ada: User, path: str, change: Awaitable[httpx.Response], monkeypatch: pytest.MonkeyPatch
) -> httpx.Response:
    """The response of a sync during which a change is made after the remote has responded."""
    answered, changed = asyncio.Event(), asyncio.Event()
    sync = RemoteGit.sync

    async def slow(*arguments: Any) -> Any:
        found = await sync(*arguments)
        answered.set()
        await changed.wait()
        return found

    monkeypatch.setattr(RemoteGit, "sync", slow)
    asked = asyncio.create_task(ada.post(f"{path}/sync"))
    await answered.wait()
    assert (await change).is_success
    changed.set()
    return await asked


async def test_a_repo_that_is_deleted_during_its_sync_stays_deleted(
    ada: User, settings: Settings, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = await registered(ada, Path("/none"), address)
    path = f"/repos/{repo['id']}"
    answer = await synced_while(ada, path, ada.delete(path), monkeypatch)
    assert code(answer) == "404 repo-not-found"
    assert list(settings.data_dir.glob("mirrors/*")) == []


@pytest.mark.parametrize(
    ("remote_url", "expected"),
    [("https://git.example.org/other", "409 remote-changed"), (None, "409 no-remote")],
)
async def test_a_change_of_the_remote_during_a_sync_is_a_409(
    remote_url: str | None,
    expected: str,
    ada: User,
    address: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    repo = await registered(ada, Path("/none"), address)
    path = f"/repos/{repo['id']}"
    change = ada.patch(path, {"remote_url": remote_url})
    assert code(await synced_while(ada, path, change, monkeypatch)) == expected
    assert (await ada.get(path)).json()["last_synced"] is None


async def test_other_changes_during_a_sync_are_kept(
    ada: User, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = await registered(ada, Path("/none"), address)
    path = f"/repos/{repo['id']}"
    change = ada.patch(path, {"name": "other"})
    answer = await synced_while(ada, path, change, monkeypatch)
    assert answer.json()["repo"]["name"] == "other"
    assert answer.json()["repo"]["last_synced"] == answer.json()["synced_at"]


async def test_a_sync_by_a_clock_that_was_ahead_gives_way_to_the_next_one(
    ada: User, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = await registered(ada, Path("/none"), address)
    path = f"/repos/{repo['id']}"
    with monkeypatch.context() as ahead:
        ahead.setattr(remote_git, "utc_now", lambda: utc_now() + timedelta(days=30))
        assert (await ada.post(f"{path}/sync")).status_code == 200
    synced = (await ada.post(f"{path}/sync")).json()
    assert synced["repo"]["last_synced"] == synced["synced_at"]
