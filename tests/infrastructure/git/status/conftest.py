"""Repositories to inspect."""

import os
from pathlib import Path

import pytest

from scripts.support.git_repository import Repository


@pytest.fixture
def repo(root: Path) -> Repository:
    """A repository with one commit."""
    return Repository.with_commits(root / "repo", "file")


@pytest.fixture
def endless(repo: Repository) -> Repository:
    """A repository in which git waits forever: it opens the FIFO to read a list from it."""
    os.mkfifo(repo.path / ".gitignore")
    return repo
