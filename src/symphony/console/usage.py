"""Wrong options and arguments: one line each, in the words of this project.

This adapter is the only module that reads what typer knows about a parameter.
"""

import sys
from collections.abc import Iterable, Sequence
from typing import Any, NoReturn

import typer
from typer.core import TyperArgument, TyperGroup, TyperOption

from symphony.console.streams import printable

USAGE_ERROR = 2  # the exit status


class Commands(TyperGroup):
    """The `symphony` command, which refuses a wrong command line in one line."""

    def main(self, *arguments: Any, **options: Any) -> NoReturn:
        try:
            # Without `standalone_mode` typer raises its errors instead of printing them.
            options |= {"prog_name": "symphony", "standalone_mode": False}
            status = super().main(*arguments, **options)
        except typer.TyperException as error:
            exit_with(_line(error), error.exit_code)
        except typer.Abort:
            exit_with("Aborted.")
        sys.exit(status or 0)


def group_of_commands(help_text: str) -> typer.Typer:
    """Create a group of commands, which shows its help when no command is given."""
    commands = typer.Typer(help=help_text, invoke_without_command=True)
    commands.callback()(show_help)
    return commands


def show_help(context: typer.Context) -> None:
    """Show the help of a group when no command is given: nothing was asked for that failed."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


def exit_with(line: str, status: int = 1) -> NoReturn:
    """Print why a command failed, in one line on standard error, and exit."""
    typer.echo(f"symphony: {printable(line)}", err=True)
    raise SystemExit(status)


def is_invalid(parameter: str, value: str, allowed: str) -> str:
    """Describe an invalid value; `allowed` is a sentence, such as "Must be a UUID."."""
    return f"{parameter}: {value!r} is invalid; {as_clause(allowed)}"


def as_clause(sentence: str) -> str:
    """Return a sentence such as "Must be a UUID." to stand behind a colon or a semicolon."""
    return sentence[:1].lower() + sentence[1:]


def _line(error: typer.TyperException) -> str:
    parameter = error.param if isinstance(error, typer.BadParameter) else None
    if isinstance(parameter, TyperOption | TyperArgument):
        name = parameter.opts[0] if isinstance(parameter, TyperOption) else _metavar(parameter)
        allowed = _allowed(parameter)
        if not error.message:
            return f"{name} is missing" + (f"; it {allowed}." if allowed else ".") + _hint(error)
        values = _wrong_values(error)
        if allowed and values:
            return is_invalid(name, values[0], f"{allowed}.")
        return f"{name}: {error.message}"
    message = error.format_message()
    return message + ("" if message.endswith((".", "?")) else ".") + _hint(error)


def _metavar(argument: TyperArgument) -> str:
    return (argument.metavar or argument.name or "").upper()


def _hint(error: typer.TyperException) -> str:
    context: typer.Context | None = getattr(error, "ctx", None)
    return "" if context is None else f" See `{context.command_path} --help`."


def _allowed(parameter: TyperOption | TyperArgument) -> str:
    """Describe the allowed values; empty when every text is allowed."""
    choices: Iterable[str] | None = parameter.type_descriptor.choices
    if choices is not None:
        return "must be " + " or ".join(repr(str(each)) for each in choices)
    if parameter.min is not None and parameter.max is not None:
        return f"must be an integer from {parameter.min} to {parameter.max}"
    return ""


def _wrong_values(error: typer.TyperException) -> Sequence[str]:
    """Return the values that pydantic refused for a parameter."""
    cause: Any = error.__cause__
    return [str(each["input"]) for each in cause.errors()] if hasattr(cause, "errors") else []
