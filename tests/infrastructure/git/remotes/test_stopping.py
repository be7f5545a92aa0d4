"""Every sync stops, whatever the remote does, and leaves no process and no lock behind."""

import asyncio
import os
import sys
import threading
from functools import partial
from pathlib import Path

import pytest

from scripts.support.git_daemon import git_daemon
from scripts.support.git_repository import Repository
from scripts.support.polling import until
from symphony.application.ports import Overloaded
from symphony.domain.base import new_id
from symphony.domain.sync import RemoteTimeout, SyncInProgress
from symphony.infrastructure.git.process.program import ProgramOptions
from symphony.infrastructure.git.process.temporary_directory import ServiceTemporaryDirectory
from symphony.infrastructure.git.remotes.mirrors import Mirrors
from symphony.infrastructure.git.remotes.remote_git import RemoteGit, SyncLimits
from tests.infrastructure.git.factories import NewRemotes
from tests.support import processes
from tests.support.remotes import Listener, no_sync_runs, sync_processes, sync_runs
from tests.support.repositories import USER, entries, left_by_program

pytestmark = pytest.mark.long

SCRIPT = """
import asyncio, sys
from pathlib import Path
from uuid import UUID
from symphony.infrastructure.git.remotes.remote_git import RemoteGit

remotes = RemoteGit([Path(sys.argv[1])], Path(sys.argv[2]), allow_private=True)
asyncio.run(remotes.sync(UUID(int=1), UUID(sys.argv[3]), sys.argv[1], sys.argv[4]))
"""
REPO = new_id()


async def is_unlocked(mirrors: Path) -> bool:
    try:
        with Mirrors(mirrors).lock(REPO):
            return True
    except SyncInProgress:
        return False


@pytest.mark.parametrize(
    "scheme",
    ["git", pytest.param("http", marks=pytest.mark.long), "https", "ssh"],
)
async def test_a_sync_with_a_remote_that_does_not_answer_times_out(
    scheme: str, silent: Listener, new_remotes: NewRemotes
) -> None:
    remotes = new_remotes(SyncLimits(time_limit=1))
    task = asyncio.create_task(
        remotes.sync(USER, REPO, "/none", f"{scheme}://127.0.0.1:{silent.port}/engine")
    )

    async def is_connected() -> bool:
        return silent.connections > 0

    await until(is_connected)
    with pytest.raises(RemoteTimeout):
        await task
    await until(no_sync_runs)


async def test_a_process_that_outlives_git_is_killed_and_the_mirror_unlocked(
    new_remotes: NewRemotes, temporary: Path, tmp_path: Path
) -> None:
    """The stand-in for ssh sends nonsense, so that git exits, and then keeps running."""
    stand_in = tmp_path / "programs/ssh"
    stand_in.parent.mkdir()
    stand_in.write_text("#!/bin/sh\necho $$ > started\necho nonsense\nexec sleep 600 >&-\n")
    stand_in.chmod(0o755)
    options = ProgramOptions(search_path=f"{stand_in.parent}:/usr/bin:/bin")
    remotes = new_remotes(SyncLimits(time_limit=1, program=options))
    task = asyncio.create_task(remotes.sync(USER, REPO, "/none", "git@127.0.0.1:engine"))

    async def helper_runs() -> bool:
        return left_by_program(temporary, "started") != ""

    await until(helper_runs)
    helper = int(left_by_program(temporary, "started"))
    with pytest.raises(RemoteTimeout):
        await task

    async def helper_has_ended() -> bool:
        return processes.has_ended(helper)

    await until(helper_has_ended)
    await until(partial(is_unlocked, tmp_path / "mirrors"))


async def test_git_is_killed_when_the_caller_is_cancelled_and_the_mirror_unlocked(
    silent: Listener, remotes: RemoteGit, tmp_path: Path
) -> None:
    url = f"git://127.0.0.1:{silent.port}/engine"
    task = asyncio.create_task(remotes.sync(USER, REPO, "/none", url))
    await until(sync_runs)
    with pytest.raises(SyncInProgress):
        await remotes.sync(USER, REPO, "/none", url)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await until(no_sync_runs)
    await until(partial(is_unlocked, tmp_path / "mirrors"))


async def test_a_sync_that_the_stopping_service_interrupts_is_overloaded(
    silent: Listener, root: Path, temporary: Path, tmp_path: Path
) -> None:
    remotes = RemoteGit([root], tmp_path / "mirrors", allow_private=True)
    task = asyncio.create_task(
        remotes.sync(USER, REPO, "/none", f"git://127.0.0.1:{silent.port}/engine")
    )
    await until(sync_runs)
    remotes.close()
    assert sync_processes() == []
    assert entries(temporary) == []
    with pytest.raises(Overloaded):
        await task


async def test_a_resolver_that_does_not_answer_delays_nothing_beyond_the_time_limit(
    root: Path, tmp_path: Path, temporary: Path
) -> None:
    started, finish = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def slow_resolver(_: str) -> list[str]:
        loop.call_soon_threadsafe(started.set)
        finish.wait(60)
        return ["192.0.2.1"]

    remotes = RemoteGit(
        [root],
        tmp_path / "mirrors",
        allow_private=False,
        resolver=slow_resolver,
        limits=SyncLimits(time_limit=0.2),
    )
    with pytest.raises(RemoteTimeout):
        await remotes.sync(USER, REPO, "/none", "https://git.example.org/engine")
    assert started.is_set()
    remotes.close()
    finish.set()
    assert entries(temporary) == []


async def test_when_the_service_is_killed_git_is_too_and_the_next_sync_works(
    silent: Listener, remotes: RemoteGit, root: Path, temporary: Path, tmp_path: Path
) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", SCRIPT, str(root), str(tmp_path / "mirrors"), str(REPO)),
        f"git://127.0.0.1:{silent.port}/engine",
        env={**os.environ, "TMPDIR": str(temporary)},
    )
    await until(sync_runs)
    left = processes.children(process.pid)
    with pytest.raises(SyncInProgress):  # the other process has the lock
        await remotes.sync(USER, REPO, "/none", f"git://127.0.0.1:{silent.port}/engine")
    process.kill()
    await process.wait()
    Repository.with_commits(tmp_path / "served/engine", "file")
    with git_daemon(tmp_path / "served") as url:
        state = await remotes.sync(USER, REPO, "/none", f"{url}/engine")
    assert set(state.branches) == {"main"}

    async def all_have_ended() -> bool:  # though the remote has still not answered
        return all(processes.has_ended(each.pid) for each in left)

    await until(all_have_ended)
    assert len(entries(temporary)) == 2
    ServiceTemporaryDirectory().close()  # as the next start does
    assert len(entries(temporary)) == 1
