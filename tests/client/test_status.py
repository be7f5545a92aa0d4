"""One repo on all machines, and the way to its directory on this one."""

import json
import os
import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from symphony.client.this_machine import host_name
from tests.cli.conftest import refusal
from tests.client.conftest import Client, User
from tests.client.test_import import git

pytestmark = pytest.mark.long

REMOTE = "https://example.org/a/engine.git"
AUTHOR = ("-c", "user.name=ada", "-c", "user.email=ada@example.org")


@pytest.fixture
def engine(tmp_path: Path) -> Path:
    """A repository with a commit that was not pushed."""
    engine = tmp_path / "laptop" / "engine"
    git("init", "-q", "-b", "main", engine)
    git("-C", engine, *AUTHOR, "commit", "-q", "--allow-empty", "-m", "one")
    git("-C", engine, "remote", "add", "origin", REMOTE)
    (engine / "src").mkdir()
    return engine


def reported(symphony: Client, directory: Path, machine: str, state: Path) -> None:
    """Report as a machine of its own."""
    arguments = ("report", "--root", str(directory), "--machine", machine)
    finished = symphony.program(*arguments, XDG_STATE_HOME=str(state))
    assert finished.status == 0, finished.errors


def test_the_repo_of_a_directory_has_its_checkouts_on_all_machines(
    ada: User, signed_in: Client, engine: Path, tmp_path: Path
) -> None:
    ada.repo(ada.workspace("Thesis"), "engine", "/elsewhere/engine", "git@example.org:a/engine")
    desktop = tmp_path / "desktop" / "engine"
    git("clone", "-q", engine, desktop)
    git("-C", desktop, "remote", "set-url", "origin", REMOTE)
    (desktop / "new").touch()
    reported(signed_in, engine.parent, "laptop", tmp_path / "state1")
    reported(signed_in, desktop.parent, "desktop", tmp_path / "state2")
    shown = signed_in("status", str(engine / "src")).output
    assert "Repo: engine, in the workspace Thesis\n" in shown
    rows = [each.split() for each in shown.splitlines()]
    [laptop] = [each for each in rows if each[-1] == str(engine)]
    [other] = [each for each in rows if each[-1] == str(desktop)]
    assert laptop[:2] == ["laptop", "main"]
    assert other[0] == "desktop"
    assert "(1 untracked)" in " ".join(other)
    document = json.loads(signed_in("status", str(engine), "--json").output)
    assert document["path"] == str(engine)
    [repo] = document["repos"]
    assert repo["workspace"] == "Thesis"
    machines = {each["machine"]["name"] for each in repo["checkouts"]}
    assert machines == {"laptop", "desktop"}
    assert all(each["status"]["work"] for each in repo["checkouts"])
    board = signed_in("board").output.splitlines()
    assert len([each for each in board if each.split()[1] == "engine"]) >= 1


def test_a_repository_without_remotes_is_found_by_its_path(
    ada: User, signed_in: Client, engine: Path
) -> None:
    git("-C", engine, "remote", "remove", "origin")
    line = refusal(signed_in("status", str(engine)))
    assert line == f"No repo is registered for {engine}; `symphony import {engine}` does it."
    ada.repo(ada.workspace("Thesis"), "motor", str(engine))
    shown = signed_in("status", str(engine)).output
    assert shown.startswith("Repo: motor, in the workspace Thesis\nRemote: none\n")


def tree_of(repository: Path, name: str) -> Path:
    """Add a linked worktree beside a repository."""
    tree = repository.parent / name
    git("-C", repository, "worktree", "add", "-q", "-b", name, tree)
    return tree


def linked(engine: Path) -> Path:
    return tree_of(engine, "fix")


def linked_to_odd_name(engine: Path) -> Path:
    return tree_of(engine.rename(engine.with_name("it's; an $engine")), "fix")


def linked_to_bare(engine: Path) -> Path:
    bare = engine.with_name("bare.git")
    git("clone", "-q", "--bare", engine, bare)
    git("-C", bare, "remote", "remove", "origin")
    return tree_of(bare, "fix")


def linked_to_separate(engine: Path) -> Path:
    git("-C", engine, "init", "-q", "--separate-git-dir", engine.with_name("separate"))
    return tree_of(engine, "fix")


def submodule(engine: Path) -> Path:
    product = engine.with_name("product")
    git("init", "-q", product)
    allowed = ("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", engine, "lib")
    git("-C", product, *allowed)
    git("-C", product / "lib", "remote", "remove", "origin")
    return product / "lib"


def linked_to_submodule(engine: Path) -> Path:
    return tree_of(submodule(engine), "fix")


@pytest.mark.parametrize(
    "create",
    [linked, linked_to_odd_name, linked_to_bare, linked_to_separate, submodule,
     linked_to_submodule],
)  # fmt: skip
def test_the_advice_for_a_directory_without_a_repo_registers_one(
    create: Callable[[Path], Path], ada: User, signed_in: Client, engine: Path
) -> None:
    ada.workspace("Thesis")
    git("-C", engine, "remote", "remove", "origin")
    directory = create(engine)
    line = refusal(signed_in("status", str(directory)))
    advice = re.search("`symphony (.+)` does it\\.$", line)
    assert advice is not None
    arguments = shlex.split(advice[1].replace("WORKSPACE", "Thesis"))
    arguments += ["--all"] * (arguments[0] == "import")
    assert signed_in(*arguments).status == 0
    shown = json.loads(signed_in("status", str(directory), "--json").output)
    [repo] = shown["repos"]
    assert shown["path"] == str(directory)
    assert (repo["path"] in {arguments[-1], arguments[-2]}, repo["workspace"]) == (True, "Thesis")


def test_a_linked_worktree_shows_the_repo_of_the_others(
    ada: User, signed_in: Client, engine: Path, tmp_path: Path
) -> None:
    """By the path of the main directory, by that of another worktree, or by what was reported."""
    git("-C", engine, "remote", "remove", "origin")
    first, second = tree_of(engine, "first"), tree_of(engine, "second")
    thesis = ada.workspace("Thesis")
    repo = ada.repo(thesis, "motor", str(engine))
    for each in (first, second, engine):
        assert signed_in("status", str(each)).output.startswith("Repo: motor, in the workspace")
    ada.request("PATCH", f"/repos/{repo}", {"path": str(second)})
    assert signed_in("status", str(first)).output.startswith("Repo: motor, in the workspace")
    reported(signed_in, engine, host_name(), tmp_path / "state")
    ada.request("PATCH", f"/repos/{repo}", {"path": "/elsewhere"})
    ada.repo(thesis, "engine", "/other", REMOTE)
    for each in (first, second, engine):
        line = refusal(signed_in("status", str(each)))
        assert line.startswith(f"No repo is registered for {engine}")
    git("-C", engine, "remote", "add", "origin", REMOTE)
    reported(signed_in, engine, host_name(), tmp_path / "state")
    git("-C", engine, "remote", "remove", "origin")
    assert signed_in("status", str(first)).output.startswith("Repo: engine, in the workspace")


def test_no_hook_or_program_of_the_repository_is_run(
    ada: User, signed_in: Client, engine: Path, tmp_path: Path
) -> None:
    proof = tmp_path / "proof"
    for setting in ("core.fsmonitor", "core.sshCommand", "diff.external", "core.pager"):
        git("-C", engine, "config", setting, f"touch {proof}")
    ada.repo(ada.workspace("Thesis"), "engine", str(engine), REMOTE)
    assert signed_in("status", str(engine)).status == 0
    assert not proof.exists()


def test_a_directory_outside_of_repositories_is_refused(signed_in: Client, tmp_path: Path) -> None:
    finished = signed_in("status", str(tmp_path))
    assert finished.status == 1
    assert refusal(finished) == f"{tmp_path} is not inside a git repository that can be read."


def test_the_path_is_that_of_the_record_or_of_the_report_of_this_machine(
    ada: User, signed_in: Client, engine: Path, tmp_path: Path
) -> None:
    thesis = ada.workspace("Thesis")
    repo = ada.repo(thesis, "engine", "/elsewhere/engine", REMOTE)
    assert refusal(signed_in("path", "engine")) == "engine has no checkout on this machine."
    reported(signed_in, engine.parent, host_name(), tmp_path / "state")
    assert signed_in.program("path", "engine").output == f"{engine}\n"
    assert json.loads(signed_in("path", "engine", "--json").output) == {
        "repo_id": repo,
        "path": str(engine),
    }
    other = engine.with_name("second")
    git("clone", "-q", engine, other)
    git("-C", other, "remote", "set-url", "origin", REMOTE)
    reported(signed_in, engine.parent, host_name(), tmp_path / "state")
    line = refusal(signed_in("path", "engine"))
    assert line == f"engine has several checkouts on this machine: {engine} or {other}."
    ada.request("PATCH", f"/repos/{repo}", {"path": str(other)})
    assert signed_in("path", "Thesis/engine").output == f"{other}\n"


def test_a_machine_is_recognized_by_what_it_has_reported_whatever_its_name_is(
    ada: User, signed_in: Client, engine: Path, tmp_path: Path
) -> None:
    ada.repo(ada.workspace("Thesis"), "engine", "/elsewhere/engine", REMOTE)
    state = tmp_path / "state"
    reported(signed_in, engine.parent, "a name of her own", state)
    finished = signed_in.program("path", "engine", XDG_STATE_HOME=str(state))
    assert finished.output == f"{engine}\n"


def test_a_path_is_printed_byte_for_byte_for_the_shell(
    ada: User, signed_in: Client, tmp_path: Path
) -> None:
    directory = tmp_path / "a \u202e ü"
    directory.mkdir()
    ada.repo(ada.workspace("Thesis"), "odd", str(directory))
    finished = signed_in.program("path", "odd", PYTHONIOENCODING="ascii")
    assert os.fsencode(finished.output) == os.fsencode(f"{directory}\n")
