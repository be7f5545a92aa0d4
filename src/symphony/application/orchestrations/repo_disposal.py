"""The disposal of a repo: its directory is inspected while no database connection is held."""

from dataclasses import dataclass
from uuid import UUID

from symphony.application.app import Application
from symphony.application.repos import GetRemoteHeads, GetRepo, get_remote_heads, get_repo
from symphony.domain.git.disposal import Disposal
from symphony.domain.git.status import GitDisabled
from symphony.domain.reach import Reach


@dataclass(frozen=True, slots=True)
class GetRepoDisposal:
    actor: Reach
    repo_id: UUID


async def get_repo_disposal(query: GetRepoDisposal, app: Application) -> Disposal:
    """Raises: GitDisabled, NotFound, Overloaded."""
    if app.git is None:
        raise GitDisabled
    repo = await app.ask(get_repo, GetRepo(query.actor, query.repo_id))
    synced = await app.ask(get_remote_heads, GetRemoteHeads(query.actor, query.repo_id))
    return await app.git.disposal(query.actor.user_id, repo.path, synced)
