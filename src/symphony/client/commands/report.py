"""`symphony report`: tells the server what the git repositories of this machine contain."""

from pathlib import Path
from typing import Annotated

import typer

from symphony.client.commands.completion import complete_machine
from symphony.console.usage import USAGE_ERROR, exit_with
from symphony.imports import without_collection

_MAX_MINUTES = 24 * 60


def report(
    root: Annotated[
        list[str],
        typer.Option(
            "--root",
            metavar="DIRECTORY",
            help="Report the git repositories in and below this directory (repeatable).",
        ),
    ],
    machine: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="The name of this machine; created if needed. Default: the name of the host, or"
            " the one that the machine of this host was given since.",
            autocompletion=complete_machine,
        ),
    ] = None,
    token: Annotated[
        str | None,
        typer.Option(
            metavar="TOKEN",
            help="An API token, also one of scope report; - reads it from standard input."
            " Default: that of the login.",
        ),
    ] = None,
    url: Annotated[
        str | None, typer.Option(metavar="URL", help="The address of the server, with --token.")
    ] = None,
    every: Annotated[
        int | None,
        typer.Option(
            metavar="MINUTES", min=1, max=_MAX_MINUTES, help="Report again and again, so often."
        ),
    ] = None,
    dry_run: Annotated[  # noqa: FBT002 - a flag of the command line
        bool, typer.Option("--dry-run", help="Print what would be sent, and send nothing.")
    ] = False,
    fetch_state: Annotated[  # noqa: FBT002 - a flag of the command line
        bool,
        typer.Option(
            "--fetch-state",
            help="Ask each remote which branches it has, with your credentials, without a prompt.",
        ),
    ] = False,
    as_json: Annotated[  # noqa: FBT002 - a flag of the command line
        bool, typer.Option("--json", help="Print each result as a line of JSON.")
    ] = False,
) -> None:
    """Report the git repositories of this machine to the server."""
    if dry_run and every is not None:
        exit_with("--dry-run and --every exclude each other.", USAGE_ERROR)
    if url is not None and token is None:
        exit_with("--url needs --token: the login is used with its own server only.", USAGE_ERROR)
    with without_collection():
        from symphony.client.reporting.execution import Options, execute
        from symphony.client.reporting.stopping import Interrupted
    options = Options(
        roots=[Path(each) for each in root],
        machine=machine,
        token=token,
        url=url,
        minutes=every,
        is_dry_run=dry_run,
        fetch_state=fetch_state,
        as_json=as_json,
    )
    try:
        execute(options)
    except Interrupted as interrupted:
        raise SystemExit(interrupted.status) from None
