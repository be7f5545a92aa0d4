"""The attention board: repos are inspected while no database connection is held."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from uuid import UUID

from symphony.application.app import Application
from symphony.application.attention import GetBoardFacts, SaveObservations, get_board_facts
from symphony.application.orchestrations.observation_saving import try_to_save_observations
from symphony.domain.attention import (
    AttentionBoard,
    AttentionReason,
    BoardRepo,
    RepoObservation,
    attention_board,
)
from symphony.domain.base import utc_now
from symphony.domain.git.status import Git

INSPECTION_LIMIT = 15.0  # seconds for all repos of a board
_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class GetAttention:
    """Get the board; `fresh` inspects each repo now instead of using the last observations."""

    actor: UUID
    user_profile_id: UUID
    workspace_id: UUID | None = None
    reason: AttentionReason | None = None
    fresh: bool = True


async def get_attention(query: GetAttention, app: Application) -> AttentionBoard:
    """Derive the board.

    The last observation is used for repos that are not inspected in time, and for all repos when
    the service has no git roots.

    Raises: NotFound for the user profile or the workspace, Overloaded.
    """
    facts = await app.ask(
        get_board_facts, GetBoardFacts(query.actor, query.user_profile_id, query.workspace_id)
    )
    repos = facts.repos
    if query.fresh and app.git is not None:
        repos = await _inspected(query.actor, repos, app.git)
        new = [
            after.observation
            for before, after in zip(facts.repos, repos, strict=True)
            if after.observation is not None and after is not before
        ]
        await try_to_save_observations(SaveObservations(query.actor, new), app)
    return attention_board(repos, facts.vaults, utc_now(), query.reason)


async def _inspected(user_id: UUID, repos: Sequence[BoardRepo], git: Git) -> list[BoardRepo]:
    """Return the same repos with new observations, as many as the time limit allows.

    The repos with the oldest observations are inspected first: if there is not enough time for
    all, the next request continues with the others.
    """
    now = utc_now()

    def observed_at(repo: BoardRepo) -> datetime:
        # An observation from the future, of a clock that was ahead, would always come last.
        seen = repo.observation.observed_at if repo.observation else _NEVER
        return seen if seen <= now else _NEVER

    oldest_first = sorted(repos, key=observed_at)
    paths = dict.fromkeys(each.path for each in oldest_first)
    statuses = await git.statuses(user_id, paths, within=INSPECTION_LIMIT)
    return [
        replace(repo, observation=RepoObservation.of(repo.id, repo.path, statuses[repo.path]))
        if repo.path in statuses
        else repo
        for repo in repos
    ]
