"""`symphony board`: what needs attention, on all machines."""

import sys
from time import sleep
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from symphony.client.command import Json, signed_in, workspace_option
from symphony.console.usage import USAGE_ERROR, exit_with

if TYPE_CHECKING:
    from symphony.client.connection import Connection
    from symphony.client.credentials import Profile
    from symphony.client.documents import Document

WATCH_INTERVAL = 5.0  # seconds
_QUIET_WITHIN = 5.0  # seconds; a shell prompt waits for it
_HEADER = ("WORKSPACE", "NAME", "MACHINE", "BRANCH", "LEFT TO DO", "SINCE", "OBSERVED")
_CLEAR = "\x1b[H\x1b[2J"
_STYLES = {True: "red", None: "yellow", False: ""}


def board(
    workspace: Annotated[str | None, workspace_option("Only items of this workspace.")] = None,
    reason: Annotated[
        str | None,
        typer.Option(metavar="REASON", help="Only items with this reason, such as unpushed."),
    ] = None,
    at_risk: Annotated[  # noqa: FBT002 - a flag of the command line
        bool,
        typer.Option(
            "--at-risk", help="Only what exists in one checkout alone, or for which it is unknown."
        ),
    ] = False,
    as_json: Json = False,  # noqa: FBT002
    quiet: Annotated[  # noqa: FBT002
        bool,
        typer.Option(
            "--quiet",
            help="Print nothing; exit with status 3 when something is at risk or unknown. Inspects"
            " nothing, so that it is quick.",
        ),
    ] = False,
    watch: Annotated[  # noqa: FBT002
        bool, typer.Option("--watch", help="Show the board again every 5 seconds until Ctrl-C.")
    ] = False,
) -> None:
    """Show what is left to do on all machines, the most at risk first."""
    if watch and (as_json or quiet):
        exit_with("--watch cannot be combined with --json or --quiet.", USAGE_ERROR)
    from symphony.client.board_rows import is_at_risk
    from symphony.client.errors import AT_RISK
    from symphony.client.output import print_json

    connection, profile = signed_in(within=_QUIET_WITHIN if quiet else None)
    query = {"reason": reason} if reason is not None else {}
    if at_risk:
        query["at_risk"] = "true"
    if quiet:
        query["fresh"] = "false"
    with connection:
        if watch:
            _watch(connection, profile, workspace, query)
        shown = _ask(connection, profile, workspace, query)
    if quiet:
        raise typer.Exit(AT_RISK if is_at_risk(shown) else 0)
    if as_json:
        print_json(shown)
    else:
        _print(shown)


def _ask(
    connection: "Connection", profile: "Profile", workspace: str | None, query: dict[str, str]
) -> "Document":
    """Return the board, whose items also have the name of their workspace. Raises: ClientError."""
    from symphony.client.documents import children, text
    from symphony.client.output import progress
    from symphony.client.resources import find_workspace, get, workspaces

    with progress("Asking for the board"):
        if workspace is not None:
            found = find_workspace(connection, profile, workspace)
            query = {**query, "workspace_id": text(found, "id")}
            named = [found]
        else:
            named = workspaces(connection, profile)
        answer = get(connection, f"/user-profiles/{profile.user_profile_id}/attention", query)
    names = {text(each, "id"): text(each, "name") for each in named}
    items = [
        {**each, "workspace": names.get(text(each, "workspace_id"))}
        for each in children(answer, "items")
    ]
    return {**answer, "items": items}


def _watch(
    connection: "Connection", profile: "Profile", workspace: str | None, query: dict[str, str]
) -> NoReturn:
    """Show the board until a signal ends the command; a server that is away may come back."""
    from symphony.client.errors import Unreachable
    from symphony.client.output import print_note

    while True:
        try:
            shown = _ask(connection, profile, workspace, query)
        except Unreachable as error:
            print_note(f"symphony: {error}")
        else:
            if sys.stdout.isatty():
                typer.echo(_CLEAR, nl=False)
            _print(shown)
        sleep(WATCH_INTERVAL)


def _print(shown: "Document") -> None:
    from symphony.client.board_rows import board_rows
    from symphony.client.documents import number
    from symphony.client.output import (
        Cell,
        Columns,
        is_for_people,
        print_line,
        print_note,
        print_table,
    )
    from symphony.client.words import age, duration, exact
    from symphony.console.tables import counted, timestamp

    columns = Columns(_HEADER)
    since, observed = (duration, age) if is_for_people() else (exact, timestamp)
    for row in board_rows(shown):
        columns.add(
            row.workspace,
            Cell(row.name, _STYLES[row.at_risk]),
            row.machine,
            row.branch,
            row.left_to_do,
            since(row.unfinished_since),
            observed(row.observed_at),
        )
    unobserved = number(shown, "unobserved") or 0
    if columns.rows:
        print_table(columns)
    elif not unobserved:
        print_line("Nothing needs attention.")
    if unobserved:
        print_note(
            f"Nothing is known of {counted(unobserved, 'repo')}: no machine has reported a checkout"
            " (`symphony report`), and the server has not inspected one."
        )
