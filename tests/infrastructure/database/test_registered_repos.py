"""The registered repos of a workspace, and adding many repos, over every store."""

import asyncio
from typing import Any

import aiosqlite
import asyncpg
import pytest

from symphony.domain.base import new_id
from symphony.domain.errors import NotFound
from symphony.domain.reach import Reach
from symphony.domain.repos import RegisteredRepo
from symphony.domain.unit_of_work import Store, TransactionConflict
from symphony.domain.workspaces import Workspace
from tests.domain.examples import a_repo, a_workspace
from tests.infrastructure.database.kept import Household, committed, found, keep

TIME_LIMIT = 10  # seconds


async def registered(store: Store, home: Household, workspace: Workspace) -> list[RegisteredRepo]:
    async with store.reading() as repositories:
        return list(await repositories.repos.registered(Reach(home.user.id), workspace.id))


async def test_the_registered_repos_of_a_workspace_are_sorted_by_name(
    store: Store, ada: Household, eve: Household
) -> None:
    other = a_workspace(ada.user.id, "Other")
    await keep(store, other)
    assert await registered(store, ada, other) == []
    brass = a_repo(ada.workspace.id, "Brass", path="/srv/brass")
    await keep(store, brass, a_repo(other.id, "elsewhere"))
    expected = [RegisteredRepo(each.name, each.path) for each in (brass, ada.repo)]
    assert await registered(store, ada, ada.workspace) == expected
    assert await registered(store, eve, eve.workspace) == [
        RegisteredRepo(eve.repo.name, eve.repo.path)
    ]


async def test_the_registered_repos_of_another_users_workspace_are_not_found(
    store: Store, ada: Household, eve: Household
) -> None:
    for workspace in (eve.workspace, a_workspace(ada.user.id), a_workspace(new_id())):
        with pytest.raises(NotFound) as refused:
            await registered(store, ada, workspace)
        assert str(workspace.id) in refused.value.detail


async def test_many_repos_are_added_together(store: Store, ada: Household) -> None:
    repos = [a_repo(ada.workspace.id, f"r{number}", metadata={"n": number}) for number in range(50)]
    async with committed(store) as uow:
        await uow.repos.add_all(repos)
    for repo in repos:
        assert await found(store, repo, ada.user.id) == repo


def record_calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The driver's methods that are called; each call is one round trip."""
    calls: list[str] = []
    for driver in (asyncpg.Connection, aiosqlite.Connection):
        for name in ("execute", "executemany", "fetch", "execute_fetchall"):
            method: Any = getattr(driver, name, None)
            if method is None:
                continue

            def called(
                connection: Any, *arguments: Any, method: Any = method, name: str = name
            ) -> Any:
                calls.append(name)
                return method(connection, *arguments)

            monkeypatch.setattr(driver, name, called)
    return calls


async def test_one_round_trip_stores_a_hundred_repos(
    store: Store, ada: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    repos = [a_repo(ada.workspace.id, f"r{number}") for number in range(100)]
    with monkeypatch.context() as patched:
        calls = record_calls(patched)
        async with committed(store) as uow:
            await uow.repos.add_all(repos)
    assert calls == ["execute", "executemany", "execute"]  # BEGIN, all repos, COMMIT
    assert len(await registered(store, ada, ada.workspace)) == 101


async def test_a_batch_that_failed_is_never_committed(store: Store, ada: Household) -> None:
    repos = [a_repo(ada.workspace.id, name) for name in ("loom", ada.repo.name)]
    async with store.unit_of_work() as uow:
        with pytest.raises(TransactionConflict):
            await uow.repos.add_all(repos)
        with pytest.raises(RuntimeError):
            await uow.commit()
    assert len(await registered(store, ada, ada.workspace)) == 1


async def test_a_name_that_was_taken_in_the_meantime_is_a_conflict(
    store: Store, ada: Household
) -> None:
    repos = [a_repo(ada.workspace.id, name) for name in ("loom", ada.repo.name.upper())]
    async with store.unit_of_work() as uow:
        with pytest.raises(TransactionConflict):
            await uow.repos.add_all(repos)
    assert await registered(store, ada, ada.workspace) == [
        RegisteredRepo(ada.repo.name, ada.repo.path)
    ]


async def test_adding_many_repos_waits_for_a_repo_that_is_being_renamed(
    store: Store, ada: Household
) -> None:
    async def register() -> None:
        async with committed(store) as uow:
            await uow.repos.add_all([a_repo(ada.workspace.id, "loom")])

    async with store.unit_of_work() as uow:
        repo = await uow.repos.get_for_update(Reach(ada.user.id), ada.repo.id)
        await uow.repos.save(repo.updated({"name": "loom"}))
        registering = asyncio.create_task(register())
        await asyncio.wait([registering], timeout=0.1)
        assert not registering.done()
        await uow.commit()
    with pytest.raises(TransactionConflict):
        await asyncio.wait_for(registering, TIME_LIMIT)
