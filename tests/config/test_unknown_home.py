"""A user without a home directory must name the data directory, if data is stored at all."""

import pwd
from typing import NoReturn

import pytest

from symphony.config.demo import get_demo_settings
from symphony.config.settings import SettingsError, load_settings

POSTGRESQL = "postgresql://db.example.org/symphony"


@pytest.fixture(autouse=True)
def no_home(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(_uid: int) -> NoReturn:
        raise KeyError

    for name in ("HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(pwd, "getpwuid", unknown)


def test_the_refusal_names_the_setting() -> None:
    with pytest.raises(SettingsError, match=r"^SYMPHONY_DATA_DIR: .*; must be a directory\.$"):
        load_settings()


def test_a_home_that_is_not_absolute_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "somewhere")
    with pytest.raises(SettingsError, match=r"^SYMPHONY_DATA_DIR: "):
        load_settings()


def test_a_named_directory_needs_no_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYMPHONY_DATA_DIR", "/srv/symphony")
    assert str(load_settings().data_dir) == "/srv/symphony"


def test_nothing_is_needed_when_no_data_is_stored_there(monkeypatch: pytest.MonkeyPatch) -> None:
    assert get_demo_settings().demo_mode
    monkeypatch.setenv("SYMPHONY_DATABASE_URL", POSTGRESQL)
    assert load_settings().database_url


def test_fetched_commits_need_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYMPHONY_DATABASE_URL", POSTGRESQL)
    monkeypatch.setenv("SYMPHONY_GIT_ROOTS", "/")
    with pytest.raises(SettingsError, match=r"^SYMPHONY_DATA_DIR: "):
        load_settings()
