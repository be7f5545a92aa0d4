"""Workspaces: a user's areas of work, each with its own repos and vaults."""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import ClassVar, TypedDict
from uuid import UUID

from symphony.domain import fields as rules
from symphony.domain import writes
from symphony.domain.base import NamedEntity, PagedRepository, Rule, tag_of_fields
from symphony.domain.errors import InUse
from symphony.domain.json_objects import JsonObject, JsonValue, json_object
from symphony.domain.reach import Reach
from symphony.domain.user_profiles import UserProfileRepository


class WorkspaceType(StrEnum):
    """The kind of work that a workspace is for."""

    GENERAL = "general"
    CLIENT = "client"
    PERSONAL = "personal"
    RESEARCH = "research"


@dataclass(frozen=True, kw_only=True)
class Workspace(NamedEntity):
    """An area of work. Its name is unique among its owner's workspaces."""

    noun: ClassVar[str] = "workspace"
    rules: ClassVar[Mapping[str, Rule]] = {
        "name": rules.name,
        "description": rules.description,
        "user_profile_id": rules.identity,
        "workspace_type": rules.one_of(WorkspaceType),
        "settings": json_object,
    }

    user_profile_id: UUID
    description: str | None = None
    workspace_type: WorkspaceType = WorkspaceType.GENERAL
    settings: JsonObject = field(default_factory=dict[str, JsonValue])


class WorkspaceChanges(TypedDict, total=False):
    """The fields to update; `settings` is a merge patch."""

    name: str
    description: str | None
    workspace_type: WorkspaceType
    settings: JsonObject


@dataclass(frozen=True, slots=True)
class WorkspaceStats:
    """How many resources of each kind a workspace has: one counter per noun, `<noun>_count`."""

    workspace_id: UUID
    repo_count: int
    vault_count: int

    @classmethod
    def counters(cls) -> tuple[str, ...]:
        return tuple(each.name for each in fields(cls) if each.name.endswith("_count"))

    @property
    def total_resources(self) -> int:
        return sum(getattr(self, counter) for counter in self.counters())

    @property
    def tag(self) -> str:
        """The identifier of these numbers; all other numbers have another tag."""
        return tag_of_fields(self)


@dataclass(frozen=True, kw_only=True)
class WorkspaceContent(NamedEntity):
    """Something that a workspace contains, and counts."""

    workspace_id: UUID


class WorkspaceRepository(PagedRepository[Workspace]):
    @abstractmethod
    async def ids(self, reach: Reach) -> frozenset[UUID]:
        """The ids of all workspaces that a caller reaches."""

    @abstractmethod
    async def stats(self, reach: Reach, workspace_id: UUID) -> WorkspaceStats:
        """Raises: NotFound."""

    @abstractmethod
    async def count_contents(
        self, reach: Reach, workspace_id: UUID, **added: int
    ) -> WorkspaceStats:
        """Add to counters of a workspace, such as `repo_count=1`, and return the new numbers.

        Locks the workspace: until this unit of work is over, no other one creates or deletes
        contents of it, or deletes it. Raises: NotFound, KeyError for a counter that does not exist.
        """


class WorkspaceService:
    """The rules across workspaces: the owner, the limit, and no deletion of contents by mistake."""

    def __init__(
        self,
        workspaces: WorkspaceRepository,
        user_profiles: UserProfileRepository,
        max_per_user: int,
    ) -> None:
        self._workspaces = workspaces
        self._user_profiles = user_profiles
        self._max_per_user = max_per_user

    async def create(self, reach: Reach, workspace: Workspace) -> None:
        """Raises: InsufficientScope, NotFound for the user profile, LimitReached, AlreadyExists."""
        reach.require_unconfined()
        owner_id = workspace.user_profile_id
        count = await self._user_profiles.count_workspaces(reach.user_id, owner_id, added=1)
        writes.require_within(self._max_per_user, Workspace.noun, count)
        await self._workspaces.add(workspace)

    async def update(
        self,
        reach: Reach,
        workspace_id: UUID,
        changes: WorkspaceChanges,
        expected_tags: frozenset[str] | None = None,
    ) -> Workspace:
        """Raises: NotFound, PreconditionFailed, Invalid, AlreadyExists."""
        return await writes.update(
            self._workspaces,
            reach,
            workspace_id,
            expected_tags,
            lambda workspace: workspace.updated(changes),
        )

    async def remove(
        self,
        reach: Reach,
        workspace_id: UUID,
        *,
        force: bool = False,
        expected_tags: frozenset[str] | None = None,
    ) -> None:
        """Remove a workspace; with `force` also a workspace with contents, and all of these.

        Raises: NotFound, PreconditionFailed, InUse.
        """

        async def count(_: Workspace, added: int) -> None:
            await self._user_profiles.count_workspaces(reach.user_id, reach.user_id, added=added)

        async def require_empty(workspace: Workspace) -> None:
            stats = await self._workspaces.count_contents(reach, workspace.id)
            if stats.total_resources and not force:
                contents = ", ".join(
                    f"{counter.removesuffix('_count')}s: {getattr(stats, counter)}"
                    for counter in stats.counters()
                )
                raise InUse(
                    "workspace-not-empty",
                    f"The workspace has contents ({contents}); delete them first, or force the"
                    " deletion.",
                )

        await writes.remove_from_parent(
            self._workspaces, reach, workspace_id, expected_tags, count, require_empty
        )
