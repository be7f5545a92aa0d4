"""What git obeys in a configuration is obeyed, or the status says that it is not."""

from pathlib import Path

import pytest

from scripts.support.git_repository import Repository
from symphony.domain.git.status import RepoState, RepoStatus
from symphony.infrastructure.git.status.local_git import LocalGit
from tests.support.repositories import USER

ORIGIN = '[remote "origin"]\n\turl = https://git.example.org/ada/engine\n'
URL = {"origin": "https://git.example.org/ada/engine"}
OUTSIDE = "A file that the configuration includes is outside the git roots of this service."


async def status_of(git: LocalGit, repo: Repository) -> RepoStatus:
    return await git.status(USER, str(repo.path))


def include(repo: Repository, path: str) -> None:
    repo.git("config", "include.path", path)


@pytest.mark.parametrize("place", [".git/more", "more", ".git/info/more"])
async def test_remotes_in_an_included_file_are_remotes(
    place: str, repo: Repository, git: LocalGit
) -> None:
    repo.write(place, ORIGIN)
    include(repo, str(repo.path / place))
    assert (await status_of(git, repo)).remotes == URL


async def test_included_settings_take_the_place_of_the_include(
    repo: Repository, git: LocalGit
) -> None:
    """As in git: the last value counts, so what comes after the include wins."""
    before, after = ('[remote "origin"]\n\turl = https://git.example.org/' + x for x in "ab")
    repo.write(
        ".git/config", f"{before}\n[include]\n\tpath = more\n{after}\n[core]\n\tbare = false\n"
    )
    repo.write(".git/more", "[core]\n\tbare = true\n[include]\n\tpath = info/even-more\n")
    repo.write(".git/info/even-more", ORIGIN)
    status = await status_of(git, repo)
    assert status.remotes == {"origin": "https://git.example.org/a"}  # git fetches from the first
    assert not status.is_bare


@pytest.mark.parametrize(
    "setting",
    [
        "[core]\n\tbare = true\n",
        "[core]\n\tworktree = /\n",
        "[core]\n\trepositoryformatversion = 9\n",
        "[extensions]\n\tunknown = 1\n",
    ],
)
async def test_what_a_repository_is_does_not_depend_on_an_included_file(
    setting: str, repo: Repository, git: LocalGit
) -> None:
    repo.write(".git/more", setting)
    include(repo, "more")
    repo.write("new")
    status = await status_of(git, repo)
    assert (status.state, status.reason, status.untracked) == (RepoState.DIRTY, None, 1)
    assert repo.git("status", "--porcelain") == "?? new"


async def test_a_file_that_does_not_exist_is_none(repo: Repository, git: LocalGit) -> None:
    include(repo, "nothing/here")
    assert (await status_of(git, repo)).state == RepoState.CLEAN


@pytest.mark.parametrize(
    "path", ["../../../outside", "/etc/gitconfig", "~/no such file", "%(prefix)/etc"]
)
async def test_a_file_outside_the_roots_is_named_as_the_reason(
    path: str, repo: Repository, git: LocalGit
) -> None:
    include(repo, path)
    status = await status_of(git, repo)
    assert (status.state, status.reason) == (RepoState.REFUSED, OUTSIDE)


async def test_a_link_to_a_file_outside_the_roots_is_not_followed(
    repo: Repository, outside: Path, git: LocalGit
) -> None:
    (outside / "config").write_text(ORIGIN)
    (repo.git_directory / "more").symlink_to(outside / "config")
    include(repo, "more")
    status = await status_of(git, repo)
    assert (status.state, status.reason) == (RepoState.REFUSED, OUTSIDE)


async def test_a_file_that_includes_itself_is_an_error(repo: Repository, git: LocalGit) -> None:
    repo.write(".git/more", "[include]\n\tpath = more\n")
    include(repo, "more")
    status = await status_of(git, repo)
    assert status.state == RepoState.ERROR
    assert status.reason == "The configuration includes more than 20 files."


@pytest.mark.parametrize("condition", ["gitdir:~/", "onbranch:main", "hasconfig:remote.*.url:**"])
async def test_an_include_under_a_condition_is_an_error(
    condition: str, repo: Repository, git: LocalGit
) -> None:
    repo.git("config", f"includeIf.{condition}.path", "more")
    status = await status_of(git, repo)
    assert status.state == RepoState.ERROR
    assert "includeIf" in (status.reason or "")


@pytest.fixture
def dotfiles(root: Path) -> Repository:
    """The git directory of dotfiles whose working tree is the home directory (yadm, vcsh)."""
    home = root / "home"
    home.mkdir()
    dotfiles = Repository(root / "dotfiles.git")
    dotfiles.path.mkdir()
    dotfiles.git("init", "--quiet", "--bare")
    dotfiles.git("config", "core.bare", "false")
    dotfiles.git("config", "core.worktree", str(home))
    (home / "rc").write_text("x\n")
    run(dotfiles, "add", "rc")
    run(dotfiles, "commit", "--quiet", "--message=rc")
    return dotfiles


def run(dotfiles: Repository, *arguments: str) -> str:
    """Run git for the dotfiles, in their git directory."""
    return dotfiles.git("--git-dir=.", *arguments)


async def test_the_files_of_a_git_directory_that_names_its_working_tree_are_compared(
    dotfiles: Repository, root: Path, git: LocalGit
) -> None:
    status = await status_of(git, dotfiles)
    assert (status.state, status.reason, status.is_bare) == (RepoState.CLEAN, None, False)
    (root / "home/rc").write_text("y\n")
    (root / "home/new").write_text("")
    changed = await status_of(git, dotfiles)
    assert (changed.state, changed.modified, changed.untracked) == (RepoState.DIRTY, 1, 1)


@pytest.mark.parametrize(
    ("setting", "value", "state"),
    [
        ("core.worktree", "../../outside", RepoState.REFUSED),
        ("core.worktree", "../nothing", RepoState.ERROR),
        ("core.bare", "true", RepoState.ERROR),
    ],
)
async def test_a_working_tree_that_cannot_be_read_has_a_reason(
    setting: str, value: str, state: RepoState, dotfiles: Repository, git: LocalGit
) -> None:
    dotfiles.git("config", setting, value)
    status = await status_of(git, dotfiles)
    assert status.state == state
    assert "core.worktree" in (status.reason or "")


@pytest.mark.parametrize("is_bare", ["false", ""])
async def test_the_git_directory_of_a_repository_is_not_called_clean(
    is_bare: str, repo: Repository, git: LocalGit
) -> None:
    repo.git("config", "--unset", "core.bare")
    if is_bare:
        repo.git("config", "core.bare", is_bare)
    status = await git.status(USER, str(repo.git_directory))
    assert (status.state, status.reason) == (
        RepoState.ERROR,
        "This is the git directory of a repository; name its working tree instead.",
    )
