"""Wrong options and arguments: one line each, in the words of this project.

This adapter is the only module that reads what typer knows about a parameter.
"""

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn, cast

import typer
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

from symphony.console.streams import printable

USAGE_ERROR = 2  # the exit status
_COMMANDS = "Commands"
_INDENTATION = 6  # columns, around the names of commands
_SHOWN = 200  # characters of a value


@dataclass(frozen=True, slots=True)
class Given:
    """An argument or option by its name on the command line, and its value; None for a secret."""

    name: str
    value: str | None = None

    def refused(self, allowed: str) -> str:
        """Describe why it is refused; `allowed` is a sentence, such as "Must be a UUID."."""
        if self.value is None:
            return f"{self.name}: {as_clause(allowed)}"
        return f"{self.name}: {quoted(self.value)} is invalid; {as_clause(allowed)}"


def quoted(value: str) -> str:
    """Return a value in quotation marks, for a message."""
    return repr(shortened(value))


def shortened(value: str) -> str:
    return value if len(value) <= _SHOWN else f"{value[:_SHOWN]}…"


class QuickGroup(TyperGroup):
    """A group of commands whose texts and flags are passed on as they are."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # pyright: ignore[reportIncompatibleMethodOverride]
        _pass_on(self.get_params(ctx))
        return super().parse_args(ctx, args)


class Commands(QuickGroup):
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

    def format_commands(self, ctx: typer.Context, formatter: Any) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Write the commands below the title of their panel, in the order of registration."""
        panels: dict[str, list[tuple[str, str]]] = {}
        width = formatter.width - _INDENTATION - max(map(len, self.commands))
        for name, command in self.commands.items():
            title = getattr(command, "rich_help_panel", None) or _COMMANDS
            panels.setdefault(title, []).append((name, command.get_short_help_str(width)))
        for title, rows in panels.items():
            with formatter.section(title):
                formatter.write_dl(rows)


class QuickCommand(TyperCommand):
    """A command whose texts and flags are passed on as they are."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # pyright: ignore[reportIncompatibleMethodOverride]
        _pass_on(self.get_params(ctx))
        return super().parse_args(ctx, args)


def _pass_on(parameters: Iterable[object]) -> None:
    """Let typer convert no text and no flag.

    It uses pydantic for that, whose import takes as long as all of the rest.
    """
    for parameter in parameters:
        if isinstance(parameter, TyperOption | TyperArgument):
            annotation: Any = parameter.type_descriptor.annotation
            if annotation in {str, list[str], bool}:
                parameter._runtime_param = _AsItIs()  # pyright: ignore[reportPrivateUsage, reportAttributeAccessIssue]  # noqa: SLF001


class _AsItIs:
    def coerce(self, value: Any, param: TyperOption | TyperArgument, ctx: typer.Context) -> Any:
        del ctx
        if param.multiple or param.nargs == -1:
            return list(value or ())
        return value


def group_of_commands(help_text: str) -> typer.Typer:
    """Create a group of commands, which shows its help when no command is given."""
    commands = typer.Typer(cls=QuickGroup, help=help_text, invoke_without_command=True)
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


def given_parameters(context: typer.Context) -> Mapping[str, Given]:
    """Return the arguments and options that have a value, by their names in code."""
    return {
        name: Given(shown, None if isinstance(value, bool) else ", ".join(_texts(value)))
        for name, shown, value in _values(context)
    }


def require_texts(context: typer.Context) -> None:
    """Refuse an argument or option that is empty, as a variable of a shell that is not set."""
    for _, shown, value in _values(context):
        if "" in _texts(value):
            exit_with(Given(shown, "").refused("Must not be empty."), USAGE_ERROR)


def _values(context: typer.Context) -> Iterator[tuple[str, str, object]]:
    """Yield the name in code, the name on the command line and the value of what was given."""
    for each in context.command.params:
        if isinstance(each, TyperOption | TyperArgument):
            value = context.params.get(each.name)
            if value is not None:
                yield each.name, _shown_name(each), value


def _texts(value: object) -> Sequence[str]:
    return [
        str(each) for each in (cast(list[object], value) if isinstance(value, list) else [value])
    ]


def as_clause(sentence: str) -> str:
    """Return a sentence such as "Must be a UUID." to stand behind a colon or a semicolon."""
    return sentence[:1].lower() + sentence[1:]


def _line(error: typer.TyperException) -> str:
    parameter = error.param if isinstance(error, typer.BadParameter) else None
    if isinstance(parameter, TyperOption | TyperArgument):
        name = _shown_name(parameter)
        allowed = _allowed(parameter)
        if not error.message:
            return f"{name} is missing" + (f"; it {allowed}." if allowed else ".") + _hint(error)
        values = _wrong_values(error)
        if allowed and values:
            return Given(name, values[0]).refused(f"{allowed}.")
        return f"{name}: {error.message}"
    message = error.format_message()
    return message + ("" if message.endswith((".", "?")) else ".") + _hint(error)


def _shown_name(parameter: TyperOption | TyperArgument) -> str:
    if isinstance(parameter, TyperOption):
        return parameter.opts[0]
    return (parameter.metavar or parameter.name or "").upper()


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
