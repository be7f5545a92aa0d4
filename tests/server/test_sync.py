"""Syncs from several processes at the same time, and after one of them was killed."""

import asyncio
import signal
from collections import Counter
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path

import pytest

from scripts.support.git_daemon import git_daemon
from scripts.support.git_repository import Repository
from scripts.support.polling import until
from tests.support.api import code, sign_up
from tests.support.leftovers import left_behind
from tests.support.remotes import Listener
from tests.support.server import running_server

pytestmark = pytest.mark.long


@pytest.fixture
def silent() -> Generator[Listener]:
    listener = Listener()
    yield listener
    listener.close()


@pytest.fixture
def remote(tmp_path: Path) -> Repository:
    return Repository.with_commits(tmp_path / "served/engine", "file")


async def test_of_many_syncs_in_several_processes_each_succeeds_or_is_a_409(
    tmp_path: Path, remote: Repository
) -> None:
    settings = {"GIT_ROOTS": str(tmp_path), "GIT_ALLOW_PRIVATE_REMOTES": "true"}
    clone = remote.clone(tmp_path / "clone")
    remote.commit("theirs")
    with git_daemon(tmp_path / "served") as address:
        async with (
            running_server(tmp_path / "data", WORKERS="2", **settings) as one,
            running_server(tmp_path / "data", **settings) as other,
            one.client() as client,
            other.client() as other_client,
        ):
            ada = await sign_up(client, "ada")
            users = (ada, replace(ada, client=other_client))
            workspace = await ada.workspace()
            repo = await ada.repo(
                workspace["id"], path=str(clone.path), remote_url=f"{address}/engine"
            )
            answers = await asyncio.gather(
                *(users[each % 2].post(f"/repos/{repo['id']}/sync") for each in range(20))
            )
            worked = [each.json() for each in answers if each.status_code == 200]
            others = Counter(code(each) for each in answers if each.status_code != 200)
            assert worked
            assert set(others) <= {"409 sync-in-progress"}
            assert {(each["ahead"], each["behind"]) for each in worked} == {(0, 1)}
            read = (await ada.get(f"/repos/{repo['id']}")).json()
            assert read["version"] == 1 + len({each["repo"]["version"] for each in worked})
            assert read["last_synced"] == max(each["synced_at"] for each in worked)


async def test_a_process_that_is_killed_leaves_no_repo_locked(
    tmp_path: Path, remote: Repository, silent: Listener
) -> None:
    settings = {"GIT_ROOTS": str(tmp_path), "GIT_ALLOW_PRIVATE_REMOTES": "true"}

    async def is_called() -> bool:
        return silent.connections > 0

    async with (
        running_server(tmp_path / "data", **settings) as killed,
        running_server(tmp_path / "data", **settings) as other,
        killed.client() as client,
        other.client() as other_client,
    ):
        ada = await sign_up(client, "ada")
        eve = replace(ada, client=other_client)
        workspace = await ada.workspace()
        address = f"git://127.0.0.1:{silent.port}/engine"
        repo = await ada.repo(workspace["id"], remote_url=address)
        path = f"/repos/{repo['id']}"
        syncing = asyncio.create_task(ada.post(f"{path}/sync"))
        await until(is_called)
        assert code(await eve.post(f"{path}/sync")) == "409 sync-in-progress"
        await killed.stop(signal.SIGKILL)
        await asyncio.gather(syncing, return_exceptions=True)
        with git_daemon(tmp_path / "served") as address:
            await eve.patch(path, {"remote_url": f"{address}/engine"})
            answer = await eve.post(f"{path}/sync")
        assert answer.status_code == 200, answer.text
        assert set(answer.json()["branches"]) == {"main"}

    async def nothing_is_left() -> bool:
        return left_behind(tmp_path) == []

    await until(nothing_is_left)
