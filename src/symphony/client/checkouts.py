"""The checkouts of a repo on all machines, and the repos of a directory on this one."""

import os
from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import quote

from symphony.client.connection import Connection
from symphony.client.credentials import Profile
from symphony.client.documents import Document, child, children, number, text, texts
from symphony.client.errors import ServerProblem
from symphony.client.local_repositories import LocalRepository, of_same_repository
from symphony.client.paths import expanded
from symphony.client.resources import get, is_unknown_route, list_all, repos
from symphony.client.this_machine import ThisMachine
from symphony.domain.git.remotes import normalized_remote
from symphony.infrastructure.git.files.credentials import without_credentials

_GONE = 404
_FORBIDDEN = 403


def checkouts_of(connection: Connection, repo: Document) -> Sequence[Document]:
    """Return all checkouts of a repo.

    A server of a version without machines knows the directory on its own disk only. Raises:
    ClientError.
    """
    path = f"/repos/{quote(text(repo, 'id'))}"
    try:
        return children(get(connection, f"{path}/checkouts"), "items")
    except ServerProblem as problem:
        if not is_unknown_route(problem):
            raise
    try:
        status = get(connection, f"{path}/status")
    except ServerProblem as problem:
        if problem.code != "git-disabled":
            raise
        return []
    names = ("branch", "at_risk", "observed_at")
    own: dict[str, object] = {
        "machine": None,
        "path": text(repo, "path"),
        "reasons": _reasons(status),
        "status": status,
    }
    return [{**own, **{name: status.get(name) for name in names}}]


def _reasons(status: Document) -> list[str]:
    """Return those reasons that follow from a status alone, in the order of the board."""
    applies = {
        "dirty": text(status, "state") == "dirty",
        "unpushed": bool(number(status, "unpushed_commits")),
        "behind": bool(number(status, "behind")),
        "stashed": bool(number(status, "stashes")),
        "missing": text(status, "state") == "missing",
        "unreadable": text(status, "state") in {"not-a-repository", "refused", "error"},
    }
    return [reason for reason, does_apply in applies.items() if does_apply]


def this_machine(connection: Connection) -> Document | None:
    """Return the machine that this one is for the server; None when there is none.

    Raises: ClientError.
    """
    here = ThisMachine(connection.url)
    try:
        machines = list(list_all(connection, "/machines"))
    except ServerProblem as problem:
        if problem.http_status == _FORBIDDEN or is_unknown_route(problem):  # a confined token
            return None
        raise
    return next(filter(here.is_it, machines), None)


def repos_of_directory(
    connection: Connection, profile: Profile, local: LocalRepository
) -> Sequence[Document]:
    """Return the repos of a repository on this machine: by its remotes, by what the machine has
    reported of its worktrees, or else by their paths.

    Raises: ClientError.
    """
    found: dict[str, Document] = {}
    for remote in local.remotes:
        if normalized_remote(remote) is not None:
            query = {"remote": without_credentials(remote)}
            found |= _by_id(_if_valid(connection, profile, query))
    if not found:
        found |= _by_id(_reported(connection, local))
    if not found:
        found |= _by_id(of_same_repository(local, repos(connection, profile)))
    return list(found.values())


def _if_valid(
    connection: Connection, profile: Profile, query: Mapping[str, str]
) -> Sequence[Document]:
    try:
        return list(repos(connection, profile, query))
    except ServerProblem as problem:
        if problem.code == "validation-error":  # an address that no repo can have
            return []
        raise


def _reported(connection: Connection, local: LocalRepository) -> Sequence[Document]:
    machine = this_machine(connection)
    if machine is None:
        return []
    try:
        reported = get(connection, f"/machines/{quote(text(machine, 'id'))}/checkouts")
    except ServerProblem as problem:
        if problem.http_status == _GONE:  # of an older version, or deleted meanwhile
            return []
        raise
    return [
        get(connection, f"/repos/{quote(repo_id)}")
        for each in of_same_repository(local, children(reported, "items"))
        for repo_id in texts(each, "repo_ids")
    ]


def _by_id(items: Iterable[Document]) -> dict[str, Document]:
    return {text(each, "id"): each for each in items}


def paths_here(connection: Connection, repo: Document) -> Sequence[str]:
    """Return the directories of a repo on this machine, the one that its record names if any.

    What the server says of other machines, and what does not exist here, is left out. Raises:
    ClientError.
    """
    recorded = expanded(text(repo, "path"))
    if os.path.isabs(recorded) and os.path.isdir(recorded):
        return [recorded]
    here = ThisMachine(connection.url)
    paths = [
        text(each, "path")
        for each in checkouts_of(connection, repo)
        if (machine := child(each, "machine")) is not None and here.is_it(machine)
    ]
    return [each for each in paths if os.path.isdir(each)]
