"""The marks of the last writes, over every store."""

import asyncio
from uuid import UUID

from symphony.domain.base import new_id
from symphony.domain.unit_of_work import Store
from symphony.domain.user_profiles import FIRST_GENERATION, UserState
from symphony.infrastructure.database.engine import Engines
from tests.domain.examples import a_token
from tests.infrastructure.database.kept import Household, committed, keep
from tests.infrastructure.database.test_plans import assert_indexed, plan, recorded


async def state(store: Store, household: Household) -> UserState | None:
    async with store.reading() as repositories:
        return await repositories.last_writes.find(household.user.id)


async def marked(store: Store, household: Household) -> tuple[int, UUID | None] | None:
    """Return the generation and the mark of a user."""
    found = await state(store, household)
    return found and (found.token_generation, found.last_write.mark)


async def test_the_last_mark_is_read_with_the_generation_of_the_user(
    store: Store, ada: Household, eve: Household
) -> None:
    assert await marked(store, ada) == (FIRST_GENERATION, None)
    for mark in (new_id(), new_id()):
        async with committed(store) as uow:
            await uow.last_writes.record(ada.user.id, mark)
        assert await marked(store, ada) == (FIRST_GENERATION, mark)
    assert await marked(store, eve) == (FIRST_GENERATION, None)


async def test_a_mark_is_stored_with_its_unit_of_work_or_not_at_all(
    store: Store, ada: Household
) -> None:
    async with store.unit_of_work() as uow:
        await uow.last_writes.record(ada.user.id, new_id())
    assert await marked(store, ada) == (FIRST_GENERATION, None)


async def test_nobody_has_no_state_and_gets_no_mark(store: Store, ada: Household) -> None:
    async with committed(store) as uow:
        await uow.last_writes.record(new_id(), new_id())
        assert await uow.last_writes.find(new_id()) is None
    assert await marked(store, ada) == (FIRST_GENERATION, None)


async def test_a_token_is_found_with_the_mark_of_its_owner(store: Store, ada: Household) -> None:
    token, mark = a_token(ada.user.id), new_id()
    await keep(store, token)
    async with store.reading() as repositories:
        tokens = repositories.api_tokens
        found = await tokens.get_with_last_write(token.token_hash)
        assert found is not None
        assert (found[0], found[1].mark) == (token, None)
        assert await tokens.get_with_last_write(b"other") is None
    async with committed(store) as uow:
        await uow.last_writes.record(ada.user.id, mark)
    async with store.reading() as repositories:
        found = await repositories.api_tokens.get_with_last_write(token.token_hash)
        assert found is not None
        assert (found[0], found[1].mark) == (token, mark)


async def test_parallel_writes_of_a_user_leave_one_of_their_marks(
    store: Store, ada: Household
) -> None:
    marks = [new_id() for _ in range(8)]

    async def write(number: int) -> None:
        async with committed(store) as uow:
            await uow.last_writes.record(ada.user.id, marks[number])

    await asyncio.gather(*map(write, range(len(marks))))
    found = await state(store, ada)
    assert found is not None
    assert found.last_write.mark in marks


async def test_a_state_is_read_from_indexes(store: Store, engines: Engines, ada: Household) -> None:
    with recorded() as statements:
        await state(store, ada)
    assert_indexed(await plan(engines, statements[-1]))


async def test_the_server_of_a_last_write_is_the_same_for_all_and_for_every_connection(
    store: Store, ada: Household, eve: Household, store_kind: str
) -> None:
    token = a_token(ada.user.id)
    await keep(store, token)
    found = await asyncio.gather(*(state(store, each) for each in (ada, eve) for _ in range(3)))
    async with store.reading() as repositories:
        with_token = await repositories.api_tokens.get_with_last_write(token.token_hash)
    assert with_token is not None
    servers = {each.last_write.server for each in found if each is not None}
    assert servers == {with_token[1].server}
    assert (None in servers) == (store_kind != "postgresql")
