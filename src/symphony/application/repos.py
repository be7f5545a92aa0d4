"""Use cases of repos."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from symphony.application.app import Queries, Services
from symphony.domain.base import Page, PageRequest
from symphony.domain.git.work import RemoteHeads
from symphony.domain.json_objects import JsonObject, JsonValue
from symphony.domain.reach import Reach
from symphony.domain.repos import RegisteredRepo, Repo, RepoChanges
from symphony.domain.sync import RemoteState, storable


@dataclass(frozen=True, slots=True)
class CreateRepo:
    actor: Reach
    workspace_id: UUID
    name: str
    path: str
    remote_url: str | None = None
    metadata: JsonObject = field(default_factory=dict[str, JsonValue])


@dataclass(frozen=True, slots=True)
class ImportItem:
    name: str
    path: str
    remote_url: str | None = None


@dataclass(frozen=True, slots=True)
class ImportRepos:
    actor: Reach
    workspace_id: UUID
    items: Sequence[ImportItem]


@dataclass(frozen=True, slots=True)
class UpdateRepo:
    actor: Reach
    repo_id: UUID
    changes: RepoChanges
    expected_tags: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class MarkRepoSynced:
    """Store what a sync of a repo saw of the remote `remote_url`."""

    actor: Reach
    repo_id: UUID
    remote_url: str
    state: RemoteState


@dataclass(frozen=True, slots=True)
class DeleteRepo:
    actor: Reach
    repo_id: UUID
    expected_tags: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class GetRepo:
    actor: Reach
    repo_id: UUID


@dataclass(frozen=True, slots=True)
class GetRemoteHeads:
    """Get what the last sync of a repo saw of its remote."""

    actor: Reach
    repo_id: UUID


@dataclass(frozen=True, slots=True)
class ListRegisteredRepos:
    """List the names and paths of all repos of a workspace, without pages."""

    actor: Reach
    workspace_id: UUID


@dataclass(frozen=True, slots=True)
class ListRepos:
    actor: Reach
    workspace_id: UUID
    page: PageRequest


@dataclass(frozen=True, slots=True)
class ListReposOfUser:
    """List the repos of a user in all workspaces or one; `remote` is a normalized remote."""

    actor: Reach
    user_profile_id: UUID
    page: PageRequest
    workspace_id: UUID | None = None
    remote: str | None = None


async def create_repo(command: CreateRepo, services: Services) -> Repo:
    """Raises: Invalid, NotFound for the workspace, LimitReached, AlreadyExists."""
    repo = Repo(
        workspace_id=command.workspace_id,
        name=command.name,
        path=command.path,
        remote_url=command.remote_url,
        metadata=command.metadata,
    )
    await services.repos.create(command.actor, repo)
    return repo


async def import_repos(command: ImportRepos, services: Services) -> list[Repo]:
    """Create all repos or none; nothing on disk is read.

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


async def update_repo(command: UpdateRepo, services: Services) -> Repo:
    """Raises: NotFound, PreconditionFailed, Invalid, LimitReached, AlreadyExists."""
    return await services.repos.update(
        command.actor, command.repo_id, command.changes, command.expected_tags
    )


async def mark_repo_synced(command: MarkRepoSynced, services: Services) -> Repo:
    """Raises: NotFound, NoRemote, RemoteChanged."""
    state = command.state
    repo = await services.repos.mark_synced(
        command.actor, command.repo_id, command.remote_url, state.synced_at
    )
    if repo.last_synced == state.synced_at:  # else another sync was later
        await services.remote_heads.save(repo.id, storable(state, command.remote_url))
    return repo


async def delete_repo(command: DeleteRepo, services: Services) -> None:
    """Raises: NotFound, PreconditionFailed."""
    await services.repos.remove(command.actor, command.repo_id, command.expected_tags)


async def get_repo(query: GetRepo, queries: Queries) -> Repo:
    """Raises: NotFound."""
    return await queries.repositories.repos.get(query.actor, query.repo_id)


async def get_remote_heads(query: GetRemoteHeads, queries: Queries) -> RemoteHeads | None:
    """Return None when the repo was never synced, or not with its present remote."""
    return await queries.repositories.remote_heads.of_repo(query.actor, query.repo_id)


async def list_repos(query: ListRepos, queries: Queries) -> Page[Repo]:
    """Raises: NotFound for the workspace."""
    return await queries.repositories.repos.page(query.actor, query.workspace_id, query.page)


async def list_repos_of_user(query: ListReposOfUser, queries: Queries) -> Page[Repo]:
    """Raises: NotFound for the user profile or the workspace."""
    return await queries.repositories.repos.page_of_user(
        query.actor,
        query.user_profile_id,
        query.page,
        workspace_id=query.workspace_id,
        remote=query.remote,
    )


async def list_registered_repos(
    query: ListRegisteredRepos, queries: Queries
) -> Sequence[RegisteredRepo]:
    """Raises: NotFound for the workspace."""
    return await queries.repositories.repos.registered(query.actor, query.workspace_id)
