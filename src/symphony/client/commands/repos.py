"""`symphony repos`: the records of repositories, in all workspaces."""

from typing import TYPE_CHECKING, Annotated

import typer

from symphony.client.command import ClientCommand, Json, Yes, signed_in
from symphony.client.commands.completion import complete_repo, complete_workspace
from symphony.console.usage import group_of_commands

if TYPE_CHECKING:
    from symphony.client.documents import Document

group = group_of_commands("List, create, rename, move and delete repos.")

Existing = Annotated[
    str,
    typer.Argument(
        metavar="REPO",
        help="Name of the repo, WORKSPACE/NAME, or its id.",
        autocompletion=complete_repo,
    ),
]


@group.command("list", cls=ClientCommand)
def list_repos(
    workspace: Annotated[
        str | None,
        typer.Option(
            metavar="WORKSPACE",
            help="Only repos of this workspace.",
            autocompletion=complete_workspace,
        ),
    ] = None,
    as_json: Json = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """List the repos of all workspaces by name."""
    from symphony.client.documents import text
    from symphony.client.output import Columns, print_json, print_table, progress
    from symphony.client.resources import find_workspace, repos, workspaces

    connection, profile = signed_in()
    with connection, progress("Listing repos"):
        named = (
            workspaces(connection, profile)
            if workspace is None
            else [find_workspace(connection, profile, workspace)]
        )
        query = {} if workspace is None else {"workspace_id": text(named[0], "id")}
        names = {text(each, "id"): text(each, "name") for each in named}
        items = [
            {**each, "workspace": names.get(text(each, "workspace_id"))}
            for each in repos(connection, profile, query)
        ]
    if as_json:
        print_json({"items": items})
        return
    columns = Columns(("WORKSPACE", "NAME", "REMOTE", "PATH"))
    for each in items:
        columns.add(*(text(each, name) for name in ("workspace", "name", "remote_url", "path")))
    print_table(columns)


@group.command("create", cls=ClientCommand)
def create_repo(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the new repo.")],
    workspace: Annotated[
        str,
        typer.Option(
            metavar="WORKSPACE",
            help="Name or id of its workspace.",
            autocompletion=complete_workspace,
        ),
    ],
    path: Annotated[
        str, typer.Option(metavar="PATH", help="Where it is: an absolute path, or ~/…")
    ],
    remote: Annotated[
        str | None, typer.Option(metavar="URL", help="Address of its remote.")
    ] = None,
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Create the record of a repository; `symphony import` finds repositories by itself."""
    from symphony.client.documents import text
    from symphony.client.resources import expected_object, find_workspace

    connection, profile = signed_in()
    with connection:
        found = find_workspace(connection, profile, workspace)
        body = {"name": name, "path": path, "remote_url": remote}
        answer = connection.request("POST", f"/workspaces/{text(found, 'id')}/repos", json=body)
        created = expected_object(connection, answer)
    _print(created, "Created the repo {}.", as_json=as_json)


@group.command("rename", cls=ClientCommand)
def rename_repo(
    repo: Existing,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The new name.")],
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Rename the record of a repo; its directory keeps its name."""
    _print(_updated(repo, {"name": name}), "The repo is now called {}.", as_json=as_json)


@group.command("move", cls=ClientCommand)
def move_repo(
    repo: Existing,
    workspace: Annotated[
        str,
        typer.Argument(
            metavar="WORKSPACE",
            help="Name or id of the workspace to move it to.",
            autocompletion=complete_workspace,
        ),
    ],
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Move a repo to another workspace; its directory stays where it is."""
    moved = _updated(repo, {}, workspace)
    _print(moved, "Moved the repo {}.", as_json=as_json)


@group.command("delete", cls=ClientCommand)
def delete_repo(
    repo: Existing,
    yes: Yes = False,  # noqa: FBT002
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Delete the record of a repo; its directory is not changed."""
    from symphony.client.confirming import require_confirmation
    from symphony.client.documents import text
    from symphony.client.resources import find_repo

    connection, profile = signed_in()
    with connection:
        found = find_repo(connection, profile, repo)
        name, path = text(found, "name"), text(found, "path")
        require_confirmation(f"Delete the record of {name} ({path})?", yes=yes)
        connection.request("DELETE", f"/repos/{text(found, 'id')}")
    _print(found, "Deleted the record of {}; its directory was not changed.", as_json=as_json)


def _updated(repo: str, patch: "Document", workspace: str | None = None) -> "Document":
    """Update a repo, whose workspace may be given by name. Raises: ClientError."""
    from symphony.client.documents import text
    from symphony.client.resources import expected_object, find_repo, find_workspace

    connection, profile = signed_in()
    with connection:
        found = find_repo(connection, profile, repo)
        if workspace is not None:
            target = find_workspace(connection, profile, workspace)
            patch = {**patch, "workspace_id": text(target, "id")}
        answer = connection.request("PATCH", f"/repos/{text(found, 'id')}", json=patch)
        return expected_object(connection, answer)


def _print(repo: "Document", sentence: str, *, as_json: bool) -> None:
    from symphony.client.documents import text
    from symphony.client.output import print_json, print_line

    if as_json:
        print_json(repo)
    else:
        print_line(sentence.format(text(repo, "name")))
