"""Moves of what a workspace contains to another workspace of its owner."""

from collections.abc import Callable
from typing import TypeVar
from uuid import UUID

from symphony.domain import writes
from symphony.domain.base import PagedRepository
from symphony.domain.errors import FieldError, Invalid, NotFound
from symphony.domain.reach import Reach
from symphony.domain.workspaces import WorkspaceContent, WorkspaceRepository

C = TypeVar("C", bound=WorkspaceContent)


async def update_and_move(
    repository: PagedRepository[C],
    workspaces: WorkspaceRepository,
    max_per_workspace: int,
    *,
    reach: Reach,
    entity_id: UUID,
    target_id: UUID,
    expected_tags: frozenset[str] | None,
    change: Callable[[C], C],
) -> C:
    """Save what `change` returns, which is in the workspace `target_id`, and count it there.

    Raises: Invalid when the caller reaches no such workspace, NotFound, PreconditionFailed,
        LimitReached, AlreadyExists, and what `change` raises.
    """
    # What is wrong with the request itself is reported first.
    await _require(workspaces, reach, target_id)
    found = await repository.get(reach, entity_id)
    if found.workspace_id != target_id:
        await _lock(workspaces, reach, found.workspace_id, target_id)
    entity = await repository.get_unmoved_for_update(reach, found)
    entity.require(expected_tags)
    changed = change(entity)
    if changed.workspace_id != entity.workspace_id:
        counter = f"{entity.noun}_count"
        stats = await workspaces.count_contents(reach, target_id, **{counter: 1})
        writes.require_within(max_per_workspace, entity.noun, getattr(stats, counter))
        await workspaces.count_contents(reach, entity.workspace_id, **{counter: -1})
    return await writes.save_if_changed(repository, entity, changed)


async def _require(workspaces: WorkspaceRepository, reach: Reach, target_id: UUID) -> None:
    try:
        await workspaces.get(reach, target_id)
    except NotFound:
        raise _unknown_workspace() from None


async def _lock(
    workspaces: WorkspaceRepository, reach: Reach, source_id: UUID, target_id: UUID
) -> None:
    """Lock two workspaces in the order of their ids, so that opposite moves do not deadlock."""
    for workspace_id in sorted((source_id, target_id)):
        try:
            await workspaces.count_contents(reach, workspace_id)
        except NotFound:
            # It was removed meanwhile. What is to be moved went with the source, or was moved out.
            if workspace_id == target_id:
                raise _unknown_workspace() from None


def _unknown_workspace() -> Invalid:
    detail = "Must be the id of one of your workspaces."
    return Invalid([FieldError("workspace_id", "workspace-not-found", detail)])
