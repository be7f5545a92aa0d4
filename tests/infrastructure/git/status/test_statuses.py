"""Statuses of many repositories: in order, up to the concurrency limit, within a time."""

import asyncio
import os
from pathlib import Path

import pytest

from scripts.support.git_repository import Repository
from scripts.support.polling import until
from symphony.application.ports import Overloaded
from symphony.domain.git.status import Directory, RepoState
from symphony.infrastructure.git.status.limits import InspectionLimits
from symphony.infrastructure.git.status.local_git import LocalGit
from tests.infrastructure.git.factories import NewGit
from tests.support.inspections import counted_inspections
from tests.support.repositories import USER, nothing_runs

pytestmark = pytest.mark.long

LONG = 60.0  # seconds
NOWHERE = Directory("/nowhere")
CONCURRENCY = InspectionLimits().concurrency_per_user


@pytest.fixture
def repos(root: Path) -> list[Directory]:
    """The directories of some repositories, the odd ones of which are dirty."""
    first = Repository.with_commits(root / "0", "file")
    for number in range(1, 20):
        clone = first.clone(root / str(number))
        if number % 2:
            clone.write("new")
    return [Directory(str(root / str(number))) for number in range(20)]


async def test_each_status_is_as_if_it_were_requested_alone(
    git: LocalGit, repos: list[Directory]
) -> None:
    statuses = await git.statuses(USER, [*repos, NOWHERE], within=LONG)
    assert set(statuses) == {*repos, NOWHERE}
    assert [statuses[path].state for path in repos] == [RepoState.CLEAN, RepoState.DIRTY] * 10
    assert statuses[NOWHERE].state == RepoState.REFUSED


async def test_several_requests_for_many_statuses_share_the_concurrency_limit(
    git: LocalGit, repos: list[Directory], monkeypatch: pytest.MonkeyPatch
) -> None:
    with counted_inspections(monkeypatch) as concurrency:
        boards = await asyncio.gather(*(git.statuses(USER, repos, within=LONG) for _ in range(4)))
    assert all(set(board) == set(repos) for board in boards)
    assert len(concurrency) == 4 * len(repos)
    assert max(concurrency) <= CONCURRENCY


async def test_one_status_does_not_wait_for_many(
    new_git: NewGit, repos: list[Directory], monkeypatch: pytest.MonkeyPatch
) -> None:
    git = new_git(InspectionLimits(worker_processes=0))
    with counted_inspections(monkeypatch) as started:
        many = asyncio.create_task(git.statuses(USER, repos * 5, within=LONG))

        async def one_has_started() -> bool:
            return bool(started)

        await until(one_has_started)
        await git.status(USER, repos[0].path)
        before = len(started)
        await many
    # Those that ran when it was requested, those before it in the queue, and those that started
    # while it ran.
    assert before <= len(repos) * 2


async def test_without_time_for_all_the_rest_is_left_out_and_git_is_killed(
    new_git: NewGit, repos: list[Directory], root: Path
) -> None:
    git = new_git(InspectionLimits(worker_processes=0))
    endless = [Repository.created(root / f"endless-{number}") for number in range(CONCURRENCY)]
    for each in endless:
        os.mkfifo(each.path / ".gitignore")  # git opens it and waits
    paths = [NOWHERE, *(Directory(str(each.path)) for each in endless), *repos]
    statuses = await git.statuses(USER, paths, within=1.5)
    # In order: all threads are stuck before the rest is started.
    assert set(statuses) == {NOWHERE}

    await until(nothing_runs)


async def test_many_statuses_are_overloaded_when_the_queue_is_full(
    git: LocalGit, new_git: NewGit, repos: list[Directory]
) -> None:
    with pytest.raises(Overloaded):
        await new_git(InspectionLimits(max_queued=2)).statuses(USER, repos, within=LONG)
    assert len(await git.statuses(USER, repos, within=LONG)) == len(repos)


async def test_no_paths_give_no_statuses(git: LocalGit) -> None:
    assert await git.statuses(USER, [], within=LONG) == {}
