"""`symphony --help` and the help of each command."""

from typer.main import get_command

from symphony.cli import app
from tests.cli.conftest import Symphony


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
    assert met == 41
    assert silent == []


def test_the_help_separates_the_commands_of_users_from_those_of_operators(
    symphony: Symphony,
) -> None:
    users, operators = symphony("--help").output.split("Commands of the server, for operators:\n")
    assert "Commands of the client, for users (first: symphony login):\n  login  " in users
    listed = [line.split()[0] for line in operators.splitlines() if line.startswith("  ")]
    assert listed == ["serve", "db", "user", "token", "vault"]
