"""The use case of asking a repo's remote."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from symphony.application.app import Application, Services
from symphony.application.repos import GetRepo, get_repo
from symphony.domain.errors import NotFound
from symphony.domain.git import GitDisabled
from symphony.domain.repos import Repo
from symphony.domain.sync import NoRemote, RemoteState


@dataclass(frozen=True, slots=True)
class SyncRepo:
    actor: UUID
    repo_id: UUID


@dataclass(frozen=True, slots=True)
class MarkSynced:
    actor: UUID
    repo_id: UUID
    remote_url: str
    synced_at: datetime


async def sync_repo(command: SyncRepo, app: Application) -> tuple[Repo, RemoteState]:
    """The repo with its new `last_synced`, and what its remote has; no connection to the database
    is held while the remote is asked.

    Raises: GitDisabled, NotFound, NoRemote, RemoteChanged, SyncInProgress, RemoteFailed,
    RemoteTimeout, Overloaded.
    """
    if app.remotes is None:
        raise GitDisabled
    asked = await app.ask(get_repo, GetRepo(command.actor, command.repo_id))
    if asked.remote_url is None:
        raise NoRemote
    found = await app.remotes.sync(command.actor, asked.id, asked.path, asked.remote_url)
    mark = MarkSynced(command.actor, asked.id, asked.remote_url, found.synced_at)
    try:
        marked = await app.run(mark_synced, mark)
    except NotFound:  # it was deleted meanwhile
        await app.remotes.forget(asked.id)
        raise
    return marked, found


async def mark_synced(command: MarkSynced, services: Services) -> Repo:
    """Raises: NotFound, NoRemote, RemoteChanged."""
    return await services.repos.mark_synced(
        command.actor, command.repo_id, command.remote_url, command.synced_at
    )
