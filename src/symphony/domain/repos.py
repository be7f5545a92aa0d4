"""Repos: git repositories registered in a workspace, by name, path and remote."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar, TypedDict
from uuid import UUID

from symphony.domain import fields as rules
from symphony.domain import writes
from symphony.domain.base import Page, PagedRepository, PageRequest, Rule, utc_now
from symphony.domain.errors import FieldError, NamesTaken
from symphony.domain.fields import comparison_key
from symphony.domain.git.remotes import normalized_remote
from symphony.domain.json_objects import JsonObject, JsonValue, json_object
from symphony.domain.moves import update_and_move
from symphony.domain.reach import Reach
from symphony.domain.sync import NoRemote, RemoteChanged
from symphony.domain.workspaces import WorkspaceContent, WorkspaceRepository

_TAKEN = ("name-taken", "Must be unique; another repo in the workspace has this name.")
_GIVEN_TWICE = ("name-given-twice", "Must be unique; an earlier item has the same name.")


@dataclass(frozen=True, kw_only=True)
class Repo(WorkspaceContent):
    """The record of a git repository. Its name is unique among the repos of its workspace."""

    noun: ClassVar[str] = "repo"
    rules: ClassVar[Mapping[str, Rule]] = {
        "workspace_id": rules.identity,
        "name": rules.folder_name,
        "path": rules.path,
        "remote_url": rules.remote_url,
        "metadata": json_object,
        "last_synced": rules.optional_utc_time,
    }

    path: str
    remote_url: str | None = None
    metadata: JsonObject = field(default_factory=dict[str, JsonValue])
    last_synced: datetime | None = None

    @property
    def remote(self) -> str | None:
        """The remote, in the form in which remotes are compared."""
        return None if self.remote_url is None else normalized_remote(self.remote_url)


class RepoChanges(TypedDict, total=False):
    """The fields to update; `metadata` is a merge patch, another `workspace_id` moves the repo."""

    workspace_id: UUID
    name: str
    path: str
    remote_url: str | None
    metadata: JsonObject


@dataclass(frozen=True, slots=True)
class RegisteredRepo:
    """The name that a workspace has for the git repository at a path."""

    name: str
    path: str


class RepoRepository(PagedRepository[Repo]):
    @abstractmethod
    async def page_of_user(
        self,
        reach: Reach,
        user_profile_id: UUID,
        request: PageRequest,
        *,
        workspace_id: UUID | None = None,
        remote: str | None = None,
    ) -> Page[Repo]:
        """Return one part of the list of a user's repos, in all workspaces or one.

        `remote` is a normalized remote: only repos with this one.

        Raises: NotFound for the user profile or the workspace.
        """

    @abstractmethod
    async def registered(self, reach: Reach, workspace_id: UUID) -> Sequence[RegisteredRepo]:
        """List all repos of a workspace, sorted by name. Raises: NotFound for the workspace."""

    @abstractmethod
    async def add_all(self, repos: Sequence[Repo]) -> None:
        """Store new repos, after the caller has checked that their names are free.

        Raises: TransactionConflict when another unit of work has taken a name since then.
        """


class RepoService:
    """The rules across repos: the workspace, the limit, and unique names."""

    def __init__(
        self, repos: RepoRepository, workspaces: WorkspaceRepository, max_per_workspace: int
    ) -> None:
        self._repos = repos
        self._workspaces = workspaces
        self._max_per_workspace = max_per_workspace

    async def create(self, reach: Reach, repo: Repo) -> None:
        """Raises: NotFound for the workspace, LimitReached, AlreadyExists."""
        stats = await self._workspaces.count_contents(reach, repo.workspace_id, repo_count=1)
        writes.require_within(self._max_per_workspace, Repo.noun, stats.repo_count)
        await self._repos.add(repo)

    async def create_all(self, reach: Reach, workspace_id: UUID, repos: Sequence[Repo]) -> None:
        """Create all or none. Raises: NotFound for the workspace, LimitReached, NamesTaken."""
        stats = await self._workspaces.count_contents(reach, workspace_id, repo_count=len(repos))
        writes.require_within(self._max_per_workspace, Repo.noun, stats.repo_count, len(repos))
        registered = await self._repos.registered(reach, workspace_id)
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
            are = "is" if len(errors) == 1 else "are"
            detail = f"{len(errors)} of {len(repos)} names {are} taken; no repo was created."
            raise NamesTaken(f"{Repo.noun}-name", detail, errors)
        await self._repos.add_all(repos)

    async def update(
        self,
        reach: Reach,
        repo_id: UUID,
        changes: RepoChanges,
        expected_tags: frozenset[str] | None = None,
    ) -> Repo:
        """Raises: NotFound, PreconditionFailed, Invalid, LimitReached, AlreadyExists."""

        def change(repo: Repo) -> Repo:
            return repo.updated(changes)

        if "workspace_id" not in changes:
            return await writes.update(self._repos, reach, repo_id, expected_tags, change)
        return await update_and_move(
            self._repos,
            self._workspaces,
            self._max_per_workspace,
            reach=reach,
            entity_id=repo_id,
            target_id=changes["workspace_id"],
            expected_tags=expected_tags,
            change=change,
        )

    async def mark_synced(
        self, reach: Reach, repo_id: UUID, remote_url: str, synced_at: datetime
    ) -> Repo:
        """Store the time of a sync with this remote, unless a later one is stored.

        Raises: NotFound, NoRemote, RemoteChanged when the repo has another remote by now.
        """

        def mark(repo: Repo) -> Repo:
            if repo.remote_url is None:
                raise NoRemote
            if repo.remote_url != remote_url:
                raise RemoteChanged
            known = repo.last_synced
            # A time in the future is of a clock that was ahead, and later than no other sync.
            is_latest = known is None or synced_at > known or known > utc_now()
            return repo.updated({"last_synced": synced_at if is_latest else known})

        return await writes.update(self._repos, reach, repo_id, None, mark)

    async def remove(
        self, reach: Reach, repo_id: UUID, expected_tags: frozenset[str] | None = None
    ) -> None:
        """Remove the record; nothing on disk is changed. Raises: NotFound, PreconditionFailed."""

        async def count(repo: Repo, added: int) -> None:
            await self._workspaces.count_contents(reach, repo.workspace_id, repo_count=added)

        await writes.remove_from_parent(self._repos, reach, repo_id, expected_tags, count)
