"""The workspaces, repos and machines of the user, found by the names that people use."""

import re
from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import quote

from symphony.client.connection import Connection
from symphony.client.credentials import Profile
from symphony.client.documents import Document, as_object, children, text
from symphony.client.errors import ClientError, ServerProblem, UnexpectedAnswer
from symphony.console.usage import quoted
from symphony.domain.fields import comparison_key

_PAGE = 200  # items of one request
_MAX_PAGES = 500
_ID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_SHOWN = 5  # candidates in a message


def get(connection: Connection, path: str, query: Mapping[str, str] | None = None) -> Document:
    """Return the object at a path. Raises: ClientError."""
    return expected_object(connection, connection.request("GET", path, query=query))


def expected_object(connection: Connection, answer: object) -> Document:
    """Return an answer that must be an object. Raises: UnexpectedAnswer."""
    found = as_object(answer)
    if found is None:
        raise UnexpectedAnswer(
            f"The answer of {connection.url} is not one of Symphony: it is not an object."
        )
    return found


def list_all(
    connection: Connection, path: str, query: Mapping[str, str] | None = None
) -> Iterator[Document]:
    """Yield the items of a list, page by page. Raises: ClientError."""
    asked = {"limit": str(_PAGE), **(query or {})}
    for _ in range(_MAX_PAGES):
        page = get(connection, path, asked)
        yield from children(page, "items")
        cursor = text(page, "next_cursor")
        if not cursor:
            return
        asked["cursor"] = cursor


def workspaces_path(profile: Profile) -> str:
    """Return the path of the workspaces of a user."""
    return f"/user-profiles/{quote(profile.user_profile_id)}/workspaces"


def workspaces(connection: Connection, profile: Profile) -> Sequence[Document]:
    """Return all workspaces in the order of their names. Raises: ClientError."""
    return list(list_all(connection, workspaces_path(profile), {"sort": "name"}))


def repos(
    connection: Connection, profile: Profile, query: Mapping[str, str] | None = None
) -> Iterator[Document]:
    """Yield repos of all workspaces in the order of their names. Raises: ClientError."""
    path = f"/user-profiles/{quote(profile.user_profile_id)}/repos"
    return list_all(connection, path, {"sort": "name", **(query or {})})


def find_workspace(connection: Connection, profile: Profile, given: str) -> Document:
    """Return the workspace with a name or an id. Raises: ClientError."""
    found = _named(workspaces(connection, profile), given)
    if not found:
        raise ClientError(
            f"No workspace is called {quoted(given)}. `symphony workspaces list` shows all of them."
        )
    return found[0]


def machines(connection: Connection) -> Sequence[Document]:
    """Return all machines in the order of their names. Raises: ClientError."""
    try:
        return list(list_all(connection, "/machines", {"sort": "name"}))
    except ServerProblem as problem:
        if is_unknown_route(problem):
            raise ClientError(
                f"The server at {connection.url} is of a version that has no machines."
            ) from None
        raise


def find_machine(connection: Connection, given: str) -> Document:
    """Return the machine with a name or an id. Raises: ClientError."""
    found = _named(machines(connection), given)
    if not found:
        raise ClientError(
            f"No machine is called {quoted(given)}. `symphony machines list` shows all of them."
        )
    return found[0]


def find_repo(connection: Connection, profile: Profile, given: str) -> Document:
    """Return the repo with a name, `WORKSPACE/NAME` or an id.

    Raises: ClientError, also when several repos have the name.
    """
    if _ID.fullmatch(given) and (repo := _repo_with_id(connection, given)) is not None:
        return repo
    workspace_name, _, name = given.rpartition("/")  # a repo's name contains no slash
    query = {"q": name.strip()} if name.strip() else {}
    if workspace_name:
        query["workspace_id"] = text(find_workspace(connection, profile, workspace_name), "id")
    found = _named(repos(connection, profile, query), name)
    if not found:
        raise ClientError(
            f"No repo is called {quoted(given)}. `symphony repos list` shows all of them."
        )
    if len(found) > 1:
        names = {text(each, "id"): text(each, "name") for each in workspaces(connection, profile)}
        candidates = [
            f"{names.get(text(each, 'workspace_id'), '')}/{text(each, 'name')}" for each in found
        ]
        raise ClientError(
            f"{len(found)} repos are called {quoted(given)}; say which: {_enumerated(candidates)}."
        )
    return found[0]


def is_unknown_route(problem: ServerProblem) -> bool:
    """Whether the server is of a version that has no such operation."""
    return problem.code in {"route-not-found", "method-not-allowed"}


def _repo_with_id(connection: Connection, repo_id: str) -> Document | None:
    try:
        return get(connection, f"/repos/{quote(repo_id)}")
    except ServerProblem as problem:
        if problem.http_status != 404:
            raise
        return None


def _named(items: Iterator[Document] | Sequence[Document], given: str) -> Sequence[Document]:
    key = comparison_key(given.strip())
    return [
        each
        for each in items
        if comparison_key(text(each, "name")) == key or text(each, "id").lower() == key
    ]


def _enumerated(names: Sequence[str]) -> str:
    shown = ", ".join(map(repr, names[:_SHOWN]))
    return shown + (", …" if len(names) > _SHOWN else "")
