"""`scripts/preflight.py` says what is missing, and nothing when all is there."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "scripts" / "preflight.py"


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """A path with the tools that are needed, and no other ones."""
    folder = tmp_path / "tools"
    folder.mkdir()
    for name in ("uv", "git"):
        (folder / name).write_text("#!/bin/sh\n")
        (folder / name).chmod(0o755)
    return folder


def preflight(
    tools: Path, script: Path = SCRIPT, **variables: str
) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": str(tools), "HOME": str(tools.parent), **variables}
    return subprocess.run(  # noqa: S603 - our own script
        [sys.executable, script],
        env=environment,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


@pytest.mark.long
def test_it_is_silent_when_all_is_there(tools: Path) -> None:
    finished = preflight(tools)
    assert (finished.returncode, finished.stdout, finished.stderr) == (0, "", "")


@pytest.mark.parametrize("name", ["git", "uv"])
def test_it_names_the_tool_that_is_missing_and_what_to_do(name: str, tools: Path) -> None:
    (tools / name).unlink()
    finished = preflight(tools)
    assert finished.returncode == 1
    assert finished.stderr.startswith(f"preflight: {name} is not on the path: ")
    assert finished.stderr.count("\n") == 1


def test_uv_may_stand_elsewhere_when_it_says_where(tools: Path) -> None:
    (tools / "uv").rename(tools.parent / "uv")
    assert preflight(tools, UV=str(tools.parent / "uv")).returncode == 0


def test_it_says_all_that_is_missing_at_once(tools: Path) -> None:
    shutil.rmtree(tools)
    finished = preflight(tools)
    assert finished.returncode == 1
    assert finished.stderr.count("\n") == 2


def test_it_tries_the_folder_that_the_data_will_be_in(tools: Path) -> None:
    # The kernel's own folder takes no files, not even from root.
    finished = preflight(tools, SYMPHONY_DATA_DIR="/proc/symphony")
    assert finished.returncode == 1
    assert finished.stderr.startswith("preflight: /proc cannot be written (")


def test_a_data_folder_below_a_file_cannot_be_written(tools: Path) -> None:
    file = tools.parent / "file"
    file.touch()
    finished = preflight(tools, SYMPHONY_DATA_DIR=str(file / "data"))
    assert finished.returncode == 1
    assert finished.stderr.startswith(f"preflight: {file} cannot be written (")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write to all folders")
def test_it_names_a_folder_without_the_right_to_write(tools: Path) -> None:
    folder = tools.parent / "read-only"
    folder.mkdir(mode=0o500)
    finished = preflight(tools, SYMPHONY_DATA_DIR=str(folder))
    assert finished.stderr.startswith(f"preflight: {folder} cannot be written (")


def test_it_leaves_no_file_behind(tools: Path) -> None:
    data_dir = tools.parent / "data"
    data_dir.mkdir()
    preflight(tools, SYMPHONY_DATA_DIR=str(data_dir))
    assert list(data_dir.iterdir()) == []
