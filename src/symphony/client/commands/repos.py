"""`symphony repos`: the records of repositories, in all workspaces."""

from typing import TYPE_CHECKING, Annotated

import typer

from symphony.client.changes import create, delete, update
from symphony.client.command import (
    ClientCommand,
    ExistingRepo,
    ExistingWorkspace,
    Json,
    NewName,
    Yes,
    signed_in,
    workspace_option,
)
from symphony.console.usage import group_of_commands

if TYPE_CHECKING:
    from symphony.client.connection import Connection
    from symphony.client.documents import Document

group = group_of_commands("List, create, rename, move and delete repos.")


@group.command("list", cls=ClientCommand)
def list_repos(
    workspace: Annotated[str | None, workspace_option("Only repos of this workspace.")] = None,
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
    workspace: Annotated[str, workspace_option("Name or id of its workspace.")],
    path: Annotated[
        str, typer.Option(metavar="PATH", help="Where it is: an absolute path, or ~/…")
    ],
    remote: Annotated[
        str | None, typer.Option(metavar="URL", help="Address of its remote.")
    ] = None,
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Create the record of a repository; `symphony import` finds repositories by itself."""
    fields = {"name": name, "path": path, "remote_url": remote}
    create("repo", fields, workspace=workspace, as_json=as_json)


@group.command("rename", cls=ClientCommand)
def rename_repo(
    repo: ExistingRepo,
    name: NewName,
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Rename the record of a repo; its directory keeps its name."""
    update("repo", repo, {"name": name}, "The repo is now called {}.", as_json=as_json)


@group.command("move", cls=ClientCommand)
def move_repo(
    repo: ExistingRepo,
    workspace: ExistingWorkspace,
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Move a repo to another workspace; its directory stays where it is."""
    update("repo", repo, {}, "Moved the repo {}.", workspace=workspace, as_json=as_json)


@group.command("delete", cls=ClientCommand)
def delete_repo(
    repo: ExistingRepo,
    yes: Yes = False,  # noqa: FBT002
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Delete the record of a repo; its directory is not changed."""
    from symphony.client.documents import text

    def question(_: "Connection", found: "Document") -> str:
        return f"Delete the record of {text(found, 'name')} ({text(found, 'path')})?"

    delete(
        "repo",
        repo,
        question,
        "Deleted the record of {}; its directory was not changed.",
        yes=yes,
        as_json=as_json,
    )
