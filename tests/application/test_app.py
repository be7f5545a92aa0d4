"""How commands run: in a transaction of their own, to completion, and again after a conflict."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from uuid import UUID

import pytest

from symphony.application.app import Application, Services
from symphony.application.repos import CreateRepo, GetRepo, create_repo, get_repo
from symphony.application.retries import MAX_ATTEMPTS
from symphony.application.user_profiles import GetUserProfile, get_user_profile
from symphony.application.workspaces import (
    CreateWorkspace,
    DeleteWorkspace,
    GetWorkspace,
    ListWorkspaces,
    UpdateWorkspace,
    create_workspace,
    delete_workspace,
    get_workspace,
    list_workspaces,
    update_workspace,
)
from symphony.domain.base import PageRequest
from symphony.domain.errors import InUse, NotFound
from symphony.domain.reach import Reach
from symphony.domain.repos import Repo
from symphony.domain.unit_of_work import (
    Repositories,
    Store,
    StoreUnavailable,
    TransactionConflict,
    UnitOfWork,
)
from symphony.infrastructure.hashing_threads import HashingThreads
from tests.application.conftest import POLICY, an_application

AT_ONCE = 2  # seconds: far below every time limit on a lock


async def names(app: Application, user_id: UUID) -> list[str]:
    query = ListWorkspaces(Reach(user_id), user_id, PageRequest(limit=100, sort="name"))
    return [each.name for each in (await app.ask(list_workspaces, query)).items]


async def test_the_result_of_a_command_is_committed(app: Application, ada: UUID) -> None:
    made = await app.run(create_workspace, CreateWorkspace(Reach(ada), ada, "Thesis"))
    assert await app.ask(get_workspace, GetWorkspace(Reach(ada), made.id)) == made


async def test_a_command_that_fails_is_rolled_back(app: Application, ada: UUID) -> None:
    async def make_two(user_id: UUID, services: Services) -> None:
        await create_workspace(CreateWorkspace(Reach(user_id), user_id, "One"), services)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await app.run(make_two, ada)
    assert await names(app, ada) == []
    for number in range(POLICY.max_workspaces_per_user):
        await app.run(create_workspace, CreateWorkspace(Reach(ada), ada, f"w{number}"))


async def test_a_cancelled_caller_leaves_no_lock_and_nothing_half_done(
    app: Application, ada: UUID
) -> None:
    """Cancels 40 callers at different moments; the next command never waits."""
    workspace = await app.run(create_workspace, CreateWorkspace(Reach(ada), ada, "Thesis"))
    moments = random.Random(7)  # noqa: S311 - only to be spread out
    for number in range(40):
        command = UpdateWorkspace(
            Reach(ada), workspace.id, {"settings": {f"cancelled-{number}": True}}
        )
        cancelled = asyncio.create_task(app.run(update_workspace, command))
        await asyncio.sleep(moments.uniform(0, 0.01))
        cancelled.cancel()
        next_one = UpdateWorkspace(Reach(ada), workspace.id, {"settings": {f"next-{number}": True}})
        async with asyncio.timeout(AT_ONCE):
            await app.run(update_workspace, next_one)
        await asyncio.gather(cancelled, return_exceptions=True)
    await app.drain()
    kept = await app.ask(get_workspace, GetWorkspace(Reach(ada), workspace.id))
    assert {f"next-{number}" for number in range(40)} <= kept.settings.keys()
    assert kept.version == 1 + len(kept.settings)


async def test_cancelled_queries_release_their_connections(app: Application, ada: UUID) -> None:
    moments = random.Random(7)  # noqa: S311 - only to be spread out
    for _ in range(120):
        asked = [
            asyncio.create_task(app.ask(get_user_profile, GetUserProfile(ada, ada)))
            for _ in range(4)
        ]
        await asyncio.sleep(moments.uniform(0, 0.004))
        for query in asked:
            query.cancel()
        await asyncio.gather(*asked, return_exceptions=True)
    async with asyncio.timeout(AT_ONCE):
        assert (await app.ask(get_user_profile, GetUserProfile(ada, ada))).id == ada
        await app.run(create_workspace, CreateWorkspace(Reach(ada), ada, "Thesis"))


async def test_drain_waits_for_commands_of_cancelled_callers(app: Application, ada: UUID) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def make_slowly(user_id: UUID, services: Services) -> None:
        await create_workspace(CreateWorkspace(Reach(user_id), user_id, "Slow"), services)
        begun.set()
        await go_on.wait()

    caller = asyncio.create_task(app.run(make_slowly, ada))
    await begun.wait()
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    draining = asyncio.create_task(app.drain())
    await asyncio.wait([draining], timeout=0.05)
    assert not draining.done()
    go_on.set()
    await draining
    assert await names(app, ada) == ["Slow"]


@pytest.mark.long
@pytest.mark.parametrize("store_kind", ["postgresql"], indirect=True)
async def test_commands_in_a_deadlock_are_run_again_until_both_are_done(
    app: Application, ada: UUID, eve: UUID
) -> None:
    attempts = Counter[str]()
    both_hold_one = asyncio.Barrier(2)

    async def count_both(order: tuple[UUID, UUID], services: Services) -> None:
        first, second = order
        attempts[str(first)] += 1
        await create_workspace(CreateWorkspace(Reach(first), first, f"by-{first}"), services)
        if attempts[str(first)] == 1:
            await both_hold_one.wait()
        await create_workspace(CreateWorkspace(Reach(second), second, f"by-{first}"), services)

    await asyncio.gather(app.run(count_both, (ada, eve)), app.run(count_both, (eve, ada)))
    assert max(attempts.values()) > 1
    for user_id in (ada, eve):
        assert sorted(await names(app, user_id)) == sorted([f"by-{ada}", f"by-{eve}"])


class Contended:
    """A store whose first units of work have a conflict when they commit."""

    def __init__(self, store: Store, conflicts: int) -> None:
        self._store = store
        self._left = conflicts
        self.begun = 0

    @asynccontextmanager
    async def unit_of_work(self) -> AsyncGenerator[UnitOfWork]:
        self.begun += 1
        async with self._store.unit_of_work() as uow:
            yield uow
            if self._left:
                self._left -= 1
                raise TransactionConflict

    @asynccontextmanager
    async def reading(self) -> AsyncGenerator[Repositories]:
        async with self._store.reading() as repositories:
            yield repositories


@pytest.mark.long
@pytest.mark.parametrize(
    ("conflicts", "succeeds"), [(1, True), (MAX_ATTEMPTS - 1, True), (MAX_ATTEMPTS, False)]
)
@pytest.mark.parametrize("store_kind", ["sqlite-memory"], indirect=True)
async def test_a_command_with_conflicts_is_run_at_most_ten_times(
    store: Store, threads: HashingThreads, conflicts: int, *, succeeds: bool
) -> None:
    contended = Contended(store, conflicts)
    app = an_application(contended, threads)
    seen: list[int] = []

    async def count(start: int, _services: Services) -> int:
        seen.append(start)
        return len(seen)

    if succeeds:
        assert await app.run(count, 1) == conflicts + 1
    else:
        with pytest.raises(StoreUnavailable):
            await app.run(count, 1)
    assert contended.begun == len(seen) == min(conflicts + 1, MAX_ATTEMPTS)


async def test_a_repo_created_during_the_deletion_of_its_workspace_is_refused_or_prevents_it(
    app: Application, ada: UUID
) -> None:
    async def make(workspace_id: UUID) -> Repo | None:
        try:
            return await app.run(create_repo, CreateRepo(Reach(ada), workspace_id, "r", "/r"))
        except NotFound:
            return None

    async def delete(workspace_id: UUID) -> bool:
        try:
            await app.run(delete_workspace, DeleteWorkspace(Reach(ada), workspace_id))
        except InUse:
            return False
        return True

    for number in range(25):
        parent = await app.run(create_workspace, CreateWorkspace(Reach(ada), ada, f"w{number}"))
        making = asyncio.create_task(make(parent.id))
        if number % 2:
            await asyncio.sleep(0)  # lets either of the two be first
        deleted = await delete(parent.id)
        made = await making
        assert (made is None) is deleted
        if made:
            assert await app.ask(get_repo, GetRepo(Reach(ada), made.id)) == made
            await app.run(delete_workspace, DeleteWorkspace(Reach(ada), parent.id, force=True))
