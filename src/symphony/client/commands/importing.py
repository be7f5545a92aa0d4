"""`symphony import`: registers the repositories in a directory."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from symphony.client.command import Json, signed_in, workspace_option
from symphony.console.usage import USAGE_ERROR, exit_with

if TYPE_CHECKING:
    from collections.abc import Sequence

    from symphony.client.connection import Connection
    from symphony.client.credentials import Profile
    from symphony.client.documents import Document
    from symphony.client.importing import Choice, Imported
    from symphony.domain.discovery import FoundRepository


def import_repositories(
    directory: Annotated[
        str, typer.Argument(metavar="DIR", help="Directory in which to search, 4 levels deep.")
    ],
    register_all: Annotated[  # noqa: FBT002 - a flag of the command line
        bool, typer.Option("--all", help="Register all that are new, without asking.")
    ] = False,
    workspace: Annotated[
        str | None,
        workspace_option(
            "Workspace to register them in. Without it: the only one; if there is none, one with"
            " the name of the directory is created."
        ),
    ] = None,
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Find the git repositories in a directory of this machine, and register those that are new.

    Repositories whose path or remote has a repo already, in any workspace, are left out.
    """
    if not register_all and not sys.stdin.isatty():
        exit_with("--all is missing: there is no terminal to choose at.", USAGE_ERROR)
    from symphony.client.importing import choose_new, named, register
    from symphony.client.local_repositories import repositories_below
    from symphony.client.output import print_note, progress
    from symphony.client.resources import find_workspace, list_all, repos

    connection, profile = signed_in()
    with connection:
        target = None if workspace is None else find_workspace(connection, profile, workspace)
        with progress(f"Searching {directory}"):
            found, is_truncated = repositories_below(directory)
        with progress("Listing the repos that are registered"):
            choice = choose_new(found, repos(connection, profile))
        if is_truncated:
            print_note(f"The search of {directory} ended at a limit; import its parts one by one.")
        if not register_all and choice.new:
            choice.new = _chosen(choice.new)
        if not choice.new:
            _print(None, None, choice, is_truncated=is_truncated, as_json=as_json)
            return
        target = target or _only_workspace(connection, profile, directory)
        path = f"/workspaces/{target['id']}/repos"
        items = named(choice.new, list_all(connection, path))
        choice.skipped += [(each.path, each.reason or "") for each in items if each.name is None]
        with progress("Registering repos"):
            result = register(connection, target, [each for each in items if each.name])
    _print(target, result, choice, is_truncated=is_truncated, as_json=as_json)
    if result.failure is not None:
        raise result.failure


def _only_workspace(connection: "Connection", profile: "Profile", directory: str) -> "Document":
    """Return the workspace of a user who has one; create the first one. Raises: ClientError."""
    from symphony.client.documents import text
    from symphony.client.errors import ClientError
    from symphony.client.output import one_of, print_note
    from symphony.client.resources import (
        expected_object,
        workspaces,
        workspaces_path,
    )

    existing = workspaces(connection, profile)
    if len(existing) > 1:
        names = one_of(text(each, "name") for each in existing)
        raise ClientError(f"There are several workspaces; say which with --workspace: {names}.")
    if existing:
        return existing[0]
    name = Path(directory).expanduser().resolve().name or "repos"
    answer = connection.request("POST", workspaces_path(profile), json={"name": name})
    print_note(f"Created the workspace {name}.")
    return expected_object(connection, answer)


def _chosen(new: "Sequence[FoundRepository]") -> "list[FoundRepository]":
    """Let the person at the terminal choose. Raises: ClientError."""
    from symphony.client.numbers import chosen_numbers
    from symphony.client.output import print_note
    from symphony.client.signing_in import ask

    for number, each in enumerate(new, 1):
        print_note(
            f"{number:>4}  {each.path}" + (f"  {each.remote_url}" if each.remote_url else "")
        )
    while True:
        answer = ask("Register which (all, none, or numbers such as 1 3-5)", default="all")
        numbers = chosen_numbers(answer, len(new))
        if numbers is not None:
            return [each for number, each in enumerate(new, 1) if number in numbers]
        print_note(f"Numbers from 1 to {len(new)}, all or none.")


def _print(
    workspace: "Document | None",
    result: "Imported | None",
    choice: "Choice",
    *,
    is_truncated: bool,
    as_json: bool,
) -> None:
    from symphony.client.documents import text
    from symphony.client.output import print_json, print_line
    from symphony.console.tables import counted

    registered = [] if result is None else result.repos
    if as_json:
        skipped = [{"path": path, "reason": reason} for path, reason in choice.skipped]
        print_json(
            {
                "workspace": workspace,
                "registered": registered,
                "skipped": skipped,
                "truncated": is_truncated,
            }
        )
        return
    place = "" if workspace is None else f" in the workspace {text(workspace, 'name')}"
    print_line(f"Registered {counted(len(registered), 'repo')}{place}.")
    if result is not None and result.left:
        print_line(f"Not registered: {result.left}.")
    if choice.registered:
        print_line(f"Registered before: {choice.registered}.")
    others = len(choice.skipped) - choice.registered
    if others:
        print_line(f"Left out: {others} (worktrees, submodules and paths that are not text).")
