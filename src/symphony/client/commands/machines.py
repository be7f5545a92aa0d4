"""`symphony machines`: the computers of the user, and tokens with which they report."""

from typing import TYPE_CHECKING, Annotated

import typer

from symphony.client.changes import create, delete, update
from symphony.client.command import (
    ClientCommand,
    ExistingMachine,
    Json,
    NewName,
    Yes,
    signed_in,
)
from symphony.console.passwords import STDIN_OPTION, password_from_stdin
from symphony.console.streams import StreamFailed
from symphony.console.usage import group_of_commands

if TYPE_CHECKING:
    from symphony.client.connection import Connection
    from symphony.client.credentials import Profile
    from symphony.client.documents import Document

group = group_of_commands("List, create, rename and delete machines; create their tokens.")

_MAX_DAYS = 36_500


@group.command("list", cls=ClientCommand)
def list_machines(as_json: Json = False) -> None:  # noqa: FBT002 - a flag of the command line
    """List all machines by name."""
    from symphony.client.documents import moment, number, text
    from symphony.client.output import Columns, is_for_people, print_json, print_table
    from symphony.client.resources import machines
    from symphony.client.words import age
    from symphony.console.tables import timestamp

    connection, _ = signed_in()
    with connection:
        found = machines(connection)
    if as_json:
        print_json({"items": found})
        return
    columns = Columns(("NAME", "CHECKOUTS", "LAST REPORT"))
    for each in found:
        reported = moment(each, "last_report_at")
        when = age(reported) or "never" if is_for_people() else timestamp(reported)
        columns.add(text(each, "name"), str(number(each, "checkout_count") or 0), when)
    print_table(columns)


@group.command("create", cls=ClientCommand)
def create_machine(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the new machine.")],
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Create a machine; `symphony report` creates that on which it runs by itself."""
    create("machine", {"name": name}, as_json=as_json)


@group.command("rename", cls=ClientCommand)
def rename_machine(
    machine: ExistingMachine,
    name: NewName,
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Rename a machine, which keeps its checkouts and its tokens."""
    update("machine", machine, {"name": name}, "The machine is now called {}.", as_json=as_json)


@group.command("delete", cls=ClientCommand)
def delete_machine(
    machine: ExistingMachine,
    yes: Yes = False,  # noqa: FBT002
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Delete a machine that is lost or gone, with what it has reported, and revoke its tokens."""
    from symphony.client.documents import number, text
    from symphony.console.tables import counted

    def question(_: "Connection", found: "Document") -> str:
        count = number(found, "checkout_count") or 0
        contents = f" with {counted(count, 'checkout')}" if count else ""
        return (
            f"Delete the machine {text(found, 'name')}{contents}? What it has reported disappears"
            " from the board, and the tokens that report for it are revoked. This cannot be undone."
        )

    delete(
        "machine",
        machine,
        question,
        "Deleted the machine {}; its report tokens were revoked.",
        yes=yes,
        as_json=as_json,
    )


@group.command("token", cls=ClientCommand)
def create_machine_token(
    machine: ExistingMachine,
    name: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Name of the token. Default: that of the machine."),
    ] = None,
    expires_in_days: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=_MAX_DAYS,
            metavar="DAYS",
            help="Lifetime in days; without it, the token does not expire.",
        ),
    ] = None,
    password_stdin: Annotated[  # noqa: FBT002
        bool, typer.Option(STDIN_OPTION, help="Read your password from standard input.")
    ] = False,
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Create an API token that can report for one machine and nothing else, and print it.

    It is not shown again. The command asks for your password: the token of a login cannot give a
    right that it lacks, and the new one stays valid after `symphony logout`.
    """
    from datetime import UTC, datetime, timedelta

    from symphony.client.documents import text
    from symphony.client.resources import find_machine
    from symphony.client.signing_in import create_api_token

    connection, profile = signed_in()
    with connection:
        found = find_machine(connection, machine)
        fields = {
            "name": name if name is not None else text(found, "name"),
            "scopes": ["report"],
            "machine_id": text(found, "id"),
        }
        if expires_in_days is not None:
            expires_at = datetime.now(UTC) + timedelta(days=expires_in_days)
            fields["expires_at"] = expires_at.isoformat(timespec="seconds")
        with _with_password(profile, from_stdin=password_stdin) as creating:
            created = create_api_token(creating, fields)
            try:
                _print_token(created, found, profile, as_json=as_json)
            except StreamFailed as error:  # nobody has seen it, and it cannot be shown again
                _revoke(creating, created)
                raise StreamFailed(f"{error} The token was revoked.") from None


def _with_password(profile: "Profile", *, from_stdin: bool) -> "Connection":
    """Sign in with the password of the login's user. Raises: ClientError, StreamFailed."""
    from symphony.client.connection import Connection
    from symphony.client.signing_in import access_token, ask, warn_without_encryption

    warn_without_encryption(profile.url, asks=not from_stdin)
    remedy = f"use {STDIN_OPTION}"
    username = profile.username or ask("User name", remedy=remedy)
    if from_stdin:
        password = password_from_stdin()
    else:
        password = ask(f"Password of {username}", is_hidden=True, remedy=remedy)
    return Connection(profile.url, access_token(profile.url, username, password))


def _print_token(
    created: "Document", machine: "Document", profile: "Profile", *, as_json: bool
) -> None:
    """Raises: StreamFailed."""
    from symphony.client.connection import is_loopback
    from symphony.client.documents import text
    from symphony.client.output import print_json, print_line, print_note

    if as_json:
        print_json(created)
        return
    print_line(text(created, "token"))
    address = "URL" if is_loopback(profile.url) else profile.url
    print_note(f"The token is not shown again. On {text(machine, 'name')}:")
    print_note(f"  symphony login {address} --token -    (reads the token)")
    print_note("  symphony report --root DIRECTORY")


def _revoke(connection: "Connection", created: "Document") -> None:
    from contextlib import suppress

    from symphony.client.documents import text
    from symphony.client.errors import ClientError

    with suppress(ClientError):
        connection.request("DELETE", f"/api-tokens/{text(created, 'id')}")
