"""The parts of typer that `symphony.console.usage` relies on, beyond its documentation."""

from enum import StrEnum
from typing import Annotated

import pytest
import typer
from typer.core import TyperArgument, TyperGroup, TyperOption
from typer.main import get_command


class Color(StrEnum):
    RED = "red"
    BLUE = "blue"


group = typer.Typer(cls=TyperGroup, rich_markup_mode=None)


@group.command("paint")
def paint(
    wall: str,
    color: Annotated[list[Color], typer.Option()],
    coats: Annotated[int, typer.Option(min=1, max=9)] = 1,
) -> None:
    del wall, color, coats


@group.command("exit")
def leave() -> None:
    raise typer.Exit(7)


def raised(*arguments: str) -> typer.TyperException:
    with pytest.raises(typer.TyperException) as error:
        get_command(group).main(list(arguments), standalone_mode=False)
    assert error.value.exit_code == 2
    return error.value


def test_without_standalone_mode_errors_are_raised_and_a_status_is_returned() -> None:
    assert raised("pint").format_message() == "No such command 'pint'. Did you mean 'paint'?"
    assert raised("paint", "--what").format_message().startswith("No such option: --what")
    assert get_command(group).main(["exit"], standalone_mode=False) == 7
    assert get_command(group).main(["paint", "a", "--color=red"], standalone_mode=False) is None


def test_an_error_of_usage_has_the_path_of_its_command() -> None:
    context = getattr(raised("paint", "--what"), "ctx", None)
    assert context is not None
    assert context.command_path.endswith(" paint")


@pytest.mark.parametrize(
    ("arguments", "value"),
    [
        (("--color", "red", "--coats", "10"), "10"),
        (("--color", "red", "--coats", "many"), "many"),
        (("--color", "red", "--color", "green"), "green"),
    ],
)
def test_an_error_of_a_value_has_its_parameter_and_the_value(
    arguments: tuple[str, ...], value: str
) -> None:
    error = raised("paint", "wall", *arguments)
    assert isinstance(error, typer.BadParameter)
    assert isinstance(error.param, TyperOption)
    assert error.param.opts == [arguments[-2]]
    cause = error.__cause__
    assert cause is not None
    assert [each["input"] for each in cause.errors()] == [value]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownVariableType]


def test_a_parameter_has_its_choices_and_its_limits() -> None:
    error = raised("paint", "wall", "--color", "green")
    assert isinstance(error, typer.BadParameter)
    assert isinstance(error.param, TyperOption)
    assert error.param.type_descriptor.choices == (Color.RED, Color.BLUE)
    error = raised("paint", "wall", "--color", "red", "--coats", "0")
    assert isinstance(error, typer.BadParameter)
    assert isinstance(error.param, TyperOption)
    assert (error.param.type_descriptor.choices, error.param.min, error.param.max) == (None, 1, 9)


def test_an_error_of_a_missing_parameter_has_no_message() -> None:
    for arguments, kind in ((("wall",), TyperOption), ((), TyperArgument)):
        error = raised("paint", *arguments)
        assert isinstance(error, typer.BadParameter)
        assert isinstance(error.param, kind)
        assert error.message == ""


def test_a_parameter_converts_with_what_was_set_before_and_else_with_pydantic() -> None:
    class AsItIs:
        def coerce(self, value: object, param: object, ctx: object) -> object:
            del param, ctx
            return value

    command = get_command(group).commands["paint"]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownVariableType, reportUnknownMemberType]
    wall, *_ = command.params  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    assert wall.type_descriptor.annotation is str  # pyright: ignore[reportUnknownMemberType]
    assert wall._runtime_param is None  # pyright: ignore[reportUnknownMemberType]  # noqa: SLF001
    wall._runtime_param = AsItIs()  # noqa: SLF001
    context = typer.Context(command)  # pyright: ignore[reportUnknownArgumentType]
    assert wall.process_value(context, 7) == 7  # pyright: ignore[reportUnknownMemberType]


def test_the_options_of_a_command_are_complete_when_its_arguments_are_parsed() -> None:
    command = get_command(group).commands["paint"]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownVariableType, reportUnknownMemberType]
    context = typer.Context(command)  # pyright: ignore[reportUnknownArgumentType]
    first, second = command.get_params(context), command.get_params(context)  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    assert [each.name for each in first] == ["wall", "color", "coats", "help"]  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]
    assert first[-1] is second[-1]
