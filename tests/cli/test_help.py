"""What `--help` tells."""

from typer.main import get_command

from symphony.cli import app


def test_everything_that_a_command_takes_says_what_it_is_for() -> None:
    silent: list[str] = []
    left, met = [("symphony", get_command(app))], 0
    while left:
        name, command = left.pop()
        met += 1
        left += [(f"{name} {each}", sub) for each, sub in getattr(command, "commands", {}).items()]
        silent += [
            f"{name} {parameter.name}"
            for parameter in command.params
            if not getattr(parameter, "help", None)
        ]
    assert met == 11
    assert silent == []
