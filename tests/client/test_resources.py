"""Workspaces and repos by their names: list, create, rename, move and delete."""

import json

import pytest

from tests.cli.conftest import refusal
from tests.client.conftest import Client, User

pytestmark = pytest.mark.long


def test_a_workspace_is_created_renamed_and_deleted(ada: User, signed_in: Client) -> None:
    assert signed_in("workspaces", "create", "Thesis").output == "Created the workspace Thesis.\n"
    renamed = signed_in("workspaces", "rename", "THESIS", "Work {}")
    assert renamed.output == "The workspace is now called Work {}.\n"
    assert signed_in("workspaces", "list").output.splitlines()[1].startswith("Work {}  general")
    [listed] = json.loads(signed_in("workspaces", "list", "--json").output)["items"]
    assert signed_in("workspaces", "rename", listed["id"], "Work", "--json").status == 0
    ada.repo(listed["id"], "engine", "/a/engine")
    refused = signed_in("workspaces", "delete", "work", "--yes")
    assert refusal(refused) == "Work has 1 repo; --force deletes them as well."
    kept = signed_in("workspaces", "delete", "work", "--force", stdin="n\n")
    assert kept.status == 1
    assert "Delete the workspace Work with 1 repo? This cannot be undone." in kept.output
    assert signed_in("workspaces", "delete", "work", "--force", stdin="y\n").status == 0
    assert signed_in("workspaces", "list", "--json").output == '{\n  "items": []\n}\n'


def test_a_repo_is_created_renamed_moved_and_deleted(ada: User, signed_in: Client) -> None:
    ada.workspace("Thesis")
    work = ada.workspace("Work")
    created = signed_in(
        *("repos", "create", "engine", "--workspace", "thesis", "--path", "~/engine"),
        *("--remote", "https://example.org/engine.git"),
    )
    assert created.output == "Created the repo engine.\n"
    assert (
        signed_in("repos", "rename", "Engine", "motor").output == "The repo is now called motor.\n"
    )
    moved = json.loads(signed_in("repos", "move", "Thesis/motor", "work", "--json").output)
    assert (moved["workspace_id"], moved["name"]) == (work, "motor")
    lines = signed_in("repos", "list", "--workspace", "Work").output.splitlines()
    assert lines[1].split() == ["Work", "motor", "https://example.org/engine.git", "~/engine"]
    [listed] = json.loads(signed_in("repos", "list", "--json").output)["items"]
    assert (listed["workspace"], listed["id"]) == ("Work", moved["id"])
    assert refusal_after_question(signed_in, "repos", "delete", "motor")
    assert signed_in("repos", "delete", moved["id"], "--yes").output.startswith(
        "Deleted the record"
    )
    assert refusal(signed_in("repos", "delete", "motor")).startswith("No repo is called 'motor'.")


def refusal_after_question(symphony: Client, *arguments: str) -> bool:
    finished = symphony(*arguments, stdin="")
    last = "symphony: Nothing was deleted; confirm with y, or use --yes."
    return finished.status == 1 and finished.errors.splitlines()[-1] == last


def test_a_name_of_several_repos_is_not_guessed(ada: User, signed_in: Client) -> None:
    for name in ("Thesis", "Work/Paid"):
        ada.repo(ada.workspace(name), "engine", f"/{name}/engine")
    line = refusal(signed_in("repos", "rename", "engine", "motor"))
    assert line == ("2 repos are called 'engine'; say which: 'Thesis/engine', 'Work/Paid/engine'.")
    assert signed_in("repos", "rename", "Work/Paid/engine", "motor").status == 0
    assert refusal(signed_in("repos", "rename", "Nope/engine", "motor")).startswith(
        "No workspace is called 'Nope'."
    )


def test_a_list_of_many_pages_is_complete(ada: User, signed_in: Client) -> None:
    for number in range(3):
        workspace = ada.workspace(f"Part {number}")
        items = [{"name": f"{number}-{each}", "path": f"/{number}/{each}"} for each in range(90)]
        ada.request("POST", f"/workspaces/{workspace}/repos/import", {"items": items})
    listed = json.loads(signed_in("repos", "list", "--json").output)["items"]
    assert len({each["id"] for each in listed}) == 270
    assert signed_in("repos", "rename", "2-89", "last").status == 0


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("workspaces", "create", "Thesis"), "workspace-name-taken"),
        (("workspaces", "create", " "), "validation-error"),
        (("workspaces", "create", "a\x1bb"), "validation-error"),
        (("repos", "create", "a/b", "--workspace", "thesis", "--path", "x"), "validation-error"),
    ],
)
def test_what_the_server_refuses_is_one_line_with_the_request(
    arguments: tuple[str, ...], code: str, ada: User, signed_in: Client
) -> None:
    ada.workspace("Thesis")
    finished = signed_in(*arguments)
    assert finished.status == 1
    assert f"({code}, request " in refusal(finished)


def test_bytes_that_are_not_text_are_refused(ada: User, signed_in: Client) -> None:
    assert ada.workspace("Thesis")
    for arguments in (("repos", "rename", "\udcff", "x"), ("workspaces", "create", "\udcff")):
        finished = signed_in(*arguments)
        assert finished.status == 1
        refusal(finished)
