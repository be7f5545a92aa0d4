"""Use cases of finding repositories on the disk, and of registering many at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from symphony.application.app import Application, Services
from symphony.domain.discovery import Proposal, proposals
from symphony.domain.git import GitDisabled
from symphony.domain.repos import RegisteredRepo, Repo
from symphony.domain.unit_of_work import Repositories


@dataclass(frozen=True, slots=True)
class DiscoverRepos:
    actor: UUID
    workspace_id: UUID
    root: str
    max_depth: int


@dataclass(frozen=True, slots=True)
class ListRegistered:
    actor: UUID
    workspace_id: UUID


@dataclass(frozen=True, slots=True)
class ImportItem:
    name: str
    path: str
    remote_url: str | None = None


@dataclass(frozen=True, slots=True)
class ImportRepos:
    actor: UUID
    workspace_id: UUID
    items: Sequence[ImportItem]


@dataclass(frozen=True, slots=True)
class Discovery:
    """What could be registered or is, and whether there was more to look at than is allowed."""

    items: Sequence[Proposal]
    truncated: bool


async def discover_repos(query: DiscoverRepos, app: Application) -> Discovery:
    """What repositories are in a folder; no connection to the database is held for the search.

    Raises: GitDisabled, NotFound for the workspace, Invalid, Overloaded.
    """
    if app.finder is None:
        raise GitDisabled
    registered = await app.ask(list_registered, ListRegistered(query.actor, query.workspace_id))
    search = await app.finder.find(query.actor, query.root, query.max_depth, registered)
    return Discovery(list(proposals(search.found, registered)), search.truncated)


async def list_registered(
    query: ListRegistered, repositories: Repositories
) -> Sequence[RegisteredRepo]:
    """Raises: NotFound for the workspace."""
    return await repositories.repos.registered(query.actor, query.workspace_id)


async def import_repos(command: ImportRepos, services: Services) -> list[Repo]:
    """Registers all of them or none; nothing on any disk is looked at.

    Raises: Invalid, NotFound for the workspace, LimitReached, NamesTaken.
    """
    repos = [
        Repo(
            workspace_id=command.workspace_id,
            name=item.name,
            path=item.path,
            remote_url=item.remote_url,
        )
        for item in command.items
    ]
    await services.repos.create_all(command.actor, command.workspace_id, repos)
    return repos
