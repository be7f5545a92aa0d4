"""What README and docs/getting-started.md show of the client is what it does."""

import re
import shlex
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from symphony.client.board_rows import board_rows
from symphony.client.words import duration
from tests.client.conftest import PASSWORD, Client
from tests.client.terminal import in_terminal
from tests.support.checkout import TOP
from tests.support.documents import blocks
from tests.support.server import SYMPHONY, running_server

STARTED = (TOP / "docs" / "getting-started.md").read_text("utf-8")


def shown_commands() -> list[list[str]]:
    """The commands of the section in the terminal, without the words of the shell."""
    section = STARTED.partition("See the board in your terminal\n")[2].partition("\n## ")[0]
    lines = re.findall(r"^\$ symphony (.*)$", blocks(section, "console")[0], re.MULTILINE)
    return [shlex.split(line) for line in lines]


def test_the_guide_shows_the_first_commands_of_the_client() -> None:
    assert [words[0] for words in shown_commands()] == ["user", "login", "import", "board"]


@pytest.mark.long
async def test_the_guide_begins_with_a_login_an_import_and_the_board(
    symphony: Client, tmp_path: Path
) -> None:
    dev = tmp_path / "dev"
    subprocess.run(["git", "init", "-q", str(dev / "engine")], check=True)  # noqa: ASYNC221, S603, S607
    (dev / "engine" / "new").touch()
    data = tmp_path / "data"
    environment = {**symphony.environment, "SYMPHONY_DATA_DIR": str(data)}
    answers = {
        "user": [("Password: ", PASSWORD), ("confirmation: ", PASSWORD)],
        "login": [("User name: ", "grace"), ("Password: ", PASSWORD)],
    }
    shown: dict[str, str] = {}
    async with running_server(data, "--git-root", str(dev)) as server:
        given = {"~/dev": str(dev), "http://127.0.0.1:8000": server.address}
        for words in shown_commands():
            arguments = [given.get(each, each) for each in words]
            result = in_terminal(
                [str(SYMPHONY), *arguments], environment, answers.get(words[0], [])
            )
            assert result.status == 0, result.text
            shown[words[0]] = result.text
    assert "User: grace" in shown["login"]
    assert "Registered 1 repo in the workspace dev." in shown["import"]
    assert "engine" in shown["board"]


def test_the_board_in_the_readme_has_the_words_of_the_client() -> None:
    readme = (TOP / "README.md").read_text("utf-8")
    [session] = [each for each in blocks(readme, "console") if "symphony board" in each]
    rows = [re.split(r"\s{2,}", line) for line in session.splitlines()[1:]]
    assert rows[0] == ["WORKSPACE", "NAME", "MACHINE", "BRANCH", "LEFT TO DO", "SINCE", "OBSERVED"]
    laptop = {"machine": {"name": "laptop"}, "path": "/a", "branch": "main", "at_risk": True}
    desktop = {"machine": {"name": "desktop"}, "path": "/b", "branch": "main", "at_risk": False}
    since = (datetime.now(UTC) - timedelta(days=3)).isoformat()
    item = {
        "kind": "repo",
        "workspace": "Thesis",
        "name": "engine",
        "path": "/a",
        "unpushed_commits": 1,
        "checkouts": [
            {**laptop, "reasons": ["dirty", "unpushed"], "unfinished_since": since},
            {**desktop, "reasons": ["behind"]},
        ],
    }
    expected = [
        [each.workspace, each.name, each.machine, each.branch, each.left_to_do]
        + ([duration(each.unfinished_since)] if each.unfinished_since else [])
        for each in board_rows({"items": [item]})
    ]
    assert [row[:-1] for row in rows[1:]] == expected
