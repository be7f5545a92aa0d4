"""The disposal of a repo: its directory is inspected while no database connection is held."""

from dataclasses import dataclass
from uuid import UUID

from symphony.application.app import Application
from symphony.application.repos import GetRepo, get_repo
from symphony.domain.git.disposal import Disposal
from symphony.domain.git.status import GitDisabled
from symphony.domain.git.work import RemoteHeads
from symphony.domain.repos import Repo


@dataclass(frozen=True, slots=True)
class GetRepoDisposal:
    actor: UUID
    repo_id: UUID


async def get_repo_disposal(query: GetRepoDisposal, app: Application) -> Disposal:
    """Raises: GitDisabled, NotFound, Overloaded."""
    if app.git is None:
        raise GitDisabled
    repo = await app.ask(get_repo, GetRepo(query.actor, query.repo_id))
    return await app.git.disposal(query.actor, repo.path, _synced(repo))


def _synced(repo: Repo) -> RemoteHeads | None:
    """Return what the last sync of a repo saw of its remote, which is not stored yet."""
    del repo
    return None
