"""docs/getting-started.md: its commands work as a new user pastes them, also a second time."""

import json
import re
import shutil
from pathlib import Path

import pytest

from scripts.support.git_repository import Repository
from tests.support.documents import STRICT, blocks, run
from tests.support.server import Server, running_server

pytestmark = pytest.mark.long

GUIDE = (Path(__file__).parents[1] / "docs" / "getting-started.md").read_text("utf-8")
BLOCKS = blocks(GUIDE)
REGISTERING = next(index for index, block in enumerate(BLOCKS) if "DIRECTORY=" in block)
MORE_THAN_ONE_IMPORT = 101


async def test_the_guide_registers_the_repositories_of_a_directory_and_shows_unfinished_work(
    tmp_path: Path,
) -> None:
    dev = tmp_path / "dev"
    (dev / "not-a-repository").mkdir(parents=True)
    Repository.with_commits(dev / "engine", "file")
    Repository.created(dev / "with space").write("new")
    async with running_server(tmp_path / "data", "--git-root", str(dev)) as server:
        lines = (await paste("".join(BLOCKS), server, dev, *STRICT)).splitlines()
    locked, refused, _, updated, repos, vaults = map(json.loads, lines[1:7])
    assert (locked["is_locked"], refused["code"]) == (True, "vault-locked")
    assert updated["metadata"] == {"colour": "green"}
    assert [each["name"] for each in repos["items"]] == ["engine"]
    assert [each["metadata"] for each in vaults["items"]] == [{"colour": "green"}]
    registered, *counts, dirty, status, entry, content, is_locked = lines[7:]
    assert registered == "My work 1: registered 2"
    assert counts[0].split() == ["2", "no-remote"]
    assert sorted(each.split()[1] for each in counts[1:]) == ["dirty", "unlocked", "unreadable"]
    assert dirty == "with space dirty no-remote"
    assert (json.loads(status)["state"], json.loads(status)["branch"]) == ("clean", "main")
    assert json.loads(entry)["key"] == "mail/password"
    assert (content, is_locked) == ("not hunter2", "true")


async def test_the_guide_fills_several_workspaces_and_registers_nothing_twice(
    tmp_path: Path,
) -> None:
    dev = tmp_path / "dev"
    Repository.with_commits(dev / "0", "file")
    for number in range(1, MORE_THAN_ONE_IMPORT):
        shutil.copytree(dev / "0", dev / str(number))
    async with running_server(tmp_path / "data", "--git-root", str(dev)) as server:
        script = "".join(BLOCKS)
        output = await paste(f"{script}\necho SECOND\n{script}", server, dev)
    first, second = output.split("SECOND\n")
    assert re.findall(r"(My work \d): registered (\d+)", first) == [
        ("My work 1", "100"),
        ("My work 2", "1"),
    ]
    assert "registered" not in second
    assert re.findall("Problem: .+?:", output) == ["Problem: 403 registration-closed:"]
    for each in (first, second):
        assert re.search(rf"^ *{MORE_THAN_ONE_IMPORT} no-remote$", each, re.MULTILINE)
        assert each.endswith("not hunter2\ntrue\n")
    assert "Traceback" not in output


async def test_the_guide_shows_the_problem_when_the_service_may_inspect_nothing(
    tmp_path: Path,
) -> None:
    async with running_server(tmp_path / "data") as server:
        output = await paste("".join(BLOCKS[: REGISTERING + 1]), server, tmp_path)
    assert "Problem: 403 git-disabled: " in output
    assert "registered" not in output
    assert "Traceback" not in output


async def test_the_records_and_the_token_of_the_guide_outlive_a_restart(tmp_path: Path) -> None:
    *before, lists = BLOCKS[:REGISTERING]
    keep = "export -p > kept; declare -f > functions\n"
    async with running_server(tmp_path / "data") as server:
        script = f"set -a\n{''.join(before)}{keep}{lists}"
        first = await paste(script, server, tmp_path, *STRICT)
        await server.stop()
    async with running_server(tmp_path / "data") as server:
        restored = f". ./kept; . ./functions\nAPI={server.address}/api/v1\n"
        second = await paste(restored + lists, server, tmp_path, *STRICT)
    assert second.splitlines() == first.splitlines()[-2:]
    assert '"name":"engine"' in second


async def paste(script: str, server: Server, directory: Path, *options: str) -> str:
    """Run a script in bash with `directory` for its repositories; return what it prints.

    With the options of `STRICT`, any command that fails makes the script fail.
    """
    variables = {"DIRECTORY": str(directory)}
    return await run(script, server.address, directory.parent, options, **variables)
