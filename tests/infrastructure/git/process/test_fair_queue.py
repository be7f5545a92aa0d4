"""What one user has git do holds up nobody else."""

import asyncio
import os
import threading
from collections.abc import Generator
from functools import partial
from pathlib import Path
from uuid import UUID

import pytest

from symphony.application.ports import Overloaded
from symphony.domain.base import new_id
from symphony.domain.git import RepoState
from symphony.domain.sync import RemoteFailed, RemoteTimeout
from symphony.infrastructure.git.discovery import finder
from symphony.infrastructure.git.discovery.finder import LocalFinder
from symphony.infrastructure.git.files.location import Location
from symphony.infrastructure.git.files.roots import Roots
from symphony.infrastructure.git.process.fair_queue import FairQueue
from symphony.infrastructure.git.remotes import remote as remote_git
from symphony.infrastructure.git.remotes.remote import RemoteGit
from symphony.infrastructure.git.remotes.repository import Listing, RemoteRepository
from symphony.infrastructure.git.status import inspector, local
from symphony.infrastructure.git.status.local import LocalGit
from tests.support.remotes import Listener
from tests.support.repositories import USER, Repository, nothing_runs, running
from tests.support.server import until

OTHER = UUID(int=2)
SOON = 5.0  # seconds


@pytest.fixture
def turns() -> Generator[FairQueue]:
    turns = FairQueue("test", of_one=1, in_all=2)
    yield turns
    turns.close()


async def ended(asked: list[asyncio.Task[object]]) -> None:
    for each in asked:
        each.cancel()
    await asyncio.gather(*asked, return_exceptions=True)

    await until(nothing_runs)


async def test_repos_at_which_git_waits_for_ever_hold_up_no_other_user(
    root: Path, git: LocalGit
) -> None:
    endless = Repository.made(root / "endless")
    os.mkfifo(endless.path / ".gitignore")  # which git opens, and waits
    repo = Repository.made(root / "repo")
    asked = [
        asyncio.create_task(git.status(USER, str(endless.path))) for _ in range(local.MAX_WAITING)
    ]

    async def git_runs_as_often_as_it_may() -> bool:
        return len(running()) == local.AT_ONCE

    await until(git_runs_as_often_as_it_may)
    async with asyncio.timeout(SOON):
        assert (await git.status(OTHER, str(repo.path))).state == RepoState.CLEAN
        assert len(await git.statuses(OTHER, [str(repo.path)] * 9, within=SOON)) == 1
    with pytest.raises(Overloaded):
        await git.status(USER, str(repo.path))
    await ended([*asked])


async def test_remotes_that_say_nothing_hold_up_no_other_user(
    root: Path, remotes: RemoteGit
) -> None:
    silent = Listener()
    address = f"git://127.0.0.1:{silent.port}/engine"
    asked = [
        asyncio.create_task(remotes.sync(USER, new_id(), "/none", address))
        for _ in range(remote_git.MAX_WAITING)
    ]

    async def all_have_their_turn() -> bool:
        return silent.calls == remote_git.AT_ONCE

    await until(all_have_their_turn)
    async with asyncio.timeout(SOON):
        with pytest.raises(RemoteFailed):
            await remotes.sync(OTHER, new_id(), "/none", "git://127.0.0.1:1/engine")
    with pytest.raises(Overloaded):
        await remotes.sync(USER, new_id(), "/none", address)
    await ended([*asked])
    silent.close()


async def test_searches_that_take_long_hold_up_no_other_user(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Repository.made(root / "slow/engine")
    Repository.made(root / "engine")
    begun, end = asyncio.Event(), threading.Event()
    loop, classify = asyncio.get_running_loop(), finder.classify

    def held(folder: Path, *others: object) -> object:
        if folder.parent.name == "slow":
            loop.call_soon_threadsafe(begun.set)
            end.wait(60)
        return classify(folder, *others)  # pyright: ignore[reportArgumentType]

    monkeypatch.setattr(finder, "classify", held)
    local_finder = LocalFinder([root])
    find = partial(local_finder.find, max_depth=1, registered=[])
    asked = [asyncio.create_task(find(USER, str(root / "slow"))) for _ in range(finder.MAX_WAITING)]
    await begun.wait()
    async with asyncio.timeout(SOON):
        assert len((await find(OTHER, str(root / "engine"))).found) == 1
    with pytest.raises(Overloaded):
        await find(USER, str(root / "engine"))
    end.set()
    assert [len(each.found) for each in await asyncio.gather(*asked)] == [1] * len(asked)
    local_finder.close()


async def test_who_gets_no_turn_is_told_so_and_nothing_of_the_repo(
    root: Path, git: LocalGit, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = Repository.made(root / "repo")
    end, locate = threading.Event(), inspector.locate

    def held(folder: Path, roots: Roots) -> Location:
        if folder.name == "dead":  # on a disk that does not answer
            end.wait(60)
        return locate(folder, roots)

    monkeypatch.setattr(inspector, "locate", held)
    monkeypatch.setattr(local, "TIME_LIMIT", 0.2)
    dead = Repository.made(root / "dead")
    asked = (git.status(USER, str(dead.path)) for _ in range(local.AT_ONCE))
    assert {each.reason for each in await asyncio.gather(*asked)} == {
        "Reading it took longer than 0.2 seconds."
    }
    with pytest.raises(Overloaded):
        await git.status(USER, str(repo.path))
    assert await git.statuses(USER, [str(repo.path)], within=SOON) == {}
    end.set()
    monkeypatch.setattr(local, "TIME_LIMIT", SOON)
    assert (await git.status(USER, str(repo.path))).state == RepoState.CLEAN


async def test_a_remote_that_was_not_asked_for_want_of_a_turn_has_not_timed_out(
    root: Path, remotes: RemoteGit, monkeypatch: pytest.MonkeyPatch
) -> None:
    end = threading.Event()

    def held(_: RemoteRepository) -> Listing:
        end.wait(60)
        return Listing({}, None)

    monkeypatch.setattr(RemoteRepository, "listed", held)
    monkeypatch.setattr(remote_git, "TIME_LIMIT", 0.2)
    sync = partial(remotes.sync, path="/none", remote_url="git://127.0.0.1:1/engine")
    asked = (sync(USER, new_id()) for _ in range(remote_git.AT_ONCE))
    told = await asyncio.gather(*asked, return_exceptions=True)
    assert {type(each) for each in told} == {RemoteTimeout}
    with pytest.raises(Overloaded):
        await sync(USER, new_id())
    end.set()


async def test_a_turn_lasts_as_long_as_the_thread_is_busy_though_nobody_waits_any_more(
    turns: FairQueue,
) -> None:
    end = threading.Event()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await turns.line(USER).run(lambda: end.wait(60))
    second = asyncio.create_task(turns.line(USER).run(lambda: "second"))
    assert await turns.line(OTHER).run(lambda: "other") == "other"
    assert not second.done()
    end.set()
    assert await second == "second"


async def test_who_gives_up_in_line_leaves_it(turns: FairQueue) -> None:
    end = threading.Event()
    line = turns.line(USER)
    first = asyncio.create_task(line.run(lambda: end.wait(60)))
    await asyncio.sleep(0)
    for _ in range(3):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await line.run(lambda: pytest.fail("nobody waits for this"))
    end.set()
    assert await first
    assert await line.run(lambda: "next") == "next"


async def test_who_is_in_line_when_the_service_stops_is_told_to_come_back(turns: FairQueue) -> None:
    turns.close()
    with pytest.raises(Overloaded):
        await turns.line(USER).run(lambda: None)
