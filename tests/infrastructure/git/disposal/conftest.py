"""A clone that can be deleted without a loss."""

from pathlib import Path

import pytest

from scripts.support.git_repository import Repository


@pytest.fixture
def origin(root: Path) -> Repository:
    origin = Repository.with_commits(root / "origin", "file")
    origin.git("config", "receive.denyCurrentBranch", "ignore")
    return origin


@pytest.fixture
def clone(root: Path, origin: Repository) -> Repository:
    clone = origin.clone(root / "clone")
    clone.git("remote", "set-head", "origin", "main")
    return clone
