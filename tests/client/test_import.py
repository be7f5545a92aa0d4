"""Importing the repositories of a directory: chosen, named, and never registered twice."""

import json
import subprocess
from pathlib import Path

import pytest

from symphony.client.importing import choose_new
from symphony.client.numbers import chosen_numbers
from symphony.domain.discovery import FoundRepository, RepoKind
from tests.cli.conftest import refusal
from tests.client.conftest import Client, User
from tests.client.terminal import in_terminal
from tests.support.server import SYMPHONY

pytestmark = pytest.mark.long


def git(*arguments: str | Path) -> None:
    subprocess.run(["git", *map(str, arguments)], check=True, capture_output=True)  # noqa: S603, S607


@pytest.fixture
def dev(tmp_path: Path) -> Path:
    """Two repositories with a remote, a second checkout of one, and one without a remote."""
    dev = tmp_path / "dev"
    remotes = {
        "engine": "git@example.org:a/engine.git",
        "old/engine": "https://example.org/a/engine",
    }
    for name in ("engine", "old/engine", "organ"):
        git("init", "-q", dev / name)
        if name in remotes:
            git("-C", dev / name, "remote", "add", "origin", remotes[name])
    return dev


def test_all_that_is_new_is_registered_and_nothing_twice(
    ada: User, signed_in: Client, dev: Path
) -> None:
    finished = signed_in("import", str(dev), "--all")
    assert finished.errors == "Created the workspace dev.\n"
    assert finished.output == "Registered 2 repos in the workspace dev.\nRegistered before: 1.\n"
    listed = ada.request("GET", f"/user-profiles/{ada.id}/repos?sort=name")["items"]
    assert [(each["name"], each["path"]) for each in listed] == [
        ("engine", str(dev / "engine")),
        ("organ", str(dev / "organ")),
    ]
    document = json.loads(signed_in("import", str(dev), "--all", "--json").output)
    assert document["registered"] == []
    assert len(document["skipped"]) == 3
    assert document.keys() == {"workspace", "registered", "skipped", "truncated"}


def test_a_person_chooses_at_the_terminal(ada: User, signed_in: Client, dev: Path) -> None:
    thesis = ada.workspace("Thesis")
    ada.repo(thesis, "organ", "/elsewhere")
    shown = in_terminal(
        [str(SYMPHONY), "import", str(dev)],
        signed_in.environment,
        [("]: ", "7"), ("]: ", "2")],
    )
    assert shown.status == 0, shown.text
    assert "Numbers from 1 to 2, all or none." in shown.text
    assert "Registered 1 repo in the workspace Thesis." in shown.text
    listed = ada.request("GET", f"/user-profiles/{ada.id}/repos?sort=name")["items"]
    assert [each["name"] for each in listed] == ["organ", "organ-2"]


def test_a_full_workspace_takes_what_it_can_and_says_what_is_left(
    ada: User, signed_in: Client, dev: Path
) -> None:
    thesis = ada.workspace("Thesis")
    items = [{"name": str(each), "path": f"/{each}"} for each in range(99)]
    ada.request("POST", f"/workspaces/{thesis}/repos/import", {"items": items})
    finished = signed_in("import", str(dev), "--all")
    assert finished.status == 1
    assert finished.output.startswith(
        "Registered 1 repo in the workspace Thesis.\nNot registered: 1.\n"
    )
    assert "(repo-limit-reached, request " in finished.errors


def test_several_workspaces_are_not_guessed(ada: User, signed_in: Client, dev: Path) -> None:
    for name in ("Thesis", "Work"):
        ada.workspace(name)
    line = refusal(signed_in("import", str(dev), "--all"))
    assert line == "There are several workspaces; say which with --workspace: Thesis or Work."
    assert signed_in("import", str(dev), "--all", "--workspace", "work").status == 0


def test_without_a_terminal_it_has_to_be_all(symphony: Client, dev: Path) -> None:
    finished = symphony("import", str(dev))
    assert finished.status == 2
    assert refusal(finished) == "--all is missing: there is no terminal to choose at."


def test_a_directory_that_does_not_exist_is_refused(signed_in: Client, dev: Path) -> None:
    finished = signed_in("import", str(dev / "nope"), "--all")
    assert finished.status == 1
    assert refusal(finished) == f"{dev / 'nope'}: No such file or directory."


def test_parts_of_other_repositories_are_left_out() -> None:
    found = [
        FoundRepository("/a", RepoKind.REPOSITORY),
        FoundRepository("/a/s", RepoKind.SUBMODULE, "https://example.org/s"),
        FoundRepository("/b", RepoKind.WORKTREE),
        FoundRepository("/c.git", RepoKind.BARE, "https://example.org/c"),
    ]
    choice = choose_new(found, [{"path": "~/a", "remote_url": None}, {"path": 1}])
    assert [each.path for each in choice.new] == ["/a", "/c.git"]
    assert [path for path, _ in choice.skipped] == ["/a/s", "/b"]


@pytest.mark.parametrize(
    ("answer", "numbers"),
    [
        ("all", {1, 2, 3, 4, 5}),
        ("None", set[int]()),
        ("1 3-5,2", {1, 2, 3, 4, 5}),
        ("5", {5}),
        ("", None),
        ("0", None),
        ("6", None),
        ("3-1", None),
        ("1 all", None),
        ("-1", None),
        ("٣", None),
    ],
)
def test_numbers_of_a_list_are_chosen(answer: str, numbers: set[int] | None) -> None:
    assert chosen_numbers(answer, 5) == numbers


def test_an_unknown_workspace_is_refused_also_where_nothing_is_new(
    ada: User, signed_in: Client, tmp_path: Path
) -> None:
    ada.workspace("Thesis")
    empty = tmp_path / "empty"
    empty.mkdir()
    line = refusal(signed_in("import", str(empty), "--all", "--workspace", "Theses"))
    assert line == "No workspace is called 'Theses'. `symphony workspaces list` shows all of them."
