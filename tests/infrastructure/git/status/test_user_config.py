"""With the git configuration of the service's user, a status is what git prints for that user."""

import os
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from scripts.support.git_repository import Repository
from symphony.domain.git.status import RepoState, RepoStatus
from symphony.infrastructure.git.files import user_config
from symphony.infrastructure.git.files.user_config import UserConfigUnusable, read_user_config
from symphony.infrastructure.git.status.local_git import LocalGit
from tests.infrastructure.git.corpus.submodules import submodule
from tests.infrastructure.git.status.reported_status import reported_status
from tests.infrastructure.owners import give_away
from tests.support.repositories import USER, entries

UNUSABLE = (
    "The git configuration of the service's user cannot be used; the log of the service says why."
)


@dataclass(frozen=True)
class Home:
    """The home directory of the service's user, outside the git root."""

    path: Path

    def write(self, name: str, content: str) -> Path:
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
        file.chmod(0o644)
        return file

    def reported(self, repo: Repository) -> dict[str, object]:
        """Return what git reports for this user."""
        files = (".config/git/config", ".gitconfig")
        both = "".join(f"[include]\n\tpath = {self.path / file}\n" for file in files)
        return reported_status(
            repo,
            HOME=str(self.path),
            XDG_CONFIG_HOME=str(self.path / ".config"),
            GIT_CONFIG_GLOBAL=str(self.write("both", both)),
        )


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    home = Home(tmp_path / "home")
    home.path.mkdir(mode=0o755)
    tmp_path.chmod(0o755)
    monkeypatch.setenv("HOME", str(home.path))
    monkeypatch.setenv("XDG_CONFIG_HOME", "")
    monkeypatch.setattr(user_config, "_SYSTEM", tmp_path / "etc/gitconfig")
    return home


StatusOf = Callable[[Repository], Awaitable[RepoStatus]]


@pytest.fixture
async def status_of(root: Path, temporary: Path, home: Home) -> AsyncGenerator[StatusOf]:
    assert entries(home.path) == []
    git = LocalGit([root], use_user_config=True)

    async def status_of(repo: Repository) -> RepoStatus:
        return await git.status(USER, str(repo.path))

    yield status_of
    git.close()
    assert entries(temporary) == []


def include_if(condition: str, path: str) -> str:
    return f'[includeIf "{condition}"]\n\tpath = {path}\n'


def default_list(home: Home) -> None:
    home.write(".config/git/ignore", "*.log\n")


def named_list(home: Home) -> None:
    home.write(".config/git/ignore", "*\n")
    home.write(".gitconfig", "[core]\n\texcludesFile = ~/ignored\n")
    home.write("ignored", "*.log\n")


def no_list(home: Home) -> None:
    default_list(home)
    home.write(".config/git/config", "[core]\n\texcludesFile = ~/ignored\n")
    home.write(".gitconfig", "[core]\n\texcludesFile =\n")
    home.write("ignored", "*\n")


def empty_list(home: Home) -> None:
    default_list(home)
    home.write(".gitconfig", f"[core]\n\texcludesFile = {os.devnull}\n")


def missing_list(home: Home) -> None:
    default_list(home)
    home.write(".gitconfig", "[core]\n\texcludesFile = ~/nothing\n")


def relative_list(home: Home) -> None:
    home.write(".gitconfig", "[core]\n\texcludesFile = list\n")


def list_in_an_included_file(home: Home) -> None:
    home.write(".gitconfig", "[include]\n\tpath = more/config\n[include]\n\tpath = missing\n")
    home.write("more/config", "[include]\n\tpath = deeper\n")
    home.write("more/deeper", "[core]\n\texcludesFile = ~/ignored\n")
    home.write("ignored", "*.log\n")


def list_for_other_repositories(home: Home) -> None:
    home.write(".gitconfig", include_if("gitdir:~/work/", "more") + "[user]\n\tname = x\n")
    home.write("more", "[core]\n\texcludesFile = ~/ignored\n")
    home.write("ignored", "*\n")


def list_for_these_repositories(home: Home) -> None:
    root = os.path.realpath(home.path.parent / "root")
    home.write(".gitconfig", include_if(f"gitdir:{root}/", "more"))
    home.write("more", "[core]\n\texcludesFile = ~/ignored\n")
    home.write("ignored", "*.log\n")


def identities_by_remote_and_branch(home: Home) -> None:
    """Nothing that a status depends on is in the files under these conditions."""
    conditions = ("hasconfig:remote.*.url:**", "onbranch:main", "gitdir:[rR]oot/")
    home.write(".gitconfig", "".join(include_if(each, "work") for each in conditions))
    home.write("work", "[user]\n\temail = ada@example.org\n")


def converted_line_ends(home: Home) -> None:
    home.write(".gitconfig", "[core]\n\tautocrlf = true\n")


def attributes(home: Home) -> None:
    home.write(".gitconfig", "[core]\n\tautocrlf = true\n")
    home.write(".config/git/attributes", "windows -text\n")


def files_of_dotfiles(home: Home) -> None:
    home.write("dotfiles/config", "[core]\n\tautocrlf = true\n\texcludesFile = ~/ignored\n")
    home.write("dotfiles/ignored", "*.log\n")
    (home.path / ".gitconfig").symlink_to("dotfiles/config")
    (home.path / "ignored").symlink_to("dotfiles/ignored")


def no_untracked_files(home: Home) -> None:
    home.write(".gitconfig", "[status]\n\tshowUntrackedFiles = no\n")


def all_untracked_files(home: Home) -> None:
    home.write(".gitconfig", "[status]\n\tshowUntrackedFiles = all\n")


def nothing(_home: Home) -> None:
    """No file at all."""


@pytest.mark.parametrize(
    "situation",
    [default_list, named_list, no_list, empty_list, missing_list, relative_list,
     list_in_an_included_file, list_for_other_repositories, list_for_these_repositories,
     identities_by_remote_and_branch, converted_line_ends, attributes, files_of_dotfiles,
     no_untracked_files, all_untracked_files, nothing],
)  # fmt: skip
async def test_git_itself_reports_the_same_for_the_user(
    situation: Callable[[Home], None], repo: Repository, home: Home, status_of: StatusOf
) -> None:
    repo.commit("windows", "first\nsecond\n")
    repo.write("windows", b"first\r\nsecond\r\n")
    repo.write("ignored.log")
    repo.write("folder/new")
    repo.write("folder/newer")
    repo.write("list", "*.log\nfolder\n")
    situation(home)
    status = await status_of(repo)
    assert status.reason is None
    expected = home.reported(repo)
    names = ("state", "staged", "modified", "untracked", "conflicted")
    assert {name: getattr(status, name) for name in names} == {n: expected[n] for n in names}


async def test_the_settings_of_the_repository_have_precedence(
    repo: Repository, home: Home, status_of: StatusOf
) -> None:
    named_list(home)
    repo.write(".git/list", "*.txt\n")
    repo.git("config", "core.excludesFile", ".git/list")
    repo.write("ignored.txt")
    repo.write("a.log")
    assert (await status_of(repo)).untracked == 1 == home.reported(repo)["untracked"]


async def test_a_repository_may_name_the_list_of_the_user(
    repo: Repository, home: Home, status_of: StatusOf
) -> None:
    named_list(home)
    repo.git("config", "core.excludesFile", str(home.path / "ignored"))
    repo.write("a.log")
    status = await status_of(repo)
    assert (status.state, status.reason) == (RepoState.CLEAN, None)


async def test_another_file_of_the_user_is_outside_the_git_roots(
    repo: Repository, home: Home, status_of: StatusOf
) -> None:
    default_list(home)
    home.write("secret", "guess\n")
    repo.git("config", "core.excludesFile", "~/secret")
    assert (await status_of(repo)).state == RepoState.CLEAN  # no list can make files untracked
    repo.write("guess")
    status = await status_of(repo)
    assert status.state == RepoState.REFUSED
    assert status.reason == (
        "The file that core.excludesfile names is outside the git roots of this service."
    )


async def test_the_file_of_the_machine_comes_first(
    repo: Repository, home: Home, status_of: StatusOf
) -> None:
    home.write("../etc/gitconfig", f"[core]\n\texcludesFile = {home.path}/ignored\n")
    home.write("ignored", "*.log\n")
    repo.write("a.log")
    assert (await status_of(repo)).untracked == 0
    home.write(".gitconfig", "[core]\n\texcludesFile =\n")
    assert (await status_of(repo)).untracked == 1


async def test_linked_worktrees_and_submodules_have_the_list_too(
    repo: Repository, home: Home, status_of: StatusOf
) -> None:
    default_list(home)
    linked = Repository(repo.path.with_name("linked"))
    inner = submodule(repo)
    repo.git("worktree", "add", "--quiet", str(linked.path))
    for each in (linked, inner):
        each.write("a.log")
    status = await status_of(repo)
    assert (status.modified, [each.state for each in status.worktrees]) == (0, [RepoState.CLEAN])


async def test_without_the_setting_nothing_of_the_user_counts(
    repo: Repository, home: Home, git: LocalGit
) -> None:
    default_list(home)
    home.write(".gitconfig", "[core\n")
    repo.write("a.log")
    assert (await git.status(USER, str(repo.path))).untracked == 1


async def test_no_program_of_the_user_runs(
    repo: Repository, home: Home, status_of: StatusOf
) -> None:
    mark = repo.path.parent / "mark"
    filters = f'[filter "f"]\n\tclean = touch {mark}\n'
    home.write(".gitconfig", f"[core]\n\tfsmonitor = touch {mark}\n{filters}")
    home.write(".config/git/attributes", "* filter=f\n")
    repo.write("file", "longer than before\n")
    assert (await status_of(repo)).modified == 1
    assert not mark.exists()
    home.reported(repo)
    assert mark.exists()  # or it would have been no test


@pytest.mark.parametrize("condition", ["onbranch:main", "hasconfig:remote.*.url:**", "gitdir:[a]/"])
async def test_a_setting_under_another_condition_is_an_error(
    condition: str, repo: Repository, home: Home, status_of: StatusOf
) -> None:
    home.write(".gitconfig", include_if(condition, "more"))
    home.write("more", "[core]\n\tautocrlf = true\n")
    status = await status_of(repo)
    assert (status.state, status.reason) == (
        RepoState.ERROR,
        "The git configuration of the service's user sets core.autocrlf under a condition"
        " (includeIf) that this service does not evaluate.",
    )


def file_that_others_may_write(home: Home, _patch: pytest.MonkeyPatch) -> str:
    file = home.write(".gitconfig", "")
    file.chmod(0o664)
    return f"other users may write to {file} (owner "


def list_of_another_user(home: Home, patch: pytest.MonkeyPatch) -> str:
    file = home.write(".config/git/ignore", "*\n")
    give_away(file, patch)
    return "other users may write to "


def directory_that_others_may_write(home: Home, _patch: pytest.MonkeyPatch) -> str:
    file = home.write(".config/git/ignore", "*\n")
    file.parent.chmod(0o777)
    return f"other users may replace {file}, since they may write to {file.parent}"


def link_to_a_directory_that_others_may_write(home: Home, _patch: pytest.MonkeyPatch) -> str:
    file = home.write("shared/config", "")
    file.parent.chmod(0o777)
    (home.path / ".gitconfig").symlink_to(file)
    return f"other users may replace {home.path}/.gitconfig, since they may write to {file.parent}"


def pipe(home: Home, _patch: pytest.MonkeyPatch) -> str:
    os.mkfifo(home.path / ".gitconfig")
    return f"{home.path}/.gitconfig is not a file"


def invalid_syntax(home: Home, _patch: pytest.MonkeyPatch) -> str:
    file = home.write(".gitconfig", "[core\n")
    return f"{file} is not a valid git configuration file"


def enormous_list(home: Home, _patch: pytest.MonkeyPatch) -> str:
    file = home.write(".config/git/ignore", "x" * ((1 << 20) + 1))
    return f"{file} is larger than 1,048,576 bytes"


def file_that_includes_itself(home: Home, _patch: pytest.MonkeyPatch) -> str:
    home.write(".gitconfig", "[include]\n\tpath = .gitconfig\n")
    return "more than 100 files are included"


def loop_of_links(home: Home, _patch: pytest.MonkeyPatch) -> str:
    (home.path / ".gitconfig").symlink_to(".gitconfig")
    return f"{home.path}/.gitconfig cannot be read (Too many levels of symbolic links)"


@pytest.mark.parametrize(
    "situation",
    [file_that_others_may_write, list_of_another_user, directory_that_others_may_write,
     link_to_a_directory_that_others_may_write, pipe, invalid_syntax, enormous_list,
     file_that_includes_itself, loop_of_links],
)  # fmt: skip
async def test_what_cannot_be_used_is_an_error_whose_cause_is_in_the_log(
    situation: Callable[[Home, pytest.MonkeyPatch], str],
    repo: Repository,
    home: Home,
    status_of: StatusOf,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    cause = situation(home, monkeypatch)
    status = await status_of(repo)
    assert (status.state, status.reason) == (RepoState.ERROR, UNUSABLE)
    assert cause in caplog.text
    with pytest.raises(UserConfigUnusable) as unusable:
        read_user_config()
    assert cause in str(unusable.value)


def test_a_user_without_a_home_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os.path, "expanduser", str)
    with pytest.raises(UserConfigUnusable, match="the home directory of this user is unknown"):
        read_user_config()
