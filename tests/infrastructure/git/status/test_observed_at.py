"""The time of an observation is before anything of it was read."""

import asyncio
import os

import pytest

from scripts.support.git_repository import Repository
from scripts.support.polling import until
from symphony.domain.base import utc_now
from symphony.infrastructure.git.status.limits import InspectionLimits
from symphony.infrastructure.git.status.local_git import LocalGit
from tests.infrastructure.git.factories import NewGit
from tests.support.repositories import USER, git_runs


@pytest.fixture
def paused(repo: Repository) -> Repository:
    """A repository in which git waits until a test opens the FIFO that it reads a list from."""
    repo.write("new")
    repo.git("add", "new")
    os.mkfifo(repo.path / ".gitignore")
    return repo


async def test_an_inspection_that_started_before_a_commit_has_an_earlier_time(
    paused: Repository, git: LocalGit
) -> None:
    requested_at = utc_now()
    task = asyncio.create_task(git.status(USER, str(paused.path)))
    await until(git_runs)
    committed_at = utc_now()
    paused.git("commit", "--quiet", "--message=new")

    async def git_continues() -> bool:
        """Whether git had opened the FIFO, which is now at its end."""
        try:
            os.close(os.open(paused.path / ".gitignore", os.O_WRONLY | os.O_NONBLOCK))
        except OSError:
            return False
        return True

    await until(git_continues)
    status = await task
    assert status.staged == 1
    assert requested_at <= status.observed_at <= committed_at


@pytest.mark.long
async def test_an_inspection_that_takes_too_long_has_the_time_of_its_request(
    paused: Repository, new_git: NewGit
) -> None:
    git = new_git(InspectionLimits(time_limit=0.5))
    task = asyncio.create_task(git.status(USER, str(paused.path)))
    await until(git_runs)
    later = utc_now()
    assert (await task).observed_at <= later
