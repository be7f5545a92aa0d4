"""`symphony --help` and the help of each command."""

from typer.main import get_command

from symphony.cli import app


def test_every_command_argument_and_option_has_a_help_text() -> None:
    silent: list[str] = []
    left, met = [("symphony", get_command(app))], 0
    while left:
        name, command = left.pop()
        met += 1
        left += [(f"{name} {each}", sub) for each, sub in getattr(command, "commands", {}).items()]
        silent += [] if command.help else [name]
        silent += [
            f"{name} {parameter.name}"
            for parameter in command.params
            if not getattr(parameter, "help", None)
        ]
    assert met == 16
    assert silent == []
