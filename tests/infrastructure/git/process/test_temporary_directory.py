"""The temporary folder, and those that others have left."""

import tempfile
from pathlib import Path

import pytest

from symphony.infrastructure.git.process import temporary_directory
from symphony.infrastructure.git.process.temporary_directory import ServiceTemporaryDirectory
from tests.support import processes


def test_folders_of_processes_that_were_killed_are_swept(temporary: Path) -> None:
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


def test_a_folder_that_was_swept_before_it_was_locked_is_made_anew(
    temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = tempfile.mkdtemp

    def swept_at_once(prefix: str) -> str:
        path = made(prefix=prefix)
        monkeypatch.setattr(tempfile, "mkdtemp", made)
        Path(path).rmdir()
        return path

    monkeypatch.setattr(temporary_directory.tempfile, "mkdtemp", swept_at_once)
    folder = ServiceTemporaryDirectory()
    assert list(temporary.iterdir()) == [folder.path]
    folder.close()


def test_a_folder_that_is_closed_has_no_keeper_any_more(temporary: Path) -> None:
    folder = ServiceTemporaryDirectory()
    path = str(folder.path)
    (keeper,) = [each for each in processes.children() if path in processes.command_line(each)]
    folder.close()
    assert not keeper.is_running()
