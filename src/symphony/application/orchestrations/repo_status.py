"""The status of a repo: its directory is inspected while no database connection is held."""

from dataclasses import dataclass
from uuid import UUID

from symphony.application.app import Application
from symphony.application.attention import SaveObservations
from symphony.application.orchestrations.observation_saving import try_to_save_observations
from symphony.application.repos import GetRemoteHeads, GetRepo, get_remote_heads, get_repo
from symphony.domain.git.status import GitDisabled, RepoStatus
from symphony.domain.observations import RepoObservation
from symphony.domain.reach import Reach


@dataclass(frozen=True, slots=True)
class GetRepoStatus:
    actor: Reach
    repo_id: UUID


async def get_repo_status(query: GetRepoStatus, app: Application) -> RepoStatus:
    """Raises: GitDisabled, NotFound, Overloaded."""
    if app.git is None:
        raise GitDisabled
    repo = await app.ask(get_repo, GetRepo(query.actor, query.repo_id))
    synced = await app.ask(get_remote_heads, GetRemoteHeads(query.actor, query.repo_id))
    status = await app.git.status(query.actor.user_id, repo.path, synced)
    observations = [RepoObservation.of_repo(repo.id, repo.path, status)]
    await try_to_save_observations(SaveObservations(query.actor, observations), app)
    return status
