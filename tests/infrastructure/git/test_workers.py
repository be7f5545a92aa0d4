"""Processes that inspect the repositories of large boards: same answers, and nothing is left."""

import asyncio
import logging
import os
import sys
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from scripts.support.git_repository import Repository
from scripts.support.polling import until
from symphony.domain.git.status import Directory, RepoState
from symphony.infrastructure.git.status import worker_pool
from symphony.infrastructure.git.status.limits import InspectionLimits
from symphony.infrastructure.git.status.local_git import LocalGit
from symphony.infrastructure.git.status.worker_pool import DIRECTORIES_EACH, Shares
from tests.infrastructure.git.factories import NewGit
from tests.support import processes
from tests.support.repositories import USER

LONG = 60.0  # seconds
NUMBER = 2 * DIRECTORIES_EACH
LIMITS = InspectionLimits(worker_processes=2)


@pytest.fixture
def repos(root: Path) -> list[Directory]:
    """The directories of repositories, just enough for two processes; the odd ones are dirty."""
    first = Repository.with_commits(root / "0", "file")
    for number in range(1, NUMBER):
        clone = first.clone(root / str(number))
        if number % 2:
            clone.write("new")
    return [Directory(str(root / str(number))) for number in range(NUMBER)]


def workers() -> list[psutil.Process]:
    """Return the processes that inspect for this one."""
    return [
        each
        for each in processes.children()
        if "symphony.infrastructure.git.status.worker" in processes.command_line(each)
    ]


def is_stuck(worker: psutil.Process) -> bool:
    """Return whether it waits for git in the repository `endless`."""
    environments = map(processes.environment, processes.children(worker.pid))
    return any(each.get("GIT_WORK_TREE", "").endswith("endless") for each in environments)


async def no_worker_runs() -> bool:
    return workers() == []


async def one_is_stuck() -> bool:
    return any(map(is_stuck, workers()))


@pytest.mark.long
async def test_they_give_the_answers_of_the_service_and_end_with_it(
    new_git: NewGit, repos: list[Directory], root: Path
) -> None:
    alone = new_git(InspectionLimits(worker_processes=0))
    expected = await alone.statuses(USER, repos, within=LONG)
    with closing(LocalGit([root], LIMITS)) as git:
        for _ in range(2):
            found = await git.statuses(USER, repos, within=LONG)
            assert len(workers()) == 2
            for directory in repos:
                status = expected[directory]
                at = status.observed_at
                assert replace(found[directory], observed_at=at) == status
    assert workers() == []


@pytest.mark.long
async def test_few_repositories_need_none(git: LocalGit, repos: list[Directory]) -> None:
    await git.statuses(USER, repos[:-1], within=LONG)
    assert workers() == []


@pytest.mark.long
async def test_they_have_none_of_the_settings(
    new_git: NewGit, repos: list[Directory], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SYMPHONY_SECRET_KEY", "s3cret")
    await new_git(LIMITS).statuses(USER, repos, within=LONG)
    environments = [processes.environment(each) for each in workers()]
    assert len(environments) == 2
    assert not any("SYMPHONY" in name for each in environments for name in each)


@pytest.mark.long
async def test_when_they_do_not_start_the_service_inspects(
    new_git: NewGit,
    repos: list[Directory],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(worker_pool, "_COMMAND", (sys.executable, "-c", "pass"))
    with caplog.at_level(logging.ERROR):
        found = await new_git(LIMITS).statuses(USER, repos, within=LONG)
    assert [found[each].state for each in repos] == [RepoState.CLEAN, RepoState.DIRTY] * (
        NUMBER // 2
    )
    assert "did not start" in caplog.text


@pytest.mark.long
async def test_when_the_system_starts_none_the_service_inspects(
    new_git: NewGit, repos: list[Directory], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_pool, "_COMMAND", ("/nowhere/python",))
    found = await new_git(LIMITS).statuses(USER, repos, within=LONG)
    assert len(found) == NUMBER


@pytest.mark.long
async def test_one_that_is_killed_costs_one_status_and_is_replaced(
    new_git: NewGit,
    repos: list[Directory],
    root: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    git = new_git(LIMITS)
    await git.statuses(USER, repos, within=LONG)
    endless = Repository.created(root / "endless")
    os.mkfifo(endless.path / ".gitignore")  # git opens it and waits
    stuck = Directory(str(endless.path))
    board = asyncio.create_task(git.statuses(USER, [stuck, *repos], within=LONG))
    await until(one_is_stuck)
    with caplog.at_level(logging.ERROR):
        for each in workers():
            if is_stuck(each):
                each.kill()
        found = await board
    assert found[stuck].state == RepoState.ERROR
    assert len(found) == NUMBER + 1
    assert "ended unexpectedly" in caplog.text
    assert len(await git.statuses(USER, repos, within=LONG)) == NUMBER
    assert len(workers()) == 2


@pytest.mark.long
async def test_a_cancelled_board_stops_the_git_of_a_worker(
    new_git: NewGit, repos: list[Directory], root: Path
) -> None:
    endless = Repository.created(root / "endless")
    os.mkfifo(endless.path / ".gitignore")
    directories = [Directory(str(endless.path)), *repos]
    git = new_git(LIMITS)
    board = asyncio.create_task(git.statuses(USER, directories, within=LONG))
    await until(one_is_stuck)
    board.cancel()
    with suppress(asyncio.CancelledError):
        await board

    async def none_is_stuck() -> bool:
        return not await one_is_stuck()

    await until(none_is_stuck)
    assert len(await git.statuses(USER, repos, within=LONG)) == NUMBER
    assert len(workers()) == 2


@pytest.mark.long
async def test_they_are_closed_when_no_board_comes(
    new_git: NewGit, repos: list[Directory], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_pool, "IDLE_LIMIT", 0.2)
    await new_git(LIMITS).statuses(USER, repos, within=LONG)
    await until(no_worker_runs)


@pytest.mark.long
async def test_two_boards_at_once_share_what_there_is(
    new_git: NewGit, repos: list[Directory]
) -> None:
    git = new_git(LIMITS)
    boards = await asyncio.gather(*(git.statuses(USER, repos, within=LONG) for _ in range(3)))
    assert [len(each) for each in boards] == [NUMBER] * 3
    assert len(workers()) == 2


def test_each_directory_has_its_worker_and_none_idles_while_another_works() -> None:
    directories = [Directory(f"/dev/{number}") for number in range(50)]
    shares = Shares(directories, 2)
    own = [shares.next_for(0) for _ in range(10)]
    again = Shares(directories, 2)
    assert [again.next_for(0) for _ in range(10)] == own
    rest = list(iter(lambda: shares.next_for(0), None))
    assert {*own, *rest} == set(directories)
    assert shares.next_for(1) is None
