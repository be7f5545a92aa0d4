"""What an import registers: repositories that no repo of the user has by path or remote."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from symphony.client.connection import Connection
from symphony.client.documents import Document, children, number, text
from symphony.client.errors import ClientError, ServerProblem, numbered
from symphony.client.paths import real_path
from symphony.client.resources import expected_object
from symphony.domain.discovery import FoundRepository, Proposal, RepoKind, proposals
from symphony.domain.git.remotes import normalized_remote
from symphony.domain.repos import RegisteredRepo

PART = 100  # repos that one request registers
_PARTS_OF_OTHERS = {
    RepoKind.WORKTREE: "It is a worktree of another repository.",
    RepoKind.SUBMODULE: "It is a submodule of another repository.",
}


@dataclass(slots=True)
class Choice:
    """The repositories that can be registered, and the others, each with a reason."""

    new: list[FoundRepository] = field(default_factory=list[FoundRepository])
    skipped: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    """Paths and reasons."""
    registered: int = 0
    """How many of the skipped ones have a repo already."""


def choose_new(found: Iterable[FoundRepository], repos: Iterable[Document]) -> Choice:
    """Separate what is new from what has a repo already, in any workspace.

    A second checkout of a remote belongs to the repo of the first one.
    """
    paths, remotes = set[str | None](), set[str]()
    for each in repos:
        paths.add(real_path(text(each, "path")))
        remotes |= _normalized(text(each, "remote_url") or None)
    choice = Choice()
    for each in found:
        own = _normalized(each.remote_url)
        if each.kind in _PARTS_OF_OTHERS:
            choice.skipped.append((each.path, _PARTS_OF_OTHERS[each.kind]))
        elif each.path in paths or own & remotes:
            choice.registered += 1
            choice.skipped.append((each.path, "A repo has this path or remote already."))
        else:
            choice.new.append(each)
            remotes |= own
    return choice


def named(new: Sequence[FoundRepository], repos: Iterable[Document]) -> Sequence[Proposal]:
    """Return repositories with names that are free beside the repos of a workspace."""
    registered = [RegisteredRepo(text(each, "name"), text(each, "path")) for each in repos]
    return list(proposals(new, registered))


@dataclass(slots=True)
class Imported:
    """The repos that were registered, and why the rest was not."""

    repos: list[Document] = field(default_factory=list[Document])
    failure: ClientError | None = None
    left: int = 0
    """How many were not registered."""


def register(connection: Connection, workspace: Document, items: Sequence[Proposal]) -> Imported:
    """Register repositories in a workspace, part by part, until one is refused or it is full."""
    result = Imported()
    left = list(items)
    size = PART
    while left:
        part = left[:size]
        try:
            result.repos += _register_part(connection, workspace, part)
        except ServerProblem as problem:
            room = (number(problem.members, "limit") or 0) - (number(problem.members, "used") or 0)
            if problem.code == "repo-limit-reached" and 0 < room < len(part):
                size = room
                continue
            result.failure = problem
            break
        except ClientError as error:
            result.failure = error
            break
        left = left[size:]
    result.left = len(left)
    return result


def _register_part(
    connection: Connection, workspace: Document, part: Sequence[Proposal]
) -> Sequence[Document]:
    body: dict[str, Any] = {
        "items": [
            {"name": each.name, "path": each.path, "remote_url": each.remote_url} for each in part
        ]
    }
    path = f"/workspaces/{quote(text(workspace, 'id'))}/repos/import"
    try:
        answer = connection.request("POST", path, json=body)
    except ServerProblem as problem:
        problem.name_fields(numbered("items", [each.path for each in part]))
        raise
    return children(expected_object(connection, answer), "items")


def _normalized(remote_url: str | None) -> set[str]:
    remote = remote_url and normalized_remote(remote_url)
    return {remote} if remote else set()
