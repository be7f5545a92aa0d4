"""Repositories with a remote, and a place for the copies of an inspection."""

from pathlib import Path

import pytest

from scripts.support.git_repository import Repository


@pytest.fixture
def copies(tmp_path: Path) -> Path:
    """The temporary directory of the inspections."""
    copies = tmp_path / "copies"
    copies.mkdir()
    return copies


@pytest.fixture
def origin(root: Path) -> Repository:
    return Repository.created(root / "origin", "--bare")


@pytest.fixture
def repo(root: Path, origin: Repository) -> Repository:
    """A repository whose branch `main` is on its remote."""
    repo = Repository.with_commits(root / "repo", "a", "b")
    repo.git("remote", "add", "origin", origin.path.as_uri())
    repo.git("push", "--quiet", "--set-upstream", "origin", "main")
    return repo
