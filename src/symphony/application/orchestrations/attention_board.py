"""The attention board: repos are inspected while no database connection is held."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from uuid import UUID

from symphony.application.app import Application
from symphony.application.attention import (
    FindHeads,
    GetBoardFacts,
    ListCheckouts,
    ListRemoteHeads,
    SaveObservations,
    find_heads,
    get_board_facts,
    list_checkouts,
    list_remote_heads,
)
from symphony.application.orchestrations.observation_saving import try_to_save_observations
from symphony.domain.attention import (
    AttentionBoard,
    Inspection,
    attention_board,
    board_machines,
)
from symphony.domain.base import utc_now
from symphony.domain.git.reasons import AttentionReason
from symphony.domain.git.status import Directory, Git
from symphony.domain.git.work import RemoteHeads
from symphony.domain.observations import BoardRepo, RepoObservation
from symphony.domain.reach import Reach

INSPECTION_LIMIT = 15.0  # seconds for all repos of a board
_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class GetAttention:
    """Get the board; `fresh` inspects each repo now instead of using the last observations."""

    actor: Reach
    user_profile_id: UUID
    workspace_id: UUID | None = None
    reason: AttentionReason | None = None
    at_risk: bool | None = None
    fresh: bool = True


async def get_attention(query: GetAttention, app: Application) -> AttentionBoard:
    """Derive the board.

    The last observation is used for repos that are not inspected in time, and for all repos when
    the service has no git roots.

    Raises: NotFound for the user profile or the workspace, Overloaded.
    """
    part = (query.actor, query.user_profile_id, query.workspace_id)
    facts = await app.ask(get_board_facts, GetBoardFacts(*part))
    checkouts = await app.ask(list_checkouts, ListCheckouts(query.actor))
    is_inspected = query.fresh and app.git is not None
    synced: Mapping[UUID, RemoteHeads] = {}
    if facts.repos and (is_inspected or checkouts.checkouts):
        synced = await app.ask(list_remote_heads, ListRemoteHeads(*part))
    if is_inspected and app.git is not None and facts.repos:
        repos = await _inspected(query.actor.user_id, facts.repos, synced, app.git)
        new = [
            after.observation
            for before, after in zip(facts.repos, repos, strict=True)
            if after.observation is not None and after is not before
        ]
        await try_to_save_observations(SaveObservations(query.actor, new), app)
        facts = replace(facts, repos=repos)
    machines = board_machines(facts, utc_now(), checkouts, synced)
    checkout_ids, wanted = machines.heads_to_find
    found: Mapping[UUID, AbstractSet[str]] = {}
    if checkout_ids:
        found = await app.ask(find_heads, FindHeads(query.actor, checkout_ids, wanted))
    inspection = Inspection.DISABLED if app.git is None else Inspection.ENABLED
    return attention_board(facts, machines, found, inspection, query.reason, at_risk=query.at_risk)


async def _inspected(
    user_id: UUID, repos: Sequence[BoardRepo], synced: Mapping[UUID, RemoteHeads], git: Git
) -> list[BoardRepo]:
    """Return the same repos with new observations, as many as the time limit allows.

    The repos with the oldest observations are inspected first: if there is not enough time for
    all, the next request continues with the others.
    """
    now = utc_now()

    def observed_at(repo: BoardRepo) -> datetime:
        # An observation from the future, of a clock that was ahead, would always come last.
        seen = repo.observation.observed_at if repo.observation else _NEVER
        return seen if seen <= now else _NEVER

    def directory(repo: BoardRepo) -> Directory:
        return Directory(repo.path, synced.get(repo.id))

    oldest_first = sorted(repos, key=observed_at)
    statuses = await git.statuses(
        user_id, dict.fromkeys(map(directory, oldest_first)), within=INSPECTION_LIMIT
    )
    return [
        repo
        if (status := statuses.get(directory(repo))) is None
        else replace(repo, observation=RepoObservation.of_repo(repo.id, repo.path, status))
        for repo in repos
    ]
