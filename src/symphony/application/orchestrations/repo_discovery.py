"""The discovery of repositories: the disk is searched while no database connection is held."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from symphony.application.app import Application
from symphony.application.repos import ListRegisteredRepos, list_registered_repos
from symphony.domain.discovery import Proposal, proposals
from symphony.domain.git.status import GitDisabled
from symphony.domain.reach import Reach


@dataclass(frozen=True, slots=True)
class DiscoverRepos:
    actor: Reach
    workspace_id: UUID
    root: str
    max_depth: int


@dataclass(frozen=True, slots=True)
class Discovery:
    """The proposals; `truncated` when a limit stopped the search before it was complete."""

    items: Sequence[Proposal]
    truncated: bool


async def discover_repos(query: DiscoverRepos, app: Application) -> Discovery:
    """Raises: GitDisabled, NotFound for the workspace, Invalid, Overloaded."""
    if app.finder is None:
        raise GitDisabled
    registered = await app.ask(
        list_registered_repos, ListRegisteredRepos(query.actor, query.workspace_id)
    )
    search = await app.finder.find(query.actor.user_id, query.root, query.max_depth, registered)
    return Discovery(list(proposals(search.found, registered)), search.truncated)
