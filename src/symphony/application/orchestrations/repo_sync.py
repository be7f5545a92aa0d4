"""The sync of a repo: its remote is contacted while no database connection is held."""

from dataclasses import dataclass
from uuid import UUID

from symphony.application.app import Application
from symphony.application.repos import GetRepo, MarkRepoSynced, get_repo, mark_repo_synced
from symphony.domain.errors import NotFound
from symphony.domain.git.status import GitDisabled
from symphony.domain.reach import Reach
from symphony.domain.repos import Repo
from symphony.domain.sync import NoRemote, RemoteState


@dataclass(frozen=True, slots=True)
class SyncRepo:
    actor: Reach
    repo_id: UUID


async def sync_repo(command: SyncRepo, app: Application) -> tuple[Repo, RemoteState]:
    """Return the repo with its new `last_synced`, and the state of its remote.

    Raises: GitDisabled, NotFound, NoRemote, RemoteChanged, SyncInProgress, RemoteFailed,
    RemoteTimeout, Overloaded.
    """
    if app.remotes is None:
        raise GitDisabled
    repo = await app.ask(get_repo, GetRepo(command.actor, command.repo_id))
    if repo.remote_url is None:
        raise NoRemote
    state = await app.remotes.sync(command.actor.user_id, repo.id, repo.path, repo.remote_url)
    mark = MarkRepoSynced(command.actor, repo.id, repo.remote_url, state)
    try:
        marked = await app.run(mark_repo_synced, mark)
    except NotFound:  # it was deleted during the sync
        await app.remotes.forget(repo.id)
        raise
    return marked, state
