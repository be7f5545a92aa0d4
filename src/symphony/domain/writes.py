"""Steps of writes that the services of several nouns share."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from uuid import UUID

from symphony.domain.base import E, PagedRepository, Repository
from symphony.domain.errors import LimitReached, NotFound
from symphony.domain.reach import Reach


async def get_expected(
    repository: Repository[E],
    reach: Reach,
    entity_id: UUID,
    expected_tags: frozenset[str] | None,
) -> E:
    """Lock an entity and require one of the expected states.

    Raises: NotFound, PreconditionFailed.
    """
    entity = await repository.get_for_update(reach, entity_id)
    entity.require(expected_tags)
    return entity


async def save_if_changed(repository: Repository[E], before: E, after: E) -> E:
    """Raises: AlreadyExists."""
    if after is not before:
        await repository.save(after)
    return after


async def update(
    repository: Repository[E],
    reach: Reach,
    entity_id: UUID,
    expected_tags: frozenset[str] | None,
    change: Callable[[E], E],
) -> E:
    """Lock an entity, require one of the expected states, and save what `change` returns.

    Raises: NotFound, PreconditionFailed, AlreadyExists, and what `change` raises.
    """
    entity = await get_expected(repository, reach, entity_id, expected_tags)
    return await save_if_changed(repository, entity, change(entity))


def require_within(limit: int, noun: str, counted: int, imported: int | None = None) -> None:
    """Compare `counted` with the limit; it includes one new entity, or those of an import.

    Raises: LimitReached.
    """
    if counted > limit:
        used = counted - (imported or 1)
        raise LimitReached(noun, limit=limit, used=used, imported=imported)


async def remove_from_parent(
    repository: PagedRepository[E],
    reach: Reach,
    entity_id: UUID,
    expected_tags: frozenset[str] | None,
    count: Callable[[E, int], Awaitable[object]],
    require: Callable[[E], Awaitable[None]] | None = None,
) -> None:
    """Remove an entity, and subtract it from the counter of its parent.

    `count` locks the parent of an entity and adds a number to its counter; `require` raises when
    the entity cannot be removed.

    Raises: NotFound, PreconditionFailed, and what `require` raises.
    """
    found = await repository.get(reach, entity_id)
    # Every command locks parents before children, so no two commands wait for each other. Another
    # command may have removed or moved the entity before the lock was granted, or removed the
    # parent, so the entity is read again.
    with suppress(NotFound):
        await count(found, 0)
    entity = await repository.get_unmoved_for_update(reach, found)
    entity.require(expected_tags)
    if require is not None:
        await require(entity)
    await repository.remove(entity)
    await count(entity, -1)
