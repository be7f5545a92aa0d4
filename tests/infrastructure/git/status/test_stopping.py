"""Every inspection stops, whatever happens, and leaves no process and no file behind."""

import asyncio
import os
import sys
from pathlib import Path

import psutil
import pytest

from scripts.support.git_repository import Repository
from scripts.support.polling import until
from symphony.application.ports import Overloaded
from symphony.domain.git.status import RepoState
from symphony.infrastructure.git.process.program import ProgramOptions
from symphony.infrastructure.git.process.temporary_directory import ServiceTemporaryDirectory
from symphony.infrastructure.git.status.limits import InspectionLimits
from symphony.infrastructure.git.status.local_git import LocalGit
from tests.infrastructure.git.factories import NewGit
from tests.support import inspections, processes
from tests.support.repositories import (
    USER,
    entries,
    git_runs,
    left_by_program,
    nothing_runs,
    running,
)

pytestmark = pytest.mark.long


async def test_an_inspection_that_takes_too_long_is_stopped(
    endless: Repository, new_git: NewGit
) -> None:
    git = new_git(InspectionLimits(time_limit=0.5))
    status = await git.status(USER, str(endless.path))
    assert status.state == RepoState.ERROR
    assert status.reason == "The inspection took longer than 0.5 seconds."
    await until(nothing_runs)


async def test_git_is_killed_when_the_caller_is_cancelled(
    endless: Repository, git: LocalGit
) -> None:
    task = asyncio.create_task(git.status(USER, str(endless.path)))
    await until(git_runs)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await until(nothing_runs)


async def test_the_processes_that_git_started_are_killed_with_it(
    repo: Repository, new_git: NewGit, temporary: Path, tmp_path: Path
) -> None:
    stand_in = tmp_path / "git"
    stand_in.write_text('#!/bin/sh\n[ "$1" = --exec-path ] && exit\ncd "$GIT_DIR"\n'
                        "/bin/sleep 600 &\necho $! > new\n/bin/mv new started\nwait\n")  # fmt: skip
    stand_in.chmod(0o755)
    git = new_git(InspectionLimits(program=ProgramOptions(search_path=str(tmp_path))))
    task = asyncio.create_task(git.status(USER, str(repo.path)))

    async def helper_runs() -> bool:
        return left_by_program(temporary, "started") != ""

    await until(helper_runs)
    helper = int(left_by_program(temporary, "started"))
    task.cancel()

    async def helper_has_ended() -> bool:
        return processes.has_ended(helper)

    await until(helper_has_ended)


async def test_an_inspection_that_the_stopping_service_interrupts_is_overloaded(
    endless: Repository, root: Path, temporary: Path
) -> None:
    git = LocalGit([root])
    task = asyncio.create_task(git.status(USER, str(endless.path)))
    await until(git_runs)
    git.close()
    assert running() == []
    assert entries(temporary) == []
    with pytest.raises(Overloaded):
        await task


async def test_when_the_service_is_killed_git_is_too_and_the_next_start_removes_the_files(
    endless: Repository, temporary: Path
) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", inspections.SCRIPT, str(endless.path), str(endless.path)),
        env={**os.environ, "TMPDIR": str(temporary)},
    )

    started = list[psutil.Process]()

    async def git_reads_the_files() -> bool:
        started[:] = processes.children(process.pid)
        return any("status" in processes.command_line(each) for each in started)

    async def all_have_ended() -> bool:
        return all(processes.has_ended(each.pid) for each in started)

    await until(git_reads_the_files)
    process.kill()
    await process.wait()
    await until(all_have_ended)
    assert len(entries(temporary)) == 1
    ServiceTemporaryDirectory().close()
    assert entries(temporary) == []
