"""Repos: git repositories that a workspace knows, by name, path and remote."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar, TypedDict
from uuid import UUID

from symphony.domain import fields as rules
from symphony.domain.base import Entity, PagedRepository, Rule
from symphony.domain.errors import FieldError, LimitReached, NamesTaken
from symphony.domain.fields import comparison_key
from symphony.domain.json_objects import JsonObject, JsonValue, json_object
from symphony.domain.sync import NoRemote, RemoteChanged

if TYPE_CHECKING:
    from symphony.domain.unit_of_work import UnitOfWork

_TAKEN = ("name-taken", "Another repo of the workspace has this name.")
_GIVEN_TWICE = ("name-given-twice", "An item before this one has the same name.")


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


@dataclass(frozen=True, slots=True)
class RegisteredRepo:
    """What a workspace calls the repository at a path."""

    name: str
    path: str


class RepoRepository(PagedRepository[Repo]):
    """The repos of all workspaces."""

    @abstractmethod
    async def registered(self, owner_id: UUID, workspace_id: UUID) -> Sequence[RegisteredRepo]:
        """What is registered in a workspace, by name. Raises: NotFound for the workspace."""

    @abstractmethod
    async def add_all(self, repos: Sequence[Repo]) -> None:
        """Keeps new repos whose names were free a moment ago.

        Raises: TransactionConflict when somebody has taken one in between.
        """


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

    async def create_all(self, user_id: UUID, workspace_id: UUID, repos: Sequence[Repo]) -> None:
        """All of them or none. Raises: NotFound for the workspace, LimitReached, NamesTaken."""
        stats = await self._uow.workspaces.count_contents(user_id, workspace_id, repos=len(repos))
        if stats.repo_count > self._max_per_workspace:
            used = stats.repo_count - len(repos)
            limit = self._max_per_workspace
            raise LimitReached(Repo.noun, limit=limit, used=used, added=len(repos))
        registered = await self._uow.repos.registered(user_id, workspace_id)
        taken = {comparison_key(each.name) for each in registered}
        errors: list[FieldError] = []
        given = set[str]()
        for index, repo in enumerate(repos):
            if repo.name_key in taken:
                errors.append(FieldError(f"items/{index}/name", *_TAKEN))
            elif repo.name_key in given:
                errors.append(FieldError(f"items/{index}/name", *_GIVEN_TWICE))
            given.add(repo.name_key)
        if errors:
            detail = f"{len(errors)} of {len(repos)} names are taken; nothing was registered."
            raise NamesTaken(f"{Repo.noun}-name", detail, errors)
        await self._uow.repos.add_all(repos)

    async def change(
        self,
        user_id: UUID,
        repo_id: UUID,
        changes: RepoChanges,
        expected_tags: frozenset[str] | None = None,
    ) -> Repo:
        """Raises: NotFound, PreconditionFailed, Invalid, AlreadyExists."""
        repo = await self._uow.repos.get_for_update(user_id, repo_id)
        repo.require(expected_tags)
        changed = repo.updated(changes)
        if changed is not repo:
            await self._uow.repos.save(changed)
        return changed

    async def mark_synced(
        self, user_id: UUID, repo_id: UUID, remote_url: str, synced_at: datetime
    ) -> Repo:
        """Keeps when this remote was asked; never a time before the known one.

        Raises: NotFound, NoRemote or RemoteChanged when it is not the repo's any more.
        """
        repo = await self._uow.repos.get_for_update(user_id, repo_id)
        if repo.remote_url is None:
            raise NoRemote
        if repo.remote_url != remote_url:
            raise RemoteChanged
        last = synced_at if repo.last_synced is None else max(synced_at, repo.last_synced)
        marked = repo.updated({"last_synced": last})
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
        repo = await self._uow.repos.get_for_update(user_id, repo_id)
        repo.require(expected_tags)
        await self._uow.repos.remove(repo)
        await self._uow.workspaces.count_contents(user_id, repo.workspace_id, repos=-1)
