"""The `symphony` command.

The modules of this package import at their top only what `symphony --help` needs. Everything that
is large (the server, the database, the settings) is imported in the functions that use it.
"""

from importlib.metadata import version
from typing import Annotated

import typer

from symphony.cli import database, serve, tokens, users, vaults
from symphony.client.reporting.command import report
from symphony.console.usage import Commands, show_help

app = typer.Typer(
    cls=Commands,
    help="Workspaces, git repositories and encrypted vaults behind a REST API.",
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode=None,
    pretty_exceptions_enable=False,  # they show the values of variables, which can be secrets
)


def _show_version(wanted: bool) -> None:  # noqa: FBT001 - called by typer
    if wanted:
        typer.echo(f"symphony {version('symphony')}")
        raise typer.Exit


@app.callback()
def _symphony(
    context: typer.Context,
    _version: Annotated[  # noqa: FBT002 - a flag of the command line
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    show_help(context)


app.command()(serve.serve)
app.command()(report)
app.add_typer(database.group, name="db")
app.add_typer(users.group, name="user")
app.add_typer(tokens.group, name="token")
app.add_typer(vaults.group, name="vault")
