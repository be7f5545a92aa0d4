"""The checkouts of a repo: the server's own one is inspected while no connection is held."""

from dataclasses import dataclass
from uuid import UUID

from symphony.application.app import Application
from symphony.application.attention import (
    ListCheckouts,
    SaveObservations,
    list_checkouts,
)
from symphony.application.checkouts import GetCheckoutDetails, get_checkout_details
from symphony.application.orchestrations.observation_saving import try_to_save_observations
from symphony.application.repos import GetRemoteHeads, GetRepo, get_remote_heads, get_repo
from symphony.domain.base import utc_now
from symphony.domain.git.status import RepoStatus
from symphony.domain.git.work import RemoteHeads
from symphony.domain.machines.assessment import OwnCheckout
from symphony.domain.machines.repo_checkouts import (
    DetailedCheckout,
    checkouts_of_repo,
    with_status,
)
from symphony.domain.observations import RepoObservation
from symphony.domain.reach import Reach
from symphony.domain.repos import Repo


@dataclass(frozen=True, slots=True)
class ListRepoCheckouts:
    """List the checkouts of a repo: the server's own one, with git roots, and those of machines."""

    actor: Reach
    repo_id: UUID


async def list_repo_checkouts(query: ListRepoCheckouts, app: Application) -> list[DetailedCheckout]:
    """Raises: NotFound, Overloaded."""
    repo = await app.ask(get_repo, GetRepo(query.actor, query.repo_id))
    synced = await app.ask(get_remote_heads, GetRemoteHeads(query.actor, repo.id))
    inspected = await _inspected(query.actor, repo, synced, app)
    own = None
    if inspected is not None:
        seen = RepoObservation.of_repo(repo.id, repo.path, inspected)
        await try_to_save_observations(SaveObservations(query.actor, [seen]), app)
        own = OwnCheckout(repo.path, inspected.observed_at, seen)
    of_user = await app.ask(list_checkouts, ListCheckouts(query.actor))
    now = utc_now()
    checkouts = checkouts_of_repo(repo.id, of_user, own, synced, now)
    ids = [each.id for each in checkouts.of_machines]
    details = await app.ask(
        get_checkout_details, GetCheckoutDetails(query.actor, ids, checkouts.heads_to_find())
    )
    return with_status(checkouts, inspected, details.sent, details.heads, now)


async def _inspected(
    actor: Reach, repo: Repo, synced: RemoteHeads | None, app: Application
) -> RepoStatus | None:
    return None if app.git is None else await app.git.status(actor.user_id, repo.path, synced)
