"""README's commands and session work, and the service gives the answers that it shows."""

import json
import re
from pathlib import Path
from typing import Any, cast

import pytest

from scripts.demos.demo_attention import HIDDEN
from tests.support.checkout import TOP
from tests.support.documents import blocks, run
from tests.support.server import running_server

README = (TOP / "README.md").read_text("utf-8")
# The repositories that the session imports.
FOLDER_OF_REPOSITORIES = """
export HOME=$PWD GIT_CONFIG_NOSYSTEM=1
git config --global init.defaultBranch main
git config --global user.name 'Ada Lovelace'
git config --global user.email ada@example.org
commit() { echo "$2" > "$1/file"; git -C "$1" add file; git -C "$1" commit --quiet -m "$2"; }
for name in engine mill; do
  git init --quiet --bare "remotes/$name"
  git clone --quiet "remotes/$name" "dev/$name" 2> clone.log
  commit "dev/$name" first
  git -C "dev/$name" push --quiet
done
commit dev/engine second
git init --quiet dev/loom
commit dev/loom first
echo changed > dev/loom/file
git -C dev/loom stash --quiet
echo changed > dev/loom/file
"""


@pytest.mark.parametrize("ending", [" --no-dev symphony serve", " just test"])
def test_the_readme_has_one_line_to_paste_for_each_of_its_two_commands(ending: str) -> None:
    lines = [block for block in blocks(README) if block.rstrip().endswith(ending)]
    assert len(lines) == 1
    assert lines[0].count("\n") == 1
    assert lines[0].startswith("python3 -m venv .tools && ")
    # .ci/run executes the first line that ends so, wherever it stands.
    assert [line + "\n" for line in README.splitlines() if line.endswith(ending)] == lines


def test_the_board_in_the_readme_is_that_of_the_demo() -> None:
    """Which checks itself that the service finds just this."""
    (table,) = blocks(README, "text")
    rows = [re.split(r"\s{2,}", line.strip())[:3] for line in table.splitlines()[2:]]
    assert rows == [
        [name, happen.__name__.replace("_", " "), reason]
        for name, (happen, reason) in HIDDEN.items()
    ]


@pytest.mark.long
async def test_the_session_of_the_readme_can_be_pasted_twice_and_survives_a_restart(
    tmp_path: Path,
) -> None:
    session, board = [block for block in blocks(README) if "api " in block]
    keep, kept = "\nexport -p > kept; declare -f > functions", ". ./kept; . ./functions\n"
    data = tmp_path / "data"
    await run(FOLDER_OF_REPOSITORIES, "", tmp_path)
    async with running_server(data) as server:
        first = await run(f"set -a\n{session}{keep}", server.address, tmp_path)
        # As in a terminal: a command that fails does not end the shell.
        second = await run(f"set +e; {session}", server.address, tmp_path)
        await server.stop()
    assert codes(first) == ["vault-locked"]
    assert codes(second) == ["username-taken", "vault-locked"]
    assert [each.get("version") for each in answers(first)] == [1, 1, 2, None, 3]
    entry, locked = map(shown, (0, 1))
    assert any(matches(entry, answer) for answer in answers(first))
    assert any(matches(locked, answer) for answer in answers(first))

    async with running_server(data, "--git-root", str(tmp_path / "dev")) as server:
        # The port is another one than before, the home folder is that of the repositories.
        again = f"{kept}API={server.address}/api/v1 HOME={tmp_path}\n{board}"
        imported, attention = answers(
            await run(again.replace("~", str(tmp_path)), server.address, tmp_path)
        )
    assert [each["name"] for each in imported["items"]] == ["engine", "loom", "mill"]
    assert {each["name"]: each["reasons"] for each in attention["items"]} == {
        "engine": ["unpushed"],
        "loom": ["dirty", "stashed", "no-remote"],
        "keys": ["unlocked"],
    }


@pytest.mark.long
async def test_a_session_of_the_readme_without_a_service_says_so_and_has_no_traceback(
    tmp_path: Path,
) -> None:
    session = next(block for block in blocks(README) if "api " in block)
    async with running_server(tmp_path / "data") as server:
        await server.stop()
        output = await run(f"set +e; {session}", server.address, tmp_path)
    assert "Failed to connect" in output or "Could not connect" in output
    assert "Traceback" not in output


def answers(output: str) -> list[dict[str, Any]]:
    """The JSON objects that a script has printed, one a line."""
    return [json.loads(line) for line in output.splitlines() if line.startswith("{")]


def codes(output: str) -> list[str]:
    """The codes of the problems among the answers. A script must not fail in another way."""
    assert "Traceback" not in output
    return [answer["code"] for answer in answers(output) if "code" in answer]


def shown(index: int) -> Any:
    """One of the answers that README shows."""
    return json.loads(blocks(README, "json")[index])


def matches(shown: Any, answer: Any) -> bool:
    """Whether an answer has all that is shown of it; "…" stands for any value."""
    if isinstance(shown, dict):
        members = cast("dict[str, Any]", shown).items()
        return all(name in answer and matches(value, answer[name]) for name, value in members)
    if isinstance(shown, list):
        items = cast("list[Any]", shown)
        return len(items) == len(answer) and all(map(matches, items, answer))
    return shown in {"…", answer}
