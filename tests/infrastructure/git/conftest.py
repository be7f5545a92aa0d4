"""Git on the disk, allowed in one folder, with temporary files in another."""

import tempfile
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from symphony.infrastructure.git.remotes.remote import RemoteGit
from symphony.infrastructure.git.status.local import LocalGit
from tests.support.repositories import entries
from tests.support.server import until


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The folder in which repositories may be."""
    root = tmp_path / "root"
    root.mkdir()
    return root


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A folder in which nobody may look."""
    outside = tmp_path / "outside"
    outside.mkdir()
    return outside


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary files are made."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    return temporary


@pytest.fixture
async def git(root: Path, temporary: Path) -> AsyncGenerator[LocalGit]:
    """Looks, and at the end has left nothing behind."""
    git = LocalGit([root])
    (own,) = entries(temporary)

    async def is_tidy() -> bool:
        return entries(own) == []

    yield git
    await until(is_tidy)
    git.close()
    assert entries(temporary) == []


@pytest.fixture
async def remotes(root: Path, temporary: Path, tmp_path: Path) -> AsyncGenerator[RemoteGit]:
    """Asks remotes on this machine too, and at the end has left nothing but its mirrors."""
    remotes = RemoteGit([root], tmp_path / "mirrors", allow_private=True)
    yield remotes
    remotes.close()
    assert entries(temporary) == []
