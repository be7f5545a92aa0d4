"""The contract of the unit of work, over every store: all changes are committed, or none."""

import asyncio

import pytest

from symphony.domain.base import PageRequest
from symphony.domain.errors import AlreadyExists, NotFound
from symphony.domain.reach import Reach
from symphony.domain.repos import Repo
from symphony.domain.unit_of_work import Store
from symphony.domain.workspaces import Workspace
from tests.domain.examples import a_profile, a_repo, a_workspace
from tests.infrastructure.database.kept import Household, committed, found, keep, listed

pytestmark = pytest.mark.every_store  # they differ in how writers and readers wait

TIME_LIMIT = 10  # seconds


async def test_leaving_without_a_commit_rolls_back(store: Store, ada: Household) -> None:
    user, workspace = ada.user, ada.workspace
    async with store.unit_of_work() as uow:
        await uow.workspaces.add(a_workspace(user.id, "Never"))
        await uow.workspaces.save(workspace.updated({"name": "Never either"}))
        await uow.repos.remove(ada.repo)
        await uow.user_profiles.count_workspaces(user.id, user.id, added=1)
    assert await listed(store, Workspace, user.id, user.id) == [workspace]
    assert await found(store, ada.repo, user.id) == ada.repo
    async with store.unit_of_work() as uow:
        assert await uow.user_profiles.count_workspaces(user.id, user.id) == 0


async def test_an_error_rolls_back_and_reaches_the_caller(store: Store, ada: Household) -> None:
    with pytest.raises(AlreadyExists):
        await keep(store, a_workspace(ada.user.id, "First"), a_workspace(ada.user.id, "FIRST"))

    async def fail_halfway() -> None:
        async with store.unit_of_work() as uow:
            await uow.workspaces.add(a_workspace(ada.user.id, "First"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail_halfway()
    assert await listed(store, Workspace, ada.user.id, ada.user.id) == [ada.workspace]


async def test_changes_after_the_commit_are_rolled_back(store: Store, ada: Household) -> None:
    one, other = a_workspace(ada.user.id, "One"), a_workspace(ada.user.id, "Other")
    async with store.unit_of_work() as uow:
        await uow.workspaces.add(one)
        await uow.commit()
        await uow.workspaces.add(other)
    assert await found(store, one, ada.user.id) == one
    with pytest.raises(NotFound):
        await found(store, other, ada.user.id)


async def test_only_the_unit_of_work_itself_sees_its_changes_before_the_commit(
    store: Store, ada: Household
) -> None:
    fresh = a_workspace(ada.user.id, "Fresh")
    async with store.unit_of_work() as uow:
        await uow.workspaces.add(fresh)
        await uow.repos.remove(ada.repo)
        assert await uow.workspaces.get(Reach(ada.user.id), fresh.id) == fresh
        with pytest.raises(NotFound):
            await uow.repos.get(Reach(ada.user.id), ada.repo.id)
        # SQLite in memory keeps no older state for readers: there they wait for the commit.
        reading = asyncio.create_task(listed(store, Workspace, ada.user.id, ada.user.id))
        await asyncio.wait([reading], timeout=0.1)
        if reading.done():
            assert reading.result() == [ada.workspace]
        await uow.commit()
    assert await reading in ([ada.workspace], [fresh, ada.workspace])
    assert await listed(store, Workspace, ada.user.id, ada.user.id) == [fresh, ada.workspace]


async def test_a_new_reading_sees_everything_committed_before_it(
    store: Store, ada: Household
) -> None:
    for number in range(20):
        fresh = a_workspace(ada.user.id, f"w{number}")
        await keep(store, fresh)
        assert await found(store, fresh, ada.user.id) == fresh


async def test_getting_an_entity_for_update_waits_for_the_first_one_that_did(
    store: Store, ada: Household
) -> None:
    async def rename() -> Workspace:
        async with committed(store) as uow:
            workspace = await uow.workspaces.get_for_update(Reach(ada.user.id), ada.workspace.id)
            changed = workspace.updated({"name": "Second"})
            await uow.workspaces.save(changed)
            return changed

    async with store.unit_of_work() as uow:
        workspace = await uow.workspaces.get_for_update(Reach(ada.user.id), ada.workspace.id)
        second = asyncio.create_task(rename())
        await asyncio.wait([second], timeout=0.1)
        assert not second.done()
        await uow.workspaces.save(workspace.updated({"name": "First", "description": "kept"}))
        await uow.commit()
    changed = await asyncio.wait_for(second, TIME_LIMIT)
    assert (changed.name, changed.description, changed.version) == ("Second", "kept", 3)


@pytest.mark.parametrize("store_kind", ["postgresql"], indirect=True)
async def test_adding_a_child_does_not_wait_for_an_update_of_its_parent(
    store: Store, ada: Household
) -> None:
    async with store.unit_of_work() as uow:
        await uow.workspaces.get_for_update(Reach(ada.user.id), ada.workspace.id)
        await asyncio.wait_for(keep(store, a_repo(ada.workspace.id, "quick")), TIME_LIMIT)


async def test_parallel_units_of_work_that_read_and_then_write_all_succeed(
    store: Store, ada: Household
) -> None:
    async def read_then_write(number: int) -> None:
        async with committed(store) as uow:
            await uow.workspaces.page(Reach(ada.user.id), ada.user.id, PageRequest(limit=10))
            await uow.repos.add(a_repo(ada.workspace.id, f"r{number}"))

    await asyncio.gather(*(read_then_write(number) for number in range(40)))
    stored = await listed(store, Repo, ada.user.id, ada.workspace.id)
    expected = [ada.repo.name, *(f"r{number}" for number in range(40))]
    assert sorted(repo.name for repo in stored) == sorted(expected)


@pytest.mark.long
async def test_parallel_read_modify_writes_lose_nothing(store: Store, ada: Household) -> None:
    tasks, rounds = 16, 10

    async def count(name: str) -> None:
        for _ in range(rounds):
            async with committed(store) as uow:
                workspace = await uow.workspaces.get_for_update(
                    Reach(ada.user.id), ada.workspace.id
                )
                present = workspace.settings.get(name, 0)
                assert isinstance(present, int)
                await uow.workspaces.save(workspace.updated({"settings": {name: present + 1}}))

    async def read() -> None:
        for _ in range(rounds):
            await found(store, ada.workspace, ada.user.id)

    names = [f"task-{number}" for number in range(tasks)]
    await asyncio.gather(*map(count, names), *(read() for _ in range(tasks)))
    workspace = await found(store, ada.workspace, ada.user.id)
    assert workspace.settings == dict.fromkeys(names, rounds)
    assert workspace.version == 1 + tasks * rounds


async def test_many_parallel_units_of_work_queue_for_connections(store: Store) -> None:
    profiles = [a_profile(f"user_{number}") for number in range(100)]
    await asyncio.gather(*(keep(store, profile) for profile in profiles))
    for profile in profiles[::10]:
        assert await found(store, profile, profile.id) == profile
