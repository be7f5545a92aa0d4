"""Folders and repositories that the service may read."""

from pathlib import Path

import pytest

from scripts.support.git_repository import Repository
from symphony.config.settings import Settings


@pytest.fixture
def folder(settings: Settings) -> Path:
    """The folder that the service may read."""
    (root,) = settings.git_roots
    return root


@pytest.fixture
def upstream(folder: Path) -> Repository:
    return Repository.with_commits(folder / "upstream", "file")
