"""The file with the login: private, written at once, and not used when it cannot be trusted."""

import dataclasses
import os
import stat
from pathlib import Path

import pytest

from symphony.client import credentials
from symphony.client.credentials import Profile
from symphony.client.errors import ClientError, NotSignedIn

PROFILE = Profile("https://example.org/s", "sym_secret", "1", "2", "ada", created=True)


@pytest.fixture(autouse=True)
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return tmp_path / "config" / "symphony" / "credentials.json"


def test_what_is_stored_is_loaded_and_only_its_user_can_read_it(file: Path) -> None:
    assert credentials.find() is None
    assert credentials.store(PROFILE) is None
    assert credentials.load() == PROFILE
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert os.listdir(file.parent) == [file.name]


def test_storing_returns_the_login_that_is_replaced_and_deleting_forgets_it(file: Path) -> None:
    credentials.store(PROFILE)
    other = dataclasses.replace(PROFILE, url="http://127.0.0.1:1", token_id="3")
    assert credentials.store(other) == PROFILE
    assert credentials.load() == other
    credentials.delete()
    credentials.delete()
    assert not file.exists()
    with pytest.raises(NotSignedIn, match=r"You are not signed in\. Use `symphony login`"):
        credentials.load()


def test_a_token_is_not_in_the_repr_of_a_login() -> None:
    assert "secret" not in repr(PROFILE)


def test_a_link_to_the_file_stays_a_link(file: Path, tmp_path: Path) -> None:
    file.parent.mkdir(parents=True)
    file.symlink_to(tmp_path / "dotfiles.json")
    credentials.store(PROFILE)
    assert file.is_symlink()
    assert credentials.load() == PROFILE


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "{}", "\0", "[" * 50_000, '{"url": 1}', '"sym_secret"'],
)
def test_a_damaged_file_is_not_used_and_is_replaced(content: str, file: Path) -> None:
    credentials.store(PROFILE)
    file.write_text(content)
    with pytest.raises(NotSignedIn, match=r"is damaged\. Use `symphony login` to sign in again"):
        credentials.load()
    assert credentials.store(PROFILE) is None
    assert credentials.load() == PROFILE


@pytest.mark.parametrize(
    "changes", [{"token": "a\r\nX: b"}, {"token": ""}, {"url": "file:///etc"}, {"url": "http://ä"}]
)
def test_members_that_could_change_a_request_are_not_used(changes: dict[str, str]) -> None:
    credentials.store(dataclasses.replace(PROFILE, **changes))
    with pytest.raises(NotSignedIn, match="is damaged"):
        credentials.load()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_file_that_others_can_read_is_not_used(mode: int, file: Path) -> None:
    credentials.store(PROFILE)
    file.chmod(mode)
    with pytest.raises(NotSignedIn, match=rf"has mode {mode:04o}, so other users may have read"):
        credentials.load()
    assert credentials.find() is None


def test_something_that_is_not_a_file_is_not_used(file: Path) -> None:
    file.parent.mkdir(parents=True)
    os.mkfifo(file)  # reading it would wait for a writer
    with pytest.raises(NotSignedIn, match="is not a file"):
        credentials.load()


def test_the_directory_is_below_the_home_unless_the_variable_is_an_absolute_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for given in ("", "relative"):
        monkeypatch.setenv("XDG_CONFIG_HOME", given)
        assert credentials.config_directory() == tmp_path / ".config" / "symphony"
    monkeypatch.delenv("XDG_CONFIG_HOME")
    assert credentials.config_directory() == tmp_path / ".config" / "symphony"
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    assert credentials.state_directory() == tmp_path / ".local" / "state" / "symphony"


def test_without_a_home_directory_the_variables_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "")
    monkeypatch.delenv("XDG_CONFIG_HOME")
    with pytest.raises(ClientError, match="set HOME or XDG_CONFIG_HOME"):
        credentials.load()


def test_a_directory_that_cannot_be_created_is_reported(file: Path) -> None:
    file.parent.parent.write_text("")
    with pytest.raises(ClientError, match=r"Cannot write .*: (Not a directory|File exists)\."):
        credentials.store(PROFILE)
    assert credentials.find() is None
