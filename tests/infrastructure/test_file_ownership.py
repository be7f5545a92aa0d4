"""Files and directories that another user of the machine can have changed are not used."""

import os
import stat
from pathlib import Path

import pytest

from symphony.infrastructure.file_ownership import (
    UnsafeFile,
    create_directory,
    make_private,
    read_own_file,
    require_own_directory,
    require_own_file,
    require_own_lock,
)
from tests.infrastructure.owners import give_away


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "a key"
    file.write_bytes(b"content")
    file.chmod(0o600)
    return file


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    directory = tmp_path / "data"
    directory.mkdir(mode=0o700)
    return directory


def test_an_own_file_is_read_and_a_missing_one_is_no_refusal(file: Path) -> None:
    assert read_own_file(file) == b"content"
    assert mode(file) == 0o600
    require_own_file(file.with_name("missing"))
    with pytest.raises(FileNotFoundError):
        read_own_file(file.with_name("missing"))


@pytest.mark.parametrize("given", [0o602, 0o620, 0o666, 0o622, 0o777])
def test_a_file_that_others_can_write_is_refused_and_stays_as_it_is(given: int, file: Path) -> None:
    file.chmod(given)
    for use in (require_own_file, read_own_file):
        with pytest.raises(UnsafeFile) as refused:
            use(file)
        assert f"mode {given:04o}" in str(refused.value)
        assert f"`chmod go-w '{file}'`" in str(refused.value)
    assert mode(file) == given


@pytest.mark.parametrize("given", [0o644, 0o640, 0o604, 0o755, 0o444])
def test_a_file_that_others_can_read_gets_the_right_mode(
    given: int, file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file.chmod(given)
    assert read_own_file(file) == b"content"
    assert mode(file) == given & 0o700
    assert f"{file} was readable by other users" in caplog.text


@pytest.mark.parametrize("given", [0o644, 0o664, 0o666])
def test_a_lock_that_others_can_open_gets_the_right_mode(given: int, file: Path) -> None:
    file.chmod(given)
    require_own_lock(file)
    assert mode(file) == 0o600
    require_own_lock(file.with_name("missing"))


def test_a_lock_of_another_user_or_a_link_in_its_place_is_refused(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "link").symlink_to(file)
    with pytest.raises(UnsafeFile, match="is a symbolic link"):
        require_own_lock(tmp_path / "link")
    give_away(file, monkeypatch)
    with pytest.raises(UnsafeFile, match="is owned by another user"):
        require_own_lock(file)


def test_a_file_of_another_user_is_refused(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    give_away(file, monkeypatch)
    for use in (require_own_file, read_own_file):
        with pytest.raises(UnsafeFile, match=r"is owned by another user .* mode 0600") as refused:
            use(file)
        assert "\n" not in str(refused.value)


def test_a_link_a_directory_and_a_pipe_are_not_files(file: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(file)
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    (tmp_path / "directory").mkdir()
    os.mkfifo(tmp_path / "pipe")
    for name, reason in (
        ("link", "is a symbolic link"),
        ("dangling", "is a symbolic link"),
        ("directory", "is not a file"),
        ("pipe", "is not a file"),
    ):
        for use in (require_own_file, read_own_file):
            with pytest.raises(UnsafeFile, match=reason):
                use(tmp_path / name)


@pytest.mark.parametrize("given", [0o700, 0o755, 0o2755, 0o500])
def test_a_directory_that_others_can_only_read_is_used(given: int, directory: Path) -> None:
    directory.chmod(given)
    require_own_directory(directory)
    assert mode(directory) == given


@pytest.mark.parametrize("given", [0o777, 0o775, 0o720, 0o702, 0o2775])
def test_a_directory_that_others_can_write_is_refused(given: int, directory: Path) -> None:
    directory.chmod(given)
    with pytest.raises(UnsafeFile, match=f"mode {given:04o}") as refused:
        require_own_directory(directory)
    assert f"`chmod go-w {directory}`" in str(refused.value)
    assert mode(directory) == given


def test_a_directory_that_everyone_shares_is_refused_and_not_to_be_closed(directory: Path) -> None:
    directory.chmod(0o1777)
    with pytest.raises(UnsafeFile, match="directory of its own") as refused:
        require_own_directory(directory)
    assert "chmod" not in str(refused.value)


def test_a_directory_or_a_link_of_another_user_is_refused(
    directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = tmp_path / "link"
    link.symlink_to(directory)
    require_own_directory(link)
    give_away(link, monkeypatch)
    with pytest.raises(UnsafeFile, match="is owned by another user"):
        require_own_directory(link)
    link.unlink()
    give_away(directory, monkeypatch)
    with pytest.raises(UnsafeFile, match="is owned by another user"):
        require_own_directory(directory)


def test_a_directory_is_created_for_its_owner_only_with_all_its_parents(tmp_path: Path) -> None:
    former = os.umask(0)
    try:
        create_directory(tmp_path / "a" / "b" / "c")
        create_directory(tmp_path / "a" / "b" / "c")
    finally:
        os.umask(former)
    assert [mode(tmp_path / each) for each in ("a", "a/b", "a/b/c")] == [0o700] * 3


def test_an_own_directory_is_made_private_and_one_of_another_user_refused(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory.chmod(0o775)
    make_private(directory)
    assert mode(directory) == 0o700
    give_away(directory, monkeypatch)
    with pytest.raises(UnsafeFile, match="is owned by another user"):
        make_private(directory)
