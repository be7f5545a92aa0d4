"""Directories with names that a URL, a template or a list would change."""

import os
from pathlib import Path

import pytest

from tests.cli.conftest import Symphony

FILES = {"symphony.sqlite3", "symphony.sqlite3.key", "symphony.sqlite3.master-key"}
CREATE = ("user", "create", "ada", "--email", "ada@example.org", "--password-stdin")
NOT_UTF8 = os.fsdecode(b"\xff\xfe")
NAMES = ("a%20b?mode=memory", "ü #x %(here)s", f"a:b;c&d'\"\n{NOT_UTF8}")
OTHERS = ("with space", " edge ", "%(here)s", "{x}$y", "back\\slash", "file:x", NOT_UTF8, "q?#")


@pytest.mark.parametrize(
    "name", [*NAMES, *(pytest.param(each, marks=pytest.mark.long) for each in OTHERS)], ids=ascii
)
def test_the_data_directory_is_used_as_it_is_named(
    name: str, symphony: Symphony, tmp_path: Path
) -> None:
    directory = tmp_path / "in" / name
    created = symphony(*CREATE, stdin="a long password\n", DATA_DIR=str(directory))
    assert (created.status, created.errors) == (0, "")
    assert {file.name for file in directory.iterdir()} >= FILES
    assert os.listdir(tmp_path / "in") == [name]
    assert symphony("db", "check", DATA_DIR=str(directory)).status == 0


@pytest.mark.long
def test_a_relative_directory_and_a_home_are_resolved(
    symphony: Symphony, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert symphony("db", "upgrade", DATA_DIR="a%20b/").status == 0
    assert symphony("db", "upgrade", DATA_DIR="~/c?d").status == 0
    for file in ("a%20b/symphony.sqlite3", "home/c?d/symphony.sqlite3"):
        assert (tmp_path / file).is_file()


def test_the_path_in_a_url_is_decoded_as_in_any_url(symphony: Symphony, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/a%20%3F%25.db"
    assert symphony("db", "upgrade", DATABASE_URL=url).status == 0
    assert (tmp_path / "a ?%.db").is_file()


@pytest.mark.parametrize("path", ["file.db?mode=ro", "/%FF", "/%00", "/host/file.db"])
def test_what_a_url_of_a_file_cannot_have_is_refused(path: str, symphony: Symphony) -> None:
    slashes = "sqlite://" if path == "/host/file.db" else "sqlite:///"
    url = f"{slashes}{path.removeprefix('/')}"
    refused = symphony("db", "upgrade", DATABASE_URL=url)
    assert refused.status == 2
    assert refused.errors.startswith("symphony: SYMPHONY_DATABASE_URL: must be sqlite:///file")
