"""Repos: git repositories that a workspace knows, by name, path and remote."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar, TypedDict
from uuid import UUID

from symphony.domain import fields as rules
from symphony.domain.base import Entity, PagedRepository, Rule
from symphony.domain.errors import LimitReached
from symphony.domain.fields import comparison_key
from symphony.domain.json_objects import JsonObject, JsonValue, json_object

if TYPE_CHECKING:
    from symphony.domain.unit_of_work import UnitOfWork


@dataclass(frozen=True, kw_only=True)
class Repo(Entity):
    """A git repository's record. Its name is unique among the repos of its workspace."""

    noun: ClassVar[str] = "repo"
    rules: ClassVar[Mapping[str, Rule]] = {
        "workspace_id": rules.identity,
        "name": rules.folder_name,
        "path": rules.path,
        "remote_url": rules.remote_url,
        "metadata": json_object,
        "last_synced": rules.optional_utc_time,
    }

    workspace_id: UUID
    name: str
    path: str
    remote_url: str | None = None
    metadata: JsonObject = field(default_factory=dict[str, JsonValue])
    last_synced: datetime | None = None

    @property
    def name_key(self) -> str:
        return comparison_key(self.name)


class RepoChanges(TypedDict, total=False):
    """The fields to change; `metadata` is a merge patch."""

    name: str
    path: str
    remote_url: str | None
    metadata: JsonObject


class RepoRepository(PagedRepository[Repo]):
    """The repos of all workspaces."""


class RepoService:
    """The rules across repos: in whose workspace they are, and how many."""

    def __init__(self, uow: "UnitOfWork", max_per_workspace: int) -> None:
        self._uow = uow
        self._max_per_workspace = max_per_workspace

    async def create(self, user_id: UUID, repo: Repo) -> None:
        """Raises: NotFound for the workspace, LimitReached, AlreadyExists."""
        stats = await self._uow.workspaces.count_contents(user_id, repo.workspace_id, repos=1)
        if stats.repo_count > self._max_per_workspace:
            raise LimitReached(Repo.noun, limit=self._max_per_workspace, used=stats.repo_count - 1)
        await self._uow.repos.add(repo)

    async def change(
        self,
        user_id: UUID,
        repo_id: UUID,
        changes: RepoChanges,
        expected_tags: frozenset[str] | None = None,
    ) -> Repo:
        """Raises: NotFound, PreconditionFailed, Invalid, AlreadyExists."""
        repo = await self._uow.repos.get_for_change(user_id, repo_id)
        repo.require(expected_tags)
        changed = repo.changed(changes)
        if changed is not repo:
            await self._uow.repos.save(changed)
        return changed

    async def mark_synced(self, user_id: UUID, repo_id: UUID, synced_at: datetime) -> Repo:
        """Keeps when the remote was asked; never a time before the known one. Raises: NotFound."""
        repo = await self._uow.repos.get_for_change(user_id, repo_id)
        last = synced_at if repo.last_synced is None else max(synced_at, repo.last_synced)
        marked = repo.changed({"last_synced": last})
        if marked is not repo:
            await self._uow.repos.save(marked)
        return marked

    async def remove(
        self, user_id: UUID, repo_id: UUID, expected_tags: frozenset[str] | None = None
    ) -> None:
        """Removes the record; nothing on disk is touched. Raises: NotFound, PreconditionFailed."""
        # The workspace is locked before what it holds; the repo may be gone by then.
        found = await self._uow.repos.get(user_id, repo_id)
        await self._uow.workspaces.count_contents(user_id, found.workspace_id)
        repo = await self._uow.repos.get_for_change(user_id, repo_id)
        repo.require(expected_tags)
        await self._uow.repos.remove(repo)
        await self._uow.workspaces.count_contents(user_id, repo.workspace_id, repos=-1)
