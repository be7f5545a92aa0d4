"""The adapters, with one directory as their git root and another one for temporary files."""

import tempfile
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path

import pytest

from scripts.support.polling import until
from symphony.infrastructure.git.confinement.landlock import DetectLandlock, detect_landlock
from symphony.infrastructure.git.remotes.remote_git import RemoteGit, SyncLimits
from symphony.infrastructure.git.status.limits import InspectionLimits
from symphony.infrastructure.git.status.local_git import LocalGit
from tests.infrastructure.git.factories import NewGit, NewRemotes
from tests.support.remotes import Listener
from tests.support.repositories import entries


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The git root."""
    root = tmp_path / "root"
    root.mkdir()
    return root


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A directory outside the git root."""
    outside = tmp_path / "outside"
    outside.mkdir()
    return outside


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The system's temporary directory."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    return temporary


@pytest.fixture
def detect() -> DetectLandlock:
    """How the adapters detect Landlock."""
    return detect_landlock


@pytest.fixture
async def new_git(root: Path, temporary: Path, detect: DetectLandlock) -> AsyncGenerator[NewGit]:
    """Creates adapters with other limits. At the end no temporary files are left."""
    created: list[LocalGit] = []

    def create(limits: InspectionLimits) -> LocalGit:
        created.append(LocalGit([root], limits, detect))
        return created[-1]

    async def no_files_are_left() -> bool:
        return [file for own in entries(temporary) for file in entries(own)] == []

    yield create
    await until(no_files_are_left)
    for git in created:
        git.close()
    assert entries(temporary) == []


@pytest.fixture
def git(new_git: NewGit) -> LocalGit:
    return new_git(InspectionLimits())


@pytest.fixture
def new_remotes(root: Path, temporary: Path, tmp_path: Path) -> Iterator[NewRemotes]:
    """Creates adapters that may contact this machine. At the end only mirrors are left."""
    created: list[RemoteGit] = []

    def create(limits: SyncLimits) -> RemoteGit:
        remotes = RemoteGit([root], tmp_path / "mirrors", allow_private=True, limits=limits)
        created.append(remotes)
        return remotes

    yield create
    for remotes in created:
        remotes.close()
    assert entries(temporary) == []


@pytest.fixture
def remotes(new_remotes: NewRemotes) -> RemoteGit:
    return new_remotes(SyncLimits())


@pytest.fixture
def silent() -> Iterator[Listener]:
    """A remote that accepts connections and never answers."""
    listener = Listener()
    yield listener
    listener.close()
