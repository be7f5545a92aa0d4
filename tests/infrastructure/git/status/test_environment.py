"""What the service's own environment prevents is reported as an error."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.support.git_repository import Repository
from symphony.domain.git.status import RepoState
from symphony.infrastructure.git.process.program import ProgramOptions
from symphony.infrastructure.git.status.limits import InspectionLimits
from tests.infrastructure.git.factories import NewGit
from tests.support import inspections
from tests.support.repositories import USER


async def test_a_machine_without_git(repo: Repository, new_git: NewGit, tmp_path: Path) -> None:
    git = new_git(InspectionLimits(program=ProgramOptions(search_path=str(tmp_path))))
    status = await git.status(USER, str(repo.path))
    assert status.state == RepoState.ERROR
    assert status.reason == "git is not installed on the machine that runs this service."


@pytest.mark.long
def test_files_that_the_service_may_not_read(root: Path, temporary: Path) -> None:
    """Root ignores permissions, so as root the inspections run without its capabilities."""
    closed = Repository.with_commits(root / "closed" / "repo", "file")
    searched = Repository.with_commits(root / "searched" / "repo", "file")
    partly = Repository.with_commits(root / "partly", "file")
    partly.write("folder/new").parent.chmod(0)
    closed.path.parent.chmod(0)
    searched.path.parent.chmod(0o111)  # as many home directories are for other users
    drop = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if os.geteuid() == 0 else []

    def inspect(path: Path) -> str:
        return subprocess.run(  # noqa: S603 - this Python
            [*drop, sys.executable, "-c", inspections.SCRIPT, str(root), str(path)],
            env={**os.environ, "TMPDIR": str(temporary)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.splitlines()[-1]

    try:
        permission_denied = "error; 0; The repository cannot be read: Permission denied."
        assert inspect(closed.path) == permission_denied
        assert inspect(searched.path) == "clean; 0; None"
        assert inspect(partly.path) == "clean; 0; None"  # as git itself, which only warns
    finally:
        closed.path.parent.chmod(0o755)
        searched.path.parent.chmod(0o755)
        (partly.path / "folder").chmod(0o755)
