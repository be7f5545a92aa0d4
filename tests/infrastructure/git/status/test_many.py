"""Looking at many repositories: as many at once as may be, in order, and only so long."""

import asyncio
import os
from pathlib import Path

import pytest

from symphony.application.ports import Overloaded
from symphony.domain.git import RepoState
from symphony.infrastructure.git.status import local
from symphony.infrastructure.git.status.local import LocalGit
from tests.support.looks import counted_looks
from tests.support.repositories import USER, Repository, nothing_runs
from tests.support.server import until

pytestmark = pytest.mark.long

LONG = 60.0  # seconds


@pytest.fixture
def repos(root: Path) -> list[str]:
    """The paths of some repositories, the odd ones of which are dirty."""
    first = Repository.made(root / "0")
    first.commit()
    for number in range(1, 20):
        clone = first.clone(root / str(number))
        if number % 2:
            clone.write("new")
    return [str(root / str(number)) for number in range(20)]


async def test_each_of_many_is_told_as_if_it_were_the_only_one(
    git: LocalGit, repos: list[str]
) -> None:
    found = await git.statuses(USER, [*repos, "/nowhere"], within=LONG)
    assert set(found) == {*repos, "/nowhere"}
    assert [found[path].state for path in repos] == [RepoState.CLEAN, RepoState.DIRTY] * 10
    assert found["/nowhere"].state == RepoState.REFUSED


async def test_many_who_look_at_many_are_no_more_at_once_than_there_are_threads(
    git: LocalGit, repos: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with counted_looks(monkeypatch) as at_once:
        boards = await asyncio.gather(*(git.statuses(USER, repos, within=LONG) for _ in range(4)))
    assert all(set(board) == set(repos) for board in boards)
    assert len(at_once) == 4 * len(repos)
    assert max(at_once) <= local.AT_ONCE


async def test_who_looks_at_one_does_not_wait_for_all_of_many(
    git: LocalGit, repos: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with counted_looks(monkeypatch) as begun:
        many = asyncio.create_task(git.statuses(USER, repos * 5, within=LONG))

        async def it_has_begun() -> bool:
            return bool(begun)

        await until(it_has_begun)
        await git.status(USER, repos[0])
        before = len(begun)
        await many
    # Those at work when it came, those in line before it, and what began while it was looked at.
    assert before <= len(repos) * 2


async def test_what_there_is_no_time_for_is_left_out_and_git_ends(
    git: LocalGit, repos: list[str], root: Path
) -> None:
    endless = [Repository.made(root / f"endless-{number}") for number in range(local.AT_ONCE)]
    for each in endless:
        os.mkfifo(each.path / ".gitignore")  # which git opens, and waits
    paths = ["/nowhere", *(str(each.path) for each in endless), *repos]
    found = await git.statuses(USER, paths, within=1.5)
    # In order: all who look are stuck before the rest has its turn.
    assert set(found) == {"/nowhere"}

    await until(nothing_runs)


async def test_many_are_refused_when_too_many_look_already(
    git: LocalGit, repos: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local, "MAX_WAITING", 2)
    with pytest.raises(Overloaded):
        await git.statuses(USER, repos, within=LONG)
    monkeypatch.undo()
    assert len(await git.statuses(USER, repos, within=LONG)) == len(repos)


async def test_none_are_looked_at_when_none_are_asked_for(git: LocalGit) -> None:
    assert await git.statuses(USER, [], within=LONG) == {}
