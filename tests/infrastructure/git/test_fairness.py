"""What git does for one user holds up no other user."""

import asyncio
import os
import threading
from functools import partial
from pathlib import Path
from uuid import UUID

import pytest

from scripts.support.git_repository import Repository
from scripts.support.polling import until
from symphony.application.ports import Overloaded
from symphony.domain.base import new_id
from symphony.domain.git.status import Directory, RepoState
from symphony.domain.sync import RemoteFailed, RemoteTimeout
from symphony.infrastructure.git.discovery import finder as finder_module
from symphony.infrastructure.git.discovery.finder import LocalFinder, SearchLimits
from symphony.infrastructure.git.files.roots import OpenedRoots
from symphony.infrastructure.git.files.untrusted_directory import UntrustedDirectory
from symphony.infrastructure.git.remotes.remote_git import RemoteGit, SyncLimits
from symphony.infrastructure.git.remotes.remote_repository import BranchList, RemoteRepository
from symphony.infrastructure.git.status import inspector
from symphony.infrastructure.git.status.limits import InspectionLimits
from symphony.infrastructure.git.status.local_git import LocalGit
from tests.infrastructure.git.factories import NewGit, NewRemotes
from tests.support.remotes import Listener
from tests.support.repositories import USER, nothing_runs, running

pytestmark = pytest.mark.long

OTHER = UUID(int=2)
SOON = 5.0  # seconds


async def cancelled(tasks: list[asyncio.Task[object]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)

    await until(nothing_runs)


async def test_repositories_in_which_git_waits_forever_hold_up_no_other_user(
    root: Path, git: LocalGit
) -> None:
    limits = InspectionLimits()
    endless = Repository.created(root / "endless")
    os.mkfifo(endless.path / ".gitignore")  # git opens it and waits
    repo = Repository.created(root / "repo")
    tasks = [
        asyncio.create_task(git.status(USER, str(endless.path))) for _ in range(limits.max_queued)
    ]

    async def git_runs_up_to_the_limit() -> bool:
        return len(running()) == limits.concurrency_per_user

    await until(git_runs_up_to_the_limit)
    async with asyncio.timeout(SOON):
        assert (await git.status(OTHER, str(repo.path))).state == RepoState.CLEAN
        assert len(await git.statuses(OTHER, [Directory(str(repo.path))] * 9, within=SOON)) == 1
    with pytest.raises(Overloaded):
        await git.status(USER, str(repo.path))
    await cancelled([*tasks])


async def test_remotes_that_do_not_answer_hold_up_no_other_user(
    silent: Listener, remotes: RemoteGit
) -> None:
    limits = SyncLimits()
    url = f"git://127.0.0.1:{silent.port}/engine"
    tasks = [
        asyncio.create_task(remotes.sync(USER, new_id(), "/none", url))
        for _ in range(limits.max_queued)
    ]

    async def syncs_run_up_to_the_limit() -> bool:
        return silent.connections == limits.concurrency_per_user

    await until(syncs_run_up_to_the_limit)
    async with asyncio.timeout(SOON):
        with pytest.raises(RemoteFailed):
            await remotes.sync(OTHER, new_id(), "/none", "git://127.0.0.1:1/engine")
    with pytest.raises(Overloaded):
        await remotes.sync(USER, new_id(), "/none", url)
    await cancelled([*tasks])


async def test_searches_that_take_long_hold_up_no_other_user(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Repository.created(root / "slow/engine")
    Repository.created(root / "engine")
    started, resume = asyncio.Event(), threading.Event()
    loop, classify = asyncio.get_running_loop(), finder_module.classify

    def slow_classify(directory: UntrustedDirectory, roots: OpenedRoots) -> object:
        if directory.path.parent.name == "slow":
            loop.call_soon_threadsafe(started.set)
            resume.wait(60)
        return classify(directory, roots)

    monkeypatch.setattr(finder_module, "classify", slow_classify)
    finder = LocalFinder([root])
    find = partial(finder.find, max_depth=1, registered=[])
    tasks = [
        asyncio.create_task(find(USER, str(root / "slow")))
        for _ in range(SearchLimits().max_queued)
    ]
    await started.wait()
    async with asyncio.timeout(SOON):
        assert len((await find(OTHER, str(root / "engine"))).found) == 1
    with pytest.raises(Overloaded):
        await find(USER, str(root / "engine"))
    resume.set()
    assert [len(each.found) for each in await asyncio.gather(*tasks)] == [1] * len(tasks)
    finder.close()


async def test_an_inspection_that_gets_no_thread_in_time_is_overloaded_and_has_no_status(
    root: Path, new_git: NewGit, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = Repository.created(root / "repo")
    disk_answers, open_directory = threading.Event(), inspector.open_directory

    def slow_open(path: str, roots: OpenedRoots) -> UntrustedDirectory:
        if path.endswith("/dead"):  # on a disk that does not answer
            disk_answers.wait(60)
        return open_directory(path, roots)

    monkeypatch.setattr(inspector, "open_directory", slow_open)
    limits = InspectionLimits(time_limit=0.5)
    git = new_git(limits)
    dead = Repository.created(root / "dead")
    inspections = (git.status(USER, str(dead.path)) for _ in range(limits.concurrency_per_user))
    assert {each.reason for each in await asyncio.gather(*inspections)} == {
        "The inspection took longer than 0.5 seconds."
    }
    with pytest.raises(Overloaded):
        await git.status(USER, str(repo.path))
    assert await git.statuses(USER, [Directory(str(repo.path))], within=SOON) == {}
    disk_answers.set()

    async def is_clean() -> bool:
        return (await git.status(USER, str(repo.path))).state == RepoState.CLEAN

    await until(is_clean)


async def test_a_sync_that_gets_no_thread_in_time_is_overloaded_and_has_not_timed_out(
    new_remotes: NewRemotes, monkeypatch: pytest.MonkeyPatch
) -> None:
    resume = threading.Event()

    def slow_list(_: RemoteRepository) -> BranchList:
        resume.wait(60)
        return BranchList({}, None)

    monkeypatch.setattr(RemoteRepository, "list_branches", slow_list)
    limits = SyncLimits(time_limit=0.2)
    remotes = new_remotes(limits)
    sync = partial(remotes.sync, path="/none", remote_url="git://127.0.0.1:1/engine")
    syncs = (sync(USER, new_id()) for _ in range(limits.concurrency_per_user))
    results = await asyncio.gather(*syncs, return_exceptions=True)
    assert {type(each) for each in results} == {RemoteTimeout}
    with pytest.raises(Overloaded):
        await sync(USER, new_id())
    resume.set()
