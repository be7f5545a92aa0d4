"""Errors name what was typed: each argument and each option of every command."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import cast

import pytest
import typer
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

from symphony.cli import app
from symphony.client.command import ClientCommand
from symphony.client.errors import ServerProblem, numbered
from symphony.console.usage import Given
from tests.cli.conftest import refusal
from tests.client.conftest import PASSWORD, Client, User

HERE = str(Path(__file__).parent)
TOO_LONG = "x" * 5000
VALUES = {"directory": HERE, "path": "/thesis", "root": HERE, "url": "http://127.0.0.1:1"}
"""Of what a command needs beside the argument that is tested."""
REPEATED = "x{100}.*(shows all|File name too long|the address|not a directory)"
"""The line repeats what the server is not asked for."""


def commands(
    command: TyperCommand | TyperGroup, *names: str
) -> Iterator[tuple[tuple[str, ...], ClientCommand]]:
    if isinstance(command, TyperGroup):
        for name, each in cast(Mapping[str, TyperCommand | TyperGroup], command.commands).items():
            yield from commands(each, *names, name)
    elif isinstance(command, ClientCommand):
        yield names, command


def parameters(command: ClientCommand) -> list[TyperArgument | TyperOption]:
    """The parameters with a text, those that are required first."""
    found = [
        each
        for each in command.params
        if isinstance(each, TyperArgument | TyperOption)
        and each.type_descriptor.annotation in {str, list[str]}
    ]
    return sorted(found, key=lambda each: not each.required)


def shown_name(parameter: TyperArgument | TyperOption) -> str:
    if isinstance(parameter, TyperOption):
        return parameter.opts[0]
    return str(parameter.metavar)


def command_lines(value: str) -> list[tuple[list[str], str]]:
    """Every command of the client, once for each of its texts, which is `value`; and the name of
    this text."""
    return [
        ([*names, *arguments(command, tested, value)], shown_name(tested))
        for names, command in commands(typer.main.get_command(app))  # pyright: ignore[reportArgumentType]
        for tested in parameters(command)
    ]


def arguments(
    command: ClientCommand, tested: TyperArgument | TyperOption, value: str
) -> Iterator[str]:
    for each in parameters(command):
        if each is not tested and not each.required and isinstance(each, TyperOption):
            continue
        given = value if each is tested else VALUES.get(str(each.name), "thesis")
        if isinstance(each, TyperOption):
            yield f"{each.opts[0]}={given}"
        else:
            yield given
    flags = {option for each in command.params for option in each.opts}
    yield from flags & {"--yes", "--all", "--password-stdin"}


def test_an_empty_argument_is_refused_by_its_name_before_anything_else(symphony: Client) -> None:
    """As in `symphony import "$DIRECTORY"`, which otherwise means the current directory."""
    for arguments, name in command_lines(""):
        finished = symphony(*arguments)
        assert finished.status == 2
        assert refusal(finished) == f"{name}: '' is invalid; must not be empty."


def test_only_commands_without_a_text_are_left_out_above() -> None:
    client = commands(typer.main.get_command(app))  # pyright: ignore[reportArgumentType]
    without = {" ".join(names) for names, command in client if not parameters(command)}
    assert without == {"logout", "whoami", "machines list", "workspaces list"}


@pytest.mark.long
def test_an_argument_that_the_server_refuses_is_named_as_it_was_typed(
    ada: User, signed_in: Client
) -> None:
    ada.repo(ada.workspace("thesis"), "thesis", "/thesis")
    ada.request("POST", "/machines", {"name": "thesis"})
    for arguments, name in command_lines(TOO_LONG):
        line = refusal(signed_in(*arguments, stdin=f"{PASSWORD}\n"))
        assert re.match(name, line) or re.search(REPEATED, line), line
        assert len(line) < 1_000
        assert not re.search("`/?[a-z_]+`", line), line


@pytest.mark.parametrize(
    ("name", "allowed"),
    [
        (" ", "must have at least 1 character other than spaces."),
        ("x" * 256, "must have at most 255 characters."),
        ("a\x1bb", "must not contain control characters."),
        ("\udcff", "must not contain unpaired surrogates (U+D800 to U+DFFF)."),
    ],
)
@pytest.mark.parametrize("options", [(), ("--dry-run",), ("--every", "5")])
def test_a_machine_cannot_have_every_name(
    name: str, allowed: str, options: tuple[str, ...], symphony: Client, home: Path
) -> None:
    finished = symphony("report", "--root", "/nonexistent", "--machine", name, *options)
    assert finished.status == 2
    line = refusal(finished)
    assert line.startswith("--machine: '")
    assert line.endswith(f"' is invalid; {allowed}")
    assert not any(home.iterdir())


@pytest.mark.long
def test_a_machine_is_found_by_its_name_with_spaces_around_it(ada: User, signed_in: Client) -> None:
    ada.request("POST", "/machines", {"name": "laptop"})
    finished = signed_in.program("report", "--root", HERE, "--machine", " Laptop ")
    assert finished.output.startswith("Reported 0 checkouts of laptop in "), finished.errors


@pytest.mark.long
def test_several_arguments_are_all_named(ada: User, signed_in: Client) -> None:
    ada.workspace("Thesis")
    line = refusal(
        signed_in(
            *("repos", "create", "a/b", "--workspace", "Thesis"),
            *("--path", "engine", "--remote", "file:///engine"),
        )
    )
    names = ["NAME: 'a/b' is invalid; ", "--path: 'engine' is invalid; "]
    positions = [line.index(each) for each in [*names, "--remote: 'file:///engine' is invalid; "]]
    assert positions == sorted(positions)
    assert line.startswith(names[0])
    assert "(validation-error, request " in line


def refused(*pointers: str) -> ServerProblem:
    errors = [
        {"pointer": each, "detail": f"Must be {number}."} for number, each in enumerate(pointers)
    ]
    detail = f"`{pointers[0]}` must be 0." if len(pointers) == 1 else "Several fields are invalid."
    members = {"code": "validation-error", "detail": detail, "errors": errors}
    return ServerProblem(422, members)


def test_what_was_not_typed_keeps_the_name_of_the_field() -> None:
    assert str(refused("/name")) == "`/name` must be 0. (validation-error)"
    problem = refused("/name", "/color")
    problem.name_fields(lambda place: Given("NAME", "x") if place == ["name"] else None)
    problem.name_fields(lambda _: Given("--other") if _ == ["name"] else None)
    assert str(problem) == "NAME: 'x' is invalid; must be 0. /color: must be 1. (validation-error)"


def test_of_many_errors_the_first_are_shown() -> None:
    line = str(refused("/a", "/b", "/c", "/d", "/e"))
    assert (
        line
        == "/a: must be 0. /b: must be 1. /c: must be 2. 2 more are invalid. (validation-error)"
    )


def test_an_item_of_a_list_has_the_name_of_what_was_found() -> None:
    problem = refused("/items/1/remote_url", "/items/7/path", "/items", "/items/²/path")
    problem.name_fields(numbered("items", ["/dev/engine", "/dev/wheel"]))
    assert str(problem).startswith(
        "/dev/wheel: remote_url: must be 0. /items/7/path: must be 1. /items: must be 2. "
    )
