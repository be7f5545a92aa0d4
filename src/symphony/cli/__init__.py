"""The `symphony` command.

The modules of this package import at their top only what `symphony --help` needs. Everything that
is large (the server, the database, the settings) is imported in the functions that use it.
"""

from typing import Annotated

import typer

from symphony.cli import database, serve, tokens, users, vaults
from symphony.client.command import PANEL, ClientCommand
from symphony.client.commands import (
    board,
    importing,
    login,
    machines,
    report,
    repos,
    status,
    workspaces,
)
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
        from importlib.metadata import version

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


_SERVER = "Commands of the server, for operators"

for name, command in (
    ("login", login.login),
    ("logout", login.logout),
    ("whoami", login.whoami),
    ("board", board.board),
    ("status", status.status),
    ("import", importing.import_repositories),
    ("path", status.path),
    ("report", report.report),
):
    app.command(name, cls=ClientCommand, rich_help_panel=PANEL)(command)
app.add_typer(workspaces.group, name="workspaces", rich_help_panel=PANEL)
app.add_typer(repos.group, name="repos", rich_help_panel=PANEL)
app.add_typer(machines.group, name="machines", rich_help_panel=PANEL)

app.command(rich_help_panel=_SERVER)(serve.serve)
app.add_typer(database.group, name="db", rich_help_panel=_SERVER)
app.add_typer(users.group, name="user", rich_help_panel=_SERVER)
app.add_typer(tokens.group, name="token", rich_help_panel=_SERVER)
app.add_typer(vaults.group, name="vault", rich_help_panel=_SERVER)
