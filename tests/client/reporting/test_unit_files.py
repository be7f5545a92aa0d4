"""The unit files in the guide to the command line are valid, and their commands exist."""

import configparser
import os
import plistlib
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any, cast

import pytest
import typer.main

from symphony.cli import app
from tests.support.checkout import TOP

GUIDE = (TOP / "docs" / "cli.md").read_text("utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)


def unit(text: str) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None)
    parser.optionxform = str  # pyright: ignore[reportAttributeAccessIssue] - names have capitals
    parser.read_string(text)
    return parser


def options_of(arguments: list[str]) -> dict[str, Any]:
    """Parse the arguments of `symphony report`. Raises: TyperException."""
    program, name, *others = arguments
    assert (Path(program).name, name) == ("symphony", "report")
    group: Any = typer.main.get_command(app)
    return group.commands["report"].make_context("report", others).params


def test_the_service_of_systemd_reports_once() -> None:
    service = unit(blocks("ini")[0])["Service"]
    assert service["Type"] == "oneshot"
    given = options_of(shlex.split(service["ExecStart"].replace("%h", "/home/ada")))
    assert given["root"] == ["/home/ada/dev"]
    assert given["every"] is None


def test_the_timer_of_systemd_starts_it_again_and_again() -> None:
    timer = unit(blocks("ini")[1])
    assert timer["Timer"]["OnUnitInactiveSec"] == "15min"
    assert timer["Install"]["WantedBy"] == "timers.target"


def test_the_agent_of_launchd_reports_once_every_15_minutes() -> None:
    (text,) = blocks("xml")
    agent = cast("dict[str, Any]", plistlib.loads(text.encode()))
    assert agent["StartInterval"] == 15 * 60
    assert options_of(agent["ProgramArguments"])["root"] == ["/Users/ada/dev"]
    assert f"{agent['Label']}.plist" in GUIDE


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd")
def test_systemd_accepts_the_units(tmp_path: Path) -> None:
    program = tmp_path / ".local/bin/symphony"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    files = [tmp_path / f"symphony-report.{kind}" for kind in ("service", "timer")]
    for file, text in zip(files, blocks("ini"), strict=True):
        file.write_text(text.replace("%h", str(tmp_path)))
    done = subprocess.run(  # noqa: S603
        ["systemd-analyze", "--user", "verify", *map(str, files)],  # noqa: S607
        env={**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)},  # of no session
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
