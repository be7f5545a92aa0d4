"""Conditions on the git directory hold exactly when git says so."""

import os
from pathlib import Path

import pytest

from scripts.support.git_repository import Repository
from symphony.infrastructure.git.files.conditions import Condition

PATTERNS = (
    "gitdir:{home}/work/", "gitdir:{home}/work", "gitdir:{home}/work/*/.git", "gitdir:~/work/",
    "gitdir:~/Work/", "gitdir/i:~/WORK/", "gitdir/i:{home}/WORK/APP/.GIT", "gitdir:work/",
    "gitdir:app/.git", "gitdir:app", "gitdir:.git", "gitdir:**/work/**", "gitdir:**/work/",
    "gitdir:/**", "gitdir:/", "gitdir:**", "gitdir:*", "gitdir:w*k/", "gitdir:wo**k/",
    "gitdir:wo***k/", "gitdir:***/app/", "gitdir:w?rk/", "gitdir:{home}?work/", "gitdir:./work/",
    "gitdir:./", "gitdir:./work/app/.git", "gitdir:./**/.git", "gitdir/i:./WORK/", "gitdir:w\\ork/",
    "gitdir:work/**/.git", "gitdir:work/app/**/.git", "gitdir:**.git", "gitdir:**p/.git",
    "gitdir:~/work/**/", "gitdir:", "gitdir:~", "gitdir:link/", "gitdir:~/link/",
)  # fmt: skip


@pytest.mark.parametrize("condition", PATTERNS)
def test_git_itself_decides_the_same(condition: str, tmp_path: Path) -> None:
    home = Path(os.path.realpath(tmp_path)) / "home"
    repo = Repository.created(home / "work/app")
    condition = condition.format(home=home)
    (home / "config").write_text(
        f'[includeIf "{condition}"]\n\tpath = more\n'.replace("\\", "\\\\")
    )
    (home / "more").write_text("[x]\n\ty = z\n")
    printed = repo.git(
        "config", "x.y", check=False, HOME=str(home), GIT_CONFIG_GLOBAL=str(home / "config")
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(home))
        assert Condition(condition, home).holds(repo.git_directory) is (printed == "z")


@pytest.mark.parametrize("text", ["onbranch:main", "hasconfig:remote.*.url:**", "x", "gitdir:[a]/"])
def test_other_conditions_are_not_evaluated(text: str) -> None:
    assert Condition(text, Path("/")).holds(Path("/a/.git")) is None
