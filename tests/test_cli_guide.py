"""docs/cli.md has every command of `symphony`, each with all its options and arguments."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer.main

from symphony.cli import app
from symphony.client.command import READER_ENDED
from symphony.client.errors import AT_RISK, REFUSED, UNREACHABLE, USAGE
from symphony.client.reporting.execution import TERMINATED

GUIDE = (Path(__file__).parents[1] / "docs" / "cli.md").read_text("utf-8")


def commands(command: Any, name: str) -> Iterator[tuple[str, Any]]:
    """Every command of a group, at any depth, by its full name."""
    if not hasattr(command, "commands"):
        yield name, command
        return
    for each in command.commands.values():
        yield from commands(each, f"{name} {each.name}")


def names(command: Any) -> set[str]:
    """The options and arguments of a command, as the guide writes them."""
    return {
        each.opts[0] if each.param_type_name == "option" else each.metavar or each.name.upper()
        for each in command.params
    }


def test_the_guide_to_the_command_line_has_every_command_with_its_options() -> None:
    sections = dict(re.findall(r"^## `(symphony .+?)`\n(.*?)(?=^## |\Z)", GUIDE, re.M | re.S))
    expected = {
        name: names(command) for name, command in commands(typer.main.get_command(app), "symphony")
    }
    described = {
        name: {
            found.split()[0]
            for row in re.findall(r"^\| (`.+?`) \|", section, re.M)
            for found in re.findall(r"`(--[a-z-]+|[A-Z]+)", row)
        }
        for name, section in sections.items()
    }
    assert described == expected


def test_the_list_of_exit_statuses_has_those_of_every_command() -> None:
    section = re.split(r"^## ", GUIDE.partition("## Exit statuses\n")[2], flags=re.M)[0]
    listed = re.findall(r"^\| (\d+) \|", section, re.M)
    assert listed == sorted(set(listed), key=int)
    assert set(re.findall(r"^\| (\d+) \|", GUIDE, re.M)) == set(listed)
    assert {
        str(each) for each in (REFUSED, USAGE, AT_RISK, UNREACHABLE, READER_ENDED, TERMINATED)
    } < set(listed)
