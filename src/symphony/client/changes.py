"""Creating, updating and deleting one resource with the stored login, and printing it."""

from typing import TYPE_CHECKING, Literal

from symphony.client.command import signed_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from symphony.client.connection import Connection
    from symphony.client.credentials import Profile
    from symphony.client.documents import Document

Noun = Literal["machine", "repo", "workspace"]


def create(noun: Noun, fields: "Document", *, workspace: str | None = None, as_json: bool) -> None:
    """Create a resource, a repo in a workspace that is given by its name. Raises: ClientError."""
    from symphony.client.resources import expected_object, workspaces_path

    connection, profile = signed_in()
    with connection:
        path = workspaces_path(profile) if noun == "workspace" else f"/{noun}s"
        if workspace is not None:
            path = _path("workspace", _found("workspace", workspace, connection, profile)) + path
        created = expected_object(connection, connection.request("POST", path, json=fields))
    _print(created, f"Created the {noun} {{}}.", as_json=as_json)


def update(
    noun: Noun,
    given: str,
    patch: "Document",
    done: str,
    *,
    workspace: str | None = None,
    as_json: bool,
) -> None:
    """Update a resource, and the workspace that contains it if one is given by its name; in `done`,
    {} stands for its name. Raises: ClientError."""
    from symphony.client.documents import text
    from symphony.client.resources import expected_object

    connection, profile = signed_in()
    with connection:
        path = _path(noun, _found(noun, given, connection, profile))
        if workspace is not None:
            found = _found("workspace", workspace, connection, profile)
            patch = {**patch, "workspace_id": text(found, "id")}
        updated = expected_object(connection, connection.request("PATCH", path, json=patch))
    _print(updated, done, as_json=as_json)


def delete(
    noun: Noun,
    given: str,
    question: "Callable[[Connection, Document], str]",
    done: str,
    *,
    query: "Document | None" = None,
    yes: bool,
    as_json: bool,
) -> None:
    """Delete a resource after a question, unless `yes`; in `done`, {} stands for its name.

    Raises: ClientError, also when it is not confirmed.
    """
    from symphony.client.errors import ClientError
    from symphony.console.questions import is_confirmed
    from symphony.console.streams import printable

    connection, profile = signed_in()
    with connection:
        found = _found(noun, given, connection, profile)
        asked = question(connection, found)
        if not yes and not is_confirmed(printable(asked)):
            raise ClientError("Nothing was deleted; confirm with y, or use --yes.")
        connection.request("DELETE", _path(noun, found), query=query)
    _print(found, done, as_json=as_json)


def _found(noun: Noun, given: str, connection: "Connection", profile: "Profile") -> "Document":
    from symphony.client.resources import find_machine, find_repo, find_workspace

    if noun == "machine":
        return find_machine(connection, given)
    find = find_repo if noun == "repo" else find_workspace
    return find(connection, profile, given)


def _path(noun: Noun, resource: "Document") -> str:
    from urllib.parse import quote

    from symphony.client.documents import text

    return f"/{noun}s/{quote(text(resource, 'id'))}"


def _print(resource: "Document", sentence: str, *, as_json: bool) -> None:
    from symphony.client.documents import text
    from symphony.client.output import print_json, print_line

    if as_json:
        print_json(resource)
    else:
        print_line(sentence.format(text(resource, "name")))
