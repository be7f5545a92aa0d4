"""The use case of asking what needs attention."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from uuid import UUID

from symphony.application.app import Application, Services
from symphony.domain.attention import (
    AttentionBoard,
    AttentionReason,
    BoardFacts,
    BoardRepo,
    RepoObservation,
    attention_board,
)
from symphony.domain.base import utc_now
from symphony.domain.git import Git
from symphony.domain.unit_of_work import Repositories, StoreUnavailable

LOOKING_LIMIT = 15.0  # seconds for all repos of a board
KEEPING_LIMIT = 3.0  # seconds to wait until what was seen is kept
_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class GetAttention:
    """`fresh` looks at each repo now; otherwise what was last seen is told."""

    actor: UUID
    user_profile_id: UUID
    workspace_id: UUID | None = None
    reason: AttentionReason | None = None
    fresh: bool = True


@dataclass(frozen=True, slots=True)
class KeepObservations:
    actor: UUID
    observations: Sequence[RepoObservation]


async def get_attention(query: GetAttention, app: Application) -> AttentionBoard:
    """What needs attention; no connection to the database is held while repos are looked at.

    Repos that are not looked at in time, and all of them when the service may look nowhere, are as
    they were last seen.

    Raises: NotFound for the user profile or the workspace, Overloaded.
    """
    known = await app.ask(get_board_facts, query)
    repos = known.repos
    if query.fresh and app.git is not None:
        repos = await _looked_at(query.actor, repos, app.git)
        seen = [
            after.seen
            for before, after in zip(known.repos, repos, strict=True)
            if after.seen is not None and after is not before
        ]
        await remember(app, query.actor, seen)
    return attention_board(repos, known.vaults, utc_now(), query.reason)


async def get_board_facts(query: GetAttention, repositories: Repositories) -> BoardFacts:
    """Raises: NotFound for the user profile or the workspace."""
    known = await repositories.observations.known(
        query.actor, query.user_profile_id, query.workspace_id
    )
    if not known.repos and not known.vaults:
        await repositories.user_profiles.get(query.actor, query.user_profile_id)
        if query.workspace_id is not None:
            await repositories.workspaces.get(query.actor, query.workspace_id)
    return known


async def remember(app: Application, actor: UUID, observations: Sequence[RepoObservation]) -> None:
    """Keeps what was seen.

    It was seen and is right, so a database that is away or slow fails no answer. It is waited for
    so that whoever asks next knows of it.
    """
    if observations:
        with suppress(StoreUnavailable, TimeoutError):
            async with asyncio.timeout(KEEPING_LIMIT):
                await app.run(keep_observations, KeepObservations(actor, observations))


async def keep_observations(command: KeepObservations, services: Services) -> None:
    await services.observations.keep(command.actor, command.observations)


async def _looked_at(user_id: UUID, repos: Sequence[BoardRepo], git: Git) -> list[BoardRepo]:
    """The same repos as they are now, as far as there is time for it.

    Those that nobody has looked at for longest come first: should the time not be enough for all,
    whoever asks again goes on where it ended.
    """
    oldest_first = sorted(repos, key=lambda each: each.seen.observed_at if each.seen else _NEVER)
    paths = dict.fromkeys(each.path for each in oldest_first)
    statuses = await git.statuses(user_id, paths, within=LOOKING_LIMIT)
    return [
        replace(repo, seen=RepoObservation.of(repo.id, repo.path, statuses[repo.path]))
        if repo.path in statuses
        else repo
        for repo in repos
    ]
