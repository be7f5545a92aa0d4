"""How many inspections of a user run at the same time, and how many wait in the queue."""

import asyncio
import threading
from collections.abc import Iterator

import pytest

from scripts.support.git_repository import Repository
from scripts.support.polling import until
from symphony.application.ports import Overloaded
from symphony.domain.git.status import RepoState
from symphony.infrastructure.git.files import config_files
from symphony.infrastructure.git.status.limits import InspectionLimits
from symphony.infrastructure.git.status.local_git import LocalGit
from tests.infrastructure.git.factories import NewGit
from tests.support.repositories import USER, git_runs, nothing_runs, running

CONCURRENCY = InspectionLimits().concurrency_per_user


async def git_runs_up_to_the_limit() -> bool:
    assert len(running()) <= CONCURRENCY
    return len(running()) == CONCURRENCY


async def test_a_limited_number_runs_and_a_cancelled_caller_leaves_the_queue(
    endless: Repository, git: LocalGit
) -> None:
    tasks = [
        asyncio.create_task(git.status(USER, str(endless.path))) for _ in range(CONCURRENCY * 3)
    ]
    await until(git_runs_up_to_the_limit)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await until(nothing_runs)


async def test_a_full_queue_is_overloaded(endless: Repository, new_git: NewGit) -> None:
    git = new_git(InspectionLimits(max_queued=1))
    first = asyncio.create_task(git.status(USER, str(endless.path)))
    await until(git_runs)
    with pytest.raises(Overloaded):
        await git.status(USER, str(endless.path))
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    await until(nothing_runs)


@pytest.mark.long
async def test_inspections_of_the_same_repository_do_not_disturb_each_other(
    repo: Repository, git: LocalGit
) -> None:
    repo.write("new")
    statuses = await asyncio.gather(*(git.status(USER, str(repo.path)) for _ in range(20)))
    assert {(each.state, each.untracked) for each in statuses} == {(RepoState.DIRTY, 1)}


@pytest.mark.long
async def test_large_configurations_are_parsed_one_at_a_time_and_delay_no_small_one(
    repo: Repository, git: LocalGit, monkeypatch: pytest.MonkeyPatch
) -> None:
    large = Repository.created(repo.path.with_name("large"))
    large.write(".git/config", "[core]\n" + "bare\n" * 20_000)
    started, resume, parse = list[int](), threading.Event(), config_files.parse_settings

    def slow_parse(content: bytes) -> Iterator[tuple[str, str, str | None]]:
        if len(content) > 1000:
            started.append(1)
            resume.wait(60)
        return parse(content)

    monkeypatch.setattr(config_files, "parse_settings", slow_parse)
    tasks = [asyncio.create_task(git.status(USER, str(large.path))) for _ in range(3)]

    async def one_has_started() -> bool:
        return bool(started)

    await until(one_has_started)
    assert (await git.status(USER, str(repo.path))).state == RepoState.CLEAN
    assert len(started) == 1
    resume.set()
    assert {each.state for each in await asyncio.gather(*tasks)} == {RepoState.CLEAN}
