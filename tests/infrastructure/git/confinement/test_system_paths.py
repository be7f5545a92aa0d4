"""git works confined wherever it is installed, and its surroundings stay closed."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from scripts.support.git_daemon import git_daemon
from scripts.support.git_repository import Repository
from symphony.domain.git.status import RepoState
from symphony.infrastructure.git.confinement.confinement import Confinement
from symphony.infrastructure.git.process.program import ProgramOptions
from symphony.infrastructure.git.remotes.remote_git import SyncLimits
from symphony.infrastructure.git.status.limits import InspectionLimits
from tests.infrastructure.git.factories import NewGit, NewRemotes
from tests.infrastructure.git.remotes.test_stopping import REPO
from tests.support.inspections import needs_landlock
from tests.support.repositories import USER

pytestmark = needs_landlock


def _copied(directory: Path) -> str:
    """Install git, as its own directory: the program, and the programs that it runs."""
    exec_path = subprocess.check_output(["git", "--exec-path"], text=True).strip()  # noqa: S607
    programs = directory / "libexec/git-core"
    programs.mkdir(parents=True)
    (directory / "bin").mkdir()
    found = shutil.which("git")
    assert found is not None
    shutil.copy(os.path.realpath(found), directory / "bin/git")
    for name in ("git", "git-remote-https", "git-remote-http"):
        if (real := Path(exec_path, name)).exists():
            shutil.copy(real, programs / name)
    return str(directory / "bin")


def _linked(directory: Path) -> str:
    """Link to an installation in a store, as in a profile of Nix."""
    real = Path(_copied(directory / "store/0abc-git-2"))
    profile = directory / "profile/bin"
    profile.mkdir(parents=True)
    (profile / "git").symlink_to(real / "git")
    return str(profile)


def _script(directory: Path) -> str:
    """Install a script that runs a git elsewhere, as wrappers do."""
    real = Path(_copied(directory / "real"))
    programs = real.parent / "libexec/git-core"
    script = directory / "wrapper/git"
    script.parent.mkdir()
    script.write_text(f'#!/bin/sh\nGIT_EXEC_PATH={programs} exec {real}/git "$@"\n')
    script.chmod(0o755)
    return str(script.parent)


Install = Callable[[Path], str]
INSTALLATIONS = pytest.mark.parametrize("install", [_copied, _linked, _script])


@INSTALLATIONS
async def test_a_repository_is_inspected_with_a_git_that_is_elsewhere(
    install: Install, new_git: NewGit, root: Path, tmp_path: Path
) -> None:
    repo = Repository.with_commits(root / "repo", "file")
    options = ProgramOptions(search_path=install(tmp_path / "opt"))
    status = await new_git(InspectionLimits(program=options)).status(USER, str(repo.path))
    assert (status.state, status.reason) == (RepoState.CLEAN, None)


async def test_a_remote_is_contacted_with_a_git_that_is_elsewhere(
    new_remotes: NewRemotes, tmp_path: Path
) -> None:
    Repository.with_commits(tmp_path / "served/engine", "file")
    options = ProgramOptions(search_path=_script(tmp_path / "opt"))
    remotes = new_remotes(SyncLimits(program=options))
    with git_daemon(tmp_path / "served") as server:
        state = await remotes.sync(USER, REPO, "/none", f"{server}/engine")
    assert [*state.branches] == ["main"]


def test_what_is_installed_beside_git_cannot_be_listed_or_read(root: Path, tmp_path: Path) -> None:
    search_path = _copied(tmp_path / "home/.local")
    notes = tmp_path / "home/.local/share/notes"
    notes.parent.mkdir()
    notes.write_text("private")
    (Path(search_path) / "notes").write_text("private")

    def refused() -> list[bool]:
        results = list[bool]()
        for path in (notes, Path(search_path) / "notes"):
            try:
                path.read_text()
            except PermissionError:
                results.append(True)
        try:
            os.listdir(tmp_path / "home/.local/libexec")
        except PermissionError:
            results.append(True)
        return results

    assert Confinement([root], search_path).run_in_roots(refused) == [True, True, True]
