"""An error that nobody expected at one repository stays with it, and is logged."""

import logging
import os
import tempfile
import threading
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from scripts.support.git_repository import Repository
from symphony.application.ports import Overloaded
from symphony.domain.base import new_id
from symphony.domain.git.status import Directory, RepoState
from symphony.domain.sync import RemoteFailed
from symphony.infrastructure.git.discovery import finder as finder_module
from symphony.infrastructure.git.discovery.classification import ClassifiedRepository
from symphony.infrastructure.git.discovery.finder import LocalFinder
from symphony.infrastructure.git.files.location import Location
from symphony.infrastructure.git.files.roots import OpenedRoots
from symphony.infrastructure.git.files.untrusted_directory import UntrustedDirectory
from symphony.infrastructure.git.remotes.remote_git import RemoteGit
from symphony.infrastructure.git.remotes.remote_repository import RemoteRepository
from symphony.infrastructure.git.status import private_directories
from symphony.infrastructure.git.status.local_git import LocalGit
from tests.support.repositories import USER

ERRORS = pytest.mark.parametrize(
    "error", [ValueError("s3cret"), RecursionError(), MemoryError()], ids=repr
)
FAILED = "The inspection failed unexpectedly; the log of the service has the error."


@ERRORS
async def test_an_unexpected_error_at_one_repository_is_its_status_and_is_logged(
    error: Exception,
    root: Path,
    git: LocalGit,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    odd, repo = Repository.created(root / "odd"), Repository.created(root / "repo")
    locate = private_directories.locate

    def locate_or_fail(
        directory: UntrustedDirectory, roots: OpenedRoots
    ) -> AbstractContextManager[Location]:
        if directory.path.name == "odd":
            raise error
        return locate(directory, roots)

    monkeypatch.setattr(private_directories, "locate", locate_or_fail)
    directories = [Directory(str(odd.path)), Directory(str(repo.path))]
    statuses = await git.statuses(USER, directories, within=60)
    failed, read = (statuses[each] for each in directories)
    assert (failed.state, failed.reason) == (RepoState.ERROR, FAILED)
    assert read.state == RepoState.CLEAN
    assert_logged(caplog, "an inspection failed")


async def test_a_temporary_directory_that_is_full_is_the_reason(
    root: Path, git: LocalGit, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = Repository.created(root / "repo")

    def full(*_: object, **__: object) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(tempfile, "TemporaryDirectory", full)
    status = await git.status(USER, str(repo.path))
    assert status.reason == (
        "The service cannot use its temporary directory: No space left on device."
    )


async def test_a_thread_that_cannot_be_started_is_an_overload(
    root: Path, git: LocalGit, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = Repository.created(root / "repo")

    def refuse(_: threading.Thread) -> None:
        raise RuntimeError

    monkeypatch.setattr(threading.Thread, "start", refuse)
    with pytest.raises(Overloaded):
        await git.status(USER, str(repo.path))
    monkeypatch.undo()
    assert (await git.status(USER, str(repo.path))).state == RepoState.CLEAN


@ERRORS
async def test_an_unexpected_error_during_a_sync_is_a_failure_and_is_logged(
    error: Exception,
    remotes: RemoteGit,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(_: RemoteRepository) -> None:
        raise error

    monkeypatch.setattr(RemoteRepository, "list_branches", fail)
    with pytest.raises(RemoteFailed) as failed:
        await remotes.sync(USER, new_id(), "/none", "git://127.0.0.1:1/engine")
    assert failed.value.detail == (
        "The sync failed unexpectedly; the log of the service has the error."
    )
    assert_logged(caplog, "a sync failed")


async def test_an_unexpected_error_at_one_repository_is_its_result_in_a_search(
    root: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("odd", "repo"):
        Repository.created(root / name)
    classify = finder_module.classify

    def classify_or_fail(
        directory: UntrustedDirectory, roots: OpenedRoots
    ) -> ClassifiedRepository | None:
        if directory.path.name == "odd":
            raise ValueError
        return classify(directory, roots)

    monkeypatch.setattr(finder_module, "classify", classify_or_fail)
    finder = LocalFinder([root])
    search = await finder.find(USER, str(root), 9, [])
    finder.close()
    assert {Path(each.path).name: each.reason for each in search.found} == {
        "odd": "The repository cannot be read: an unexpected error, which the service has logged.",
        "repo": None,
    }
    assert_logged(caplog, "a repository could not be classified")


def assert_logged(caplog: pytest.LogCaptureFixture, message: str) -> None:
    """Check for one line with a traceback."""
    (record,) = (each for each in caplog.records if each.levelno >= logging.ERROR)
    assert record.message == message
    assert record.exc_info is not None
