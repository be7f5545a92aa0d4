"""Creating, updating and deleting one resource with the stored login, and printing it."""

from collections.abc import Callable, Mapping
from typing import Literal
from urllib.parse import quote

from symphony.client.command import signed_in
from symphony.client.connection import Connection
from symphony.client.credentials import Profile
from symphony.client.documents import Document, text
from symphony.client.errors import ClientError
from symphony.client.output import print_json, print_line
from symphony.client.resources import (
    expected_object,
    find_machine,
    find_repo,
    find_workspace,
    workspaces_path,
)
from symphony.console.questions import is_confirmed
from symphony.console.streams import printable

Noun = Literal["machine", "repo", "workspace"]

_FIND: Mapping[Noun, Callable[[Connection, Profile, str], Document]] = {
    "machine": lambda connection, _, given: find_machine(connection, given),
    "repo": find_repo,
    "workspace": find_workspace,
}


def create(noun: Noun, fields: Document, *, workspace: str | None = None, as_json: bool) -> None:
    """Create a resource, a repo in a workspace that is given by its name. Raises: ClientError."""
    connection, profile = signed_in()
    with connection:
        if workspace is not None:
            found = find_workspace(connection, profile, workspace)
            path = f"/workspaces/{quote(text(found, 'id'))}/{noun}s"
        else:
            path = workspaces_path(profile) if noun == "workspace" else f"/{noun}s"
        created = expected_object(connection, connection.request("POST", path, json=fields))
    _print(created, f"Created the {noun} {{}}.", as_json=as_json)


def rename(noun: Noun, given: str, name: str, *, as_json: bool) -> None:
    """Raises: ClientError."""
    connection, profile = signed_in()
    with connection:
        renamed = _update(connection, noun, _FIND[noun](connection, profile, given), {"name": name})
    _print(renamed, f"The {noun} is now called {{}}.", as_json=as_json)


def move_repo(given: str, workspace: str, *, as_json: bool) -> None:
    """Move a repo to a workspace that is given by its name. Raises: ClientError."""
    connection, profile = signed_in()
    with connection:
        repo = find_repo(connection, profile, given)
        target = find_workspace(connection, profile, workspace)
        moved = _update(connection, "repo", repo, {"workspace_id": text(target, "id")})
    _print(moved, "Moved the repo {}.", as_json=as_json)


def delete(
    noun: Noun,
    given: str,
    *,
    question: Callable[[Connection, Document], str],
    done: str,
    query: Document | None = None,
    yes: bool,
    as_json: bool,
) -> None:
    """Delete a resource after a question, unless `yes`; in `done`, {} stands for its name.

    Raises: ClientError, also when it is not confirmed.
    """
    connection, profile = signed_in()
    with connection:
        found = _FIND[noun](connection, profile, given)
        asked = question(connection, found)
        if not yes and not is_confirmed(printable(asked)):
            raise ClientError("Nothing was deleted; confirm with y, or use --yes.")
        connection.request("DELETE", _path(noun, found), query=query)
    _print(found, done, as_json=as_json)


def _update(connection: Connection, noun: Noun, found: Document, patch: Document) -> Document:
    answer = connection.request("PATCH", _path(noun, found), json=patch)
    return expected_object(connection, answer)


def _path(noun: Noun, resource: Document) -> str:
    return f"/{noun}s/{quote(text(resource, 'id'))}"


def _print(resource: Document, sentence: str, *, as_json: bool) -> None:
    if as_json:
        print_json(resource)
    else:
        print_line(sentence.format(text(resource, "name")))
