"""A user with directories of their own, and repositories to report."""

from pathlib import Path

import pytest

from scripts.support.git_repository import Repository
from symphony.client.reporting.state import StateDirectory
from symphony.infrastructure.git.files import user_config

URL = "https://symphony.example.org"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The home directory of the user, without any files."""
    tmp_path.chmod(0o755)
    home = tmp_path / "home"
    home.mkdir(mode=0o755)
    monkeypatch.setenv("HOME", str(home))
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(user_config, "_SYSTEM", tmp_path / "etc/gitconfig")
    return home


@pytest.fixture
def state_directory(home: Path) -> StateDirectory:
    assert home.is_dir()
    return StateDirectory(URL)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The directory that is reported."""
    root = tmp_path / "dev"
    root.mkdir()
    return root


@pytest.fixture
def repo(root: Path) -> Repository:
    """A repository in it, with one commit."""
    return Repository.with_commits(root / "repo", "file")
