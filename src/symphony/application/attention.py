"""Use cases of observations, from which the attention board is derived."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from uuid import UUID

from symphony.application.app import Queries, Services
from symphony.domain.attention import EXPIRES_SOON
from symphony.domain.base import utc_now
from symphony.domain.git.work import RemoteHeads
from symphony.domain.machines.checkout_repository import UserCheckouts
from symphony.domain.observations import BoardFacts, ExpiringToken, RepoObservation
from symphony.domain.reach import Reach


@dataclass(frozen=True, slots=True)
class GetBoardFacts:
    """Get the facts of all workspaces, or of one."""

    actor: Reach
    user_profile_id: UUID
    workspace_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class ListRemoteHeads:
    """List what the last syncs of the repos saw, in all workspaces or in one."""

    actor: Reach
    user_profile_id: UUID
    workspace_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class ListCheckouts:
    """List the checkouts of all machines, with what the repos recognize theirs by."""

    actor: Reach


@dataclass(frozen=True, slots=True)
class FindHeads:
    """Find which of the `wanted` commits are heads of remote-tracking branches of checkouts."""

    actor: Reach
    checkout_ids: Sequence[UUID]
    wanted: AbstractSet[str]


@dataclass(frozen=True, slots=True)
class SaveObservations:
    actor: Reach
    observations: Sequence[RepoObservation]


async def get_board_facts(query: GetBoardFacts, queries: Queries) -> BoardFacts:
    """Raises: NotFound for the user profile or the workspace."""
    repositories = queries.repositories
    facts = await repositories.observations.board_facts(
        query.actor, query.user_profile_id, query.workspace_id
    )
    if not facts.repos and not facts.vaults:
        await repositories.user_profiles.get(query.actor, query.user_profile_id)
        if query.workspace_id is not None:
            await repositories.workspaces.get(query.actor, query.workspace_id)
    if query.workspace_id is not None or query.actor.confined_by is not None:
        return facts  # a token is in no workspace
    until = utc_now() + EXPIRES_SOON
    expiring = await repositories.api_tokens.expiring(query.actor, until)
    tokens = [
        ExpiringToken(id=each.id, name=each.name, name_key=each.name_key) for each in expiring
    ]
    return replace(facts, tokens=tokens)


async def list_remote_heads(query: ListRemoteHeads, queries: Queries) -> Mapping[UUID, RemoteHeads]:
    """Return them by the ids of the repos; repos that were never synced have none."""
    return await queries.repositories.remote_heads.of_user(
        query.actor, query.user_profile_id, query.workspace_id
    )


async def list_checkouts(query: ListCheckouts, queries: Queries) -> UserCheckouts:
    """Also to a confined token, which reaches no machine: the caller leaves out what is of others.

    What a checkout belongs to depends on all repos.
    """
    return await queries.repositories.checkouts.of_user(query.actor)


async def find_heads(query: FindHeads, queries: Queries) -> Mapping[UUID, AbstractSet[str]]:
    """Return them by the ids of the checkouts."""
    return await queries.repositories.checkouts.heads_among(
        query.actor, query.checkout_ids, query.wanted
    )


async def save_observations(command: SaveObservations, services: Services) -> None:
    await services.observations.save(command.actor, command.observations)
