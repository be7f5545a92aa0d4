"""Hostile and damaged git directories of submodules that are not checked out."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from scripts.support.git_repository import Repository
from symphony.domain.git.status import RepoState
from symphony.infrastructure.git.status import stored_submodules
from symphony.infrastructure.git.status.local_git import LocalGit
from tests.infrastructure.git.corpus.hidden_work import submodule_not_checked_out
from tests.support.repositories import USER

PREFIX = "In a submodule that is not checked out: "


@pytest.fixture
def clone(root: Path) -> Repository:
    """A clone with a submodule that is not checked out; everything is at its remote."""
    origin = Repository.with_commits(root / "origin", "file")
    origin.git("config", "receive.denyCurrentBranch", "ignore")
    clone = origin.clone(root / "clone")
    submodule_not_checked_out(clone)
    return clone


def no_head(part: Path) -> None:
    (part / "HEAD").unlink()


def no_objects(part: Path) -> None:
    shutil.rmtree(part / "objects")


def damaged_config(part: Path) -> None:
    (part / "config").write_text("[")


def damaged_branch(part: Path) -> None:
    (part / "refs/heads/main").write_text("--all")


def link_among_them(part: Path) -> None:
    part.with_name("link").symlink_to("/etc")


def working_tree_outside(part: Path) -> None:
    with (part / "config").open("a") as config:
        config.write("[core]\nworktree = /etc\n")


def link_to_objects(part: Path) -> None:
    (part / "objects").rename(part / "was")
    (part / "objects").symlink_to("was")


DAMAGES: dict[Callable[[Path], None], str] = {
    no_head: "HEAD is damaged.",
    no_objects: "A stored submodule has no objects.",
    damaged_config: "config is not a valid git configuration file.",
    damaged_branch: "A ref of the branch or of its upstream is damaged.",
    link_among_them: "A stored submodule is a symbolic link.",
    working_tree_outside: "The working tree of a submodule is outside the git roots"
    " of this service.",
    link_to_objects: "A stored submodule has no objects.",
}


@pytest.mark.long
@pytest.mark.parametrize("damage", DAMAGES, ids=lambda each: each.__name__)
async def test_one_that_cannot_be_read_makes_only_the_risk_unknown(
    damage: Callable[[Path], None], clone: Repository, git: LocalGit
) -> None:
    damage(clone.git_directory / "modules/part")
    status = await git.status(USER, str(clone.path))
    assert (status.state, status.unpushed_commits, status.at_risk) == (RepoState.CLEAN, 0, None)
    assert (status.reason or "").startswith(PREFIX + DAMAGES[damage])


async def test_one_that_names_the_repository_as_its_working_tree_ends(
    clone: Repository, git: LocalGit
) -> None:
    for number in range(5):
        source = clone.git_directory / "modules/part"
        target = clone.git_directory / f"modules/part-{number}"
        shutil.copytree(source, target)
        with (target / "config").open("a") as config:
            config.write("[core]\nworktree = ../../..\n")
    status = await git.status(USER, str(clone.path))
    assert (status.state, status.at_risk, status.reason) == (RepoState.CLEAN, False, None)


@pytest.mark.long
async def test_very_many_are_unknown(
    clone: Repository, git: LocalGit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stored_submodules, "_MAX_DIRECTORIES", 3)
    for name in ("a", "b/c", "b/d"):
        (clone.git_directory / "modules" / name).mkdir(parents=True)
    status = await git.status(USER, str(clone.path))
    assert status.reason == f"{PREFIX}The repository stores too many submodules."


@pytest.mark.long
async def test_they_are_nested_to_a_limit(clone: Repository, git: LocalGit) -> None:
    part = clone.git_directory / "modules/part"
    copy = clone.path / "copy"
    shutil.copytree(part, copy)
    for _ in range(9):
        part /= "modules/part"
        shutil.copytree(copy, part)
    shutil.rmtree(copy)
    status = await git.status(USER, str(clone.path))
    assert (status.at_risk, status.reason) == (
        None,
        f"{PREFIX}The submodules are nested too deeply.",
    )
