"""The temporary directory of a process, and those that killed processes left behind."""

import tempfile
from pathlib import Path

import pytest

from symphony.infrastructure.git.process import temporary_directory
from symphony.infrastructure.git.process.temporary_directory import ServiceTemporaryDirectory
from tests.support import processes


def test_directories_of_killed_processes_are_removed(temporary: Path) -> None:
    alive = ServiceTemporaryDirectory()
    killed = Path(tempfile.mkdtemp(prefix="symphony-git-"))
    (killed / "rest").mkdir()
    (temporary / "symphony-git-file").touch()
    (temporary / "symphony-git-link").symlink_to(killed)
    other = ServiceTemporaryDirectory()
    assert not killed.exists()
    assert alive.path.exists()
    other.close()
    alive.close()
    assert {each.name for each in temporary.iterdir()} == {"symphony-git-file", "symphony-git-link"}


def test_a_directory_that_is_removed_before_it_is_locked_is_created_again(
    temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    create = tempfile.mkdtemp

    def removed_at_once(prefix: str) -> str:
        path = create(prefix=prefix)
        monkeypatch.setattr(tempfile, "mkdtemp", create)
        Path(path).rmdir()
        return path

    monkeypatch.setattr(temporary_directory.tempfile, "mkdtemp", removed_at_once)
    directory = ServiceTemporaryDirectory()
    assert list(temporary.iterdir()) == [directory.path]
    directory.close()


def test_a_closed_directory_has_no_reaper(temporary: Path) -> None:
    directory = ServiceTemporaryDirectory()
    path = str(directory.path)
    (reaper,) = [each for each in processes.children() if path in processes.command_line(each)]
    directory.close()
    assert not reaper.is_running()
