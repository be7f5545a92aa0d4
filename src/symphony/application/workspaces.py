"""Use cases of workspaces."""

from dataclasses import dataclass, field
from uuid import UUID

from symphony.application.app import Queries, Services
from symphony.domain.base import Page, PageRequest
from symphony.domain.json_objects import JsonObject, JsonValue
from symphony.domain.reach import Reach
from symphony.domain.workspaces import Workspace, WorkspaceChanges, WorkspaceStats, WorkspaceType


@dataclass(frozen=True, slots=True)
class CreateWorkspace:
    actor: Reach
    user_profile_id: UUID
    name: str
    description: str | None = None
    workspace_type: WorkspaceType = WorkspaceType.GENERAL
    settings: JsonObject = field(default_factory=dict[str, JsonValue])


@dataclass(frozen=True, slots=True)
class UpdateWorkspace:
    actor: Reach
    workspace_id: UUID
    changes: WorkspaceChanges
    expected_tags: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class DeleteWorkspace:
    """Delete a workspace; with `force` also all its contents."""

    actor: Reach
    workspace_id: UUID
    force: bool = False
    expected_tags: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class GetWorkspace:
    actor: Reach
    workspace_id: UUID


@dataclass(frozen=True, slots=True)
class ListWorkspaces:
    actor: Reach
    user_profile_id: UUID
    page: PageRequest


@dataclass(frozen=True, slots=True)
class GetWorkspaceStats:
    actor: Reach
    workspace_id: UUID


async def create_workspace(command: CreateWorkspace, services: Services) -> Workspace:
    """Raises: Invalid, NotFound for the user profile, LimitReached, AlreadyExists."""
    workspace = Workspace(
        user_profile_id=command.user_profile_id,
        name=command.name,
        description=command.description,
        workspace_type=command.workspace_type,
        settings=command.settings,
    )
    await services.workspaces.create(command.actor, workspace)
    return workspace


async def update_workspace(command: UpdateWorkspace, services: Services) -> Workspace:
    """Raises: NotFound, PreconditionFailed, Invalid, AlreadyExists."""
    return await services.workspaces.update(
        command.actor, command.workspace_id, command.changes, command.expected_tags
    )


async def delete_workspace(command: DeleteWorkspace, services: Services) -> None:
    """Raises: NotFound, PreconditionFailed, InUse."""
    await services.workspaces.remove(
        command.actor,
        command.workspace_id,
        force=command.force,
        expected_tags=command.expected_tags,
    )


async def get_workspace(query: GetWorkspace, queries: Queries) -> Workspace:
    """Raises: NotFound."""
    return await queries.repositories.workspaces.get(query.actor, query.workspace_id)


async def list_workspaces(query: ListWorkspaces, queries: Queries) -> Page[Workspace]:
    """Raises: NotFound for the user profile."""
    return await queries.repositories.workspaces.page(
        query.actor, query.user_profile_id, query.page
    )


async def get_workspace_stats(query: GetWorkspaceStats, queries: Queries) -> WorkspaceStats:
    """Raises: NotFound."""
    return await queries.repositories.workspaces.stats(query.actor, query.workspace_id)
