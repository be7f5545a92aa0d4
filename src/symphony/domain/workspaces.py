"""Workspaces: independent places of one user, each with its repos and vaults."""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar, TypedDict
from uuid import UUID

from symphony.domain import fields as rules
from symphony.domain.base import Entity, PagedRepository, Rule
from symphony.domain.errors import InUse, LimitReached
from symphony.domain.fields import comparison_key
from symphony.domain.json_objects import JsonObject, JsonValue, json_object

if TYPE_CHECKING:
    from symphony.domain.unit_of_work import UnitOfWork


class WorkspaceType(StrEnum):
    """The kind of work that a workspace is for."""

    GENERAL = "general"
    CLIENT = "client"
    PERSONAL = "personal"
    RESEARCH = "research"


@dataclass(frozen=True, kw_only=True)
class Workspace(Entity):
    """A place for one line of work. Its name is unique among its owner's workspaces."""

    noun: ClassVar[str] = "workspace"
    rules: ClassVar[Mapping[str, Rule]] = {
        "name": rules.name,
        "description": rules.description,
        "user_profile_id": rules.identity,
        "workspace_type": rules.one_of(WorkspaceType),
        "settings": json_object,
    }

    user_profile_id: UUID
    name: str
    description: str | None = None
    workspace_type: WorkspaceType = WorkspaceType.GENERAL
    settings: JsonObject = field(default_factory=dict[str, JsonValue])

    @property
    def name_key(self) -> str:
        return comparison_key(self.name)


class WorkspaceChanges(TypedDict, total=False):
    """The fields to change; `settings` is a merge patch."""

    name: str
    description: str | None
    workspace_type: WorkspaceType
    settings: JsonObject


@dataclass(frozen=True, slots=True)
class WorkspaceStats:
    """How many repos and vaults a workspace holds."""

    workspace_id: UUID
    repo_count: int
    vault_count: int

    @property
    def total_resources(self) -> int:
        return self.repo_count + self.vault_count


class WorkspaceRepository(PagedRepository[Workspace]):
    @abstractmethod
    async def stats(self, owner_id: UUID, workspace_id: UUID) -> WorkspaceStats:
        """Raises: NotFound."""

    @abstractmethod
    async def count_contents(
        self, owner_id: UUID, workspace_id: UUID, *, repos: int = 0, vaults: int = 0
    ) -> WorkspaceStats:
        """Counts repos and vaults in or out, and gives the numbers that it then holds.

        From here to the end of the unit of work nobody else can add to this workspace, remove
        from it, or delete it. Raises: NotFound.
        """


class WorkspaceService:
    """The rules across workspaces: whose they are, how many, and what forbids their end."""

    def __init__(self, uow: "UnitOfWork", max_per_user: int) -> None:
        self._uow = uow
        self._max_per_user = max_per_user

    async def create(self, user_id: UUID, workspace: Workspace) -> None:
        """Raises: NotFound for the user profile, LimitReached, AlreadyExists."""
        owner_id = workspace.user_profile_id
        count = await self._uow.user_profiles.count_workspaces(user_id, owner_id, added=1)
        if count > self._max_per_user:
            raise LimitReached(Workspace.noun, limit=self._max_per_user, used=count - 1)
        await self._uow.workspaces.add(workspace)

    async def change(
        self,
        user_id: UUID,
        workspace_id: UUID,
        changes: WorkspaceChanges,
        expected_tags: frozenset[str] | None = None,
    ) -> Workspace:
        """Raises: NotFound, PreconditionFailed, Invalid, AlreadyExists."""
        workspace = await self._uow.workspaces.get_for_update(user_id, workspace_id)
        workspace.require(expected_tags)
        changed = workspace.updated(changes)
        if changed is not workspace:
            await self._uow.workspaces.save(changed)
        return changed

    async def remove(
        self,
        user_id: UUID,
        workspace_id: UUID,
        *,
        force: bool = False,
        expected_tags: frozenset[str] | None = None,
    ) -> None:
        """Removes a workspace; one that holds something, with all of it, only by force.

        Raises: NotFound, PreconditionFailed, InUse.
        """
        # The user is locked before the workspace, as everywhere parents are before what they hold:
        # so no two commands can wait for each other. The workspace may be gone by then.
        await self._uow.workspaces.get(user_id, workspace_id)
        await self._uow.user_profiles.count_workspaces(user_id, user_id)
        stats = await self._uow.workspaces.count_contents(user_id, workspace_id)
        workspace = await self._uow.workspaces.get_for_update(user_id, workspace_id)
        workspace.require(expected_tags)
        if stats.total_resources and not force:
            raise InUse(
                "workspace-not-empty",
                "The workspace still holds repos or vaults"
                f" ({stats.repo_count} and {stats.vault_count}):"
                " delete them first, or all at once with ?force=true.",
            )
        await self._uow.workspaces.remove(workspace)
        await self._uow.user_profiles.count_workspaces(user_id, user_id, added=-1)
