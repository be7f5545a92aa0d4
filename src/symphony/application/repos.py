"""Use cases of repos."""

from dataclasses import dataclass, field
from uuid import UUID

from symphony.application.app import Application, Services
from symphony.application.attention import remember
from symphony.domain.attention import RepoObservation
from symphony.domain.base import Page, PageRequest
from symphony.domain.git import GitDisabled, RepoStatus
from symphony.domain.json_objects import JsonObject, JsonValue
from symphony.domain.repos import Repo, RepoChanges
from symphony.domain.unit_of_work import Repositories


@dataclass(frozen=True, slots=True)
class CreateRepo:
    actor: UUID
    workspace_id: UUID
    name: str
    path: str
    remote_url: str | None = None
    metadata: JsonObject = field(default_factory=dict[str, JsonValue])


@dataclass(frozen=True, slots=True)
class UpdateRepo:
    actor: UUID
    repo_id: UUID
    changes: RepoChanges
    expected_tags: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class DeleteRepo:
    actor: UUID
    repo_id: UUID
    expected_tags: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class GetRepo:
    actor: UUID
    repo_id: UUID


@dataclass(frozen=True, slots=True)
class GetRepoStatus:
    actor: UUID
    repo_id: UUID


@dataclass(frozen=True, slots=True)
class ListRepos:
    actor: UUID
    workspace_id: UUID
    page: PageRequest


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


async def update_repo(command: UpdateRepo, services: Services) -> Repo:
    """Raises: NotFound, PreconditionFailed, Invalid, AlreadyExists."""
    return await services.repos.change(
        command.actor, command.repo_id, command.changes, command.expected_tags
    )


async def delete_repo(command: DeleteRepo, services: Services) -> None:
    """Raises: NotFound, PreconditionFailed."""
    await services.repos.remove(command.actor, command.repo_id, command.expected_tags)


async def get_repo(query: GetRepo, repositories: Repositories) -> Repo:
    """Raises: NotFound."""
    return await repositories.repos.get(query.actor, query.repo_id)


async def list_repos(query: ListRepos, repositories: Repositories) -> Page[Repo]:
    """Raises: NotFound for the workspace."""
    return await repositories.repos.page(query.actor, query.workspace_id, query.page)


async def get_repo_status(query: GetRepoStatus, app: Application) -> RepoStatus:
    """What the repo's folder is like now; no connection to the database is held for it.

    Raises: GitDisabled, NotFound, Overloaded.
    """
    if app.git is None:
        raise GitDisabled
    repo = await app.ask(get_repo, GetRepo(query.actor, query.repo_id))
    status = await app.git.status(query.actor, repo.path)
    await remember(app, query.actor, [RepoObservation.of(repo.id, repo.path, status)])
    return status
