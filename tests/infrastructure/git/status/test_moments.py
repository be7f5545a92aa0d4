"""What is told is as old as its oldest part: a moment before the first of it was read."""

import asyncio
import os
from datetime import datetime
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from symphony.domain.base import new_id, utc_now
from symphony.infrastructure.git.remotes.remote import RemoteGit
from symphony.infrastructure.git.status import local
from symphony.infrastructure.git.status.local import LocalGit
from tests.support.remotes import git_backend, http_server
from tests.support.repositories import USER, Repository, git_runs
from tests.support.server import until


@pytest.fixture
def held(root: Path) -> Repository:
    """One at which git waits until somebody writes into what it takes for a list."""
    repo = Repository.made(root / "repo")
    repo.commit()
    repo.write("new")
    repo.git("add", "new")
    os.mkfifo(repo.path / ".gitignore")
    return repo


async def test_a_look_that_has_begun_earlier_is_the_earlier_one(
    held: Repository, git: LocalGit
) -> None:
    asked_at = utc_now()
    asked = asyncio.create_task(git.status(USER, str(held.path)))
    await until(git_runs)
    committed_at = utc_now()
    held.git("commit", "--quiet", "--message=new")

    async def goes_on() -> bool:
        """Whether git had opened the list, which ends now."""
        try:
            os.close(os.open(held.path / ".gitignore", os.O_WRONLY | os.O_NONBLOCK))
        except OSError:
            return False
        return True

    await until(goes_on)
    seen = await asked
    assert seen.staged == 1
    assert asked_at <= seen.observed_at <= committed_at


async def test_a_look_that_is_given_up_is_as_old(
    held: Repository, git: LocalGit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local, "TIME_LIMIT", 0.5)
    asked = asyncio.create_task(git.status(USER, str(held.path)))
    await until(git_runs)
    later = utc_now()
    assert (await asked).observed_at <= later


async def test_a_remote_had_it_when_it_was_asked(
    root: Path, remotes: RemoteGit, tmp_path: Path
) -> None:
    remote = Repository.made(tmp_path / "served" / "engine")
    remote.commit()
    remote.clone(root / "repo")
    backend, asked_at = git_backend(remote.path.parent), list[datetime]()

    def answer(request: BaseHTTPRequestHandler) -> None:
        asked_at.append(utc_now())
        backend(request)

    before = utc_now()
    with http_server(answer) as address:
        found = await remotes.sync(USER, new_id(), str(root / "repo"), f"{address}/engine/.git")
    assert found.ahead == 0
    assert len(asked_at) > 1
    assert before <= found.synced_at <= asked_at[0]
