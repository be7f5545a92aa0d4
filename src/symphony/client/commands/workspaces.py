"""`symphony workspaces`: the workspaces of the user."""

from typing import TYPE_CHECKING, Annotated

import typer

from symphony.client.changes import create, delete, update
from symphony.client.command import (
    ClientCommand,
    ExistingWorkspace,
    Json,
    NewName,
    Yes,
    signed_in,
)
from symphony.console.usage import group_of_commands

if TYPE_CHECKING:
    from symphony.client.connection import Connection
    from symphony.client.documents import Document

group = group_of_commands("List, create, rename and delete workspaces.")


@group.command("list", cls=ClientCommand)
def list_workspaces(as_json: Json = False) -> None:  # noqa: FBT002 - a flag of the command line
    """List all workspaces by name."""
    from symphony.client.documents import text
    from symphony.client.output import Columns, print_json, print_table
    from symphony.client.resources import workspaces

    connection, profile = signed_in()
    with connection:
        found = workspaces(connection, profile)
    if as_json:
        print_json({"items": found})
        return
    columns = Columns(("NAME", "TYPE", "DESCRIPTION"))
    for each in found:
        columns.add(text(each, "name"), text(each, "workspace_type"), text(each, "description"))
    print_table(columns)


@group.command("create", cls=ClientCommand)
def create_workspace(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the new workspace.")],
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Create a workspace."""
    create("workspace", {"name": name}, as_json=as_json)


@group.command("rename", cls=ClientCommand)
def rename_workspace(
    workspace: ExistingWorkspace,
    name: NewName,
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Rename a workspace."""
    update(
        "workspace", workspace, {"name": name}, "The workspace is now called {}.", as_json=as_json
    )


@group.command("delete", cls=ClientCommand)
def delete_workspace(
    workspace: ExistingWorkspace,
    force: Annotated[  # noqa: FBT002
        bool, typer.Option("--force", help="Also delete the records of its repos, and its vaults.")
    ] = False,
    yes: Yes = False,  # noqa: FBT002
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Delete a workspace; directories on disk are not changed."""
    from symphony.client.documents import number, text
    from symphony.client.errors import ClientError
    from symphony.client.resources import get
    from symphony.console.tables import counted

    def question(connection: "Connection", found: "Document") -> str:
        stats = get(connection, f"/workspaces/{text(found, 'id')}/stats")
        counts = {noun: number(stats, f"{noun}_count") for noun in ("repo", "vault")}
        contents = " and ".join(counted(count, noun) for noun, count in counts.items() if count)
        name = text(found, "name")
        if contents and not force:
            raise ClientError(f"{name} has {contents}; --force deletes them as well.")
        subject = f"the workspace {name}" + (f" with {contents}" if contents else "")
        return f"Delete {subject}? This cannot be undone."

    delete(
        "workspace",
        workspace,
        question,
        "Deleted the workspace {}.",
        query={"force": "true"} if force else None,
        yes=yes,
        as_json=as_json,
    )
