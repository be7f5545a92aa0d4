"""`symphony workspaces`: the workspaces of the user."""

from typing import TYPE_CHECKING, Annotated

import typer

from symphony.client.command import ClientCommand, Json, Yes, signed_in
from symphony.client.commands.completion import complete_workspace
from symphony.console.usage import group_of_commands

if TYPE_CHECKING:
    from symphony.client.documents import Document

group = group_of_commands("List, create, rename and delete workspaces.")

Name = Annotated[str, typer.Argument(metavar="NAME", help="Name of the new workspace.")]
Existing = Annotated[
    str,
    typer.Argument(
        metavar="WORKSPACE",
        help="Name or id of the workspace.",
        autocompletion=complete_workspace,
    ),
]


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
    name: Name,
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Create a workspace."""
    from symphony.client.resources import expected_object

    connection, profile = signed_in()
    with connection:
        path = f"/user-profiles/{profile.user_profile_id}/workspaces"
        answer = connection.request("POST", path, json={"name": name})
        created = expected_object(connection, answer)
    _print(created, "Created the workspace {}.", as_json=as_json)


@group.command("rename", cls=ClientCommand)
def rename_workspace(
    workspace: Existing,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The new name.")],
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Rename a workspace."""
    from symphony.client.documents import text
    from symphony.client.resources import expected_object, find_workspace

    connection, profile = signed_in()
    with connection:
        found = find_workspace(connection, profile, workspace)
        path = f"/workspaces/{text(found, 'id')}"
        answer = connection.request("PATCH", path, json={"name": name})
        renamed = expected_object(connection, answer)
    _print(renamed, "The workspace is now called {}.", as_json=as_json)


@group.command("delete", cls=ClientCommand)
def delete_workspace(
    workspace: Existing,
    force: Annotated[  # noqa: FBT002
        bool, typer.Option("--force", help="Also delete the records of its repos, and its vaults.")
    ] = False,
    yes: Yes = False,  # noqa: FBT002
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Delete a workspace; directories on disk are not changed."""
    from symphony.client.confirming import require_confirmation
    from symphony.client.documents import number, text
    from symphony.client.errors import ClientError
    from symphony.client.resources import find_workspace, get
    from symphony.console.tables import counted

    connection, profile = signed_in()
    with connection:
        found = find_workspace(connection, profile, workspace)
        path, name = f"/workspaces/{text(found, 'id')}", text(found, "name")
        stats = get(connection, f"{path}/stats")
        contents = [
            counted(count, noun)
            for noun in ("repo", "vault")
            if (count := number(stats, f"{noun}_count"))
        ]
        subject = f"the workspace {name}" + (f" with {' and '.join(contents)}" if contents else "")
        if contents and not force:
            raise ClientError(f"{name} has {' and '.join(contents)}; --force deletes them as well.")
        require_confirmation(f"Delete {subject}? This cannot be undone.", yes=yes)
        connection.request("DELETE", path, query={"force": "true"} if force else None)
    _print(found, "Deleted the workspace {}.", as_json=as_json)


def _print(workspace: "Document", sentence: str, *, as_json: bool) -> None:
    from symphony.client.documents import text
    from symphony.client.output import print_json, print_line

    if as_json:
        print_json(workspace)
    else:
        print_line(sentence.format(text(workspace, "name")))
