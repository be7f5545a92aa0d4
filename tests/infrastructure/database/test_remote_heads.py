"""The contract of what syncs saw, over every store."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

from symphony.domain.base import new_id
from symphony.domain.git.work import Comparison, RemoteHeads
from symphony.domain.reach import Reach
from symphony.domain.repos import Repo
from symphony.domain.unit_of_work import Store
from tests.domain.examples import a_repo, a_workspace
from tests.infrastructure.database.kept import Household, committed, keep

URL = "https://git.example.org/ada/engine.git"
SEEN = RemoteHeads(
    remote_url=URL,
    branches={"main": "a" * 40, 'Ωmega/"quoted"': "b" * 64},
    default_branch="main",
    comparison=Comparison("c" * 40, "a" * 40, 3, 1),
    tags=frozenset({"d" * 40, "e" * 40}),
    synced_at=datetime(2026, 11, 27, 15, 0, 0, 250, tzinfo=UTC),
)
OTHERWISE = replace(SEEN, branches={}, default_branch=None, comparison=None, is_complete=False)


async def a_synced_repo(store: Store, workspace_id: UUID, name: str) -> Repo:
    repo = replace(a_repo(workspace_id, name), remote_url=URL)
    await keep(store, repo)
    return repo


async def save(store: Store, repo: Repo, heads: RemoteHeads) -> None:
    async with committed(store) as uow:
        await uow.remote_heads.save(repo.id, heads)


async def of_repo(store: Store, owner_id: UUID, repo_id: UUID) -> RemoteHeads | None:
    async with store.reading() as repositories:
        return await repositories.remote_heads.of_repo(Reach(owner_id), repo_id)


async def of_user(
    store: Store, owner_id: UUID, workspace_id: UUID | None = None, *, of: UUID | None = None
) -> Mapping[UUID, RemoteHeads]:
    async with store.reading() as repositories:
        return await repositories.remote_heads.of_user(
            Reach(owner_id), of or owner_id, workspace_id
        )


async def test_what_was_seen_is_read_as_it_was_written_until_another_sync(
    store: Store, ada: Household
) -> None:
    repo = await a_synced_repo(store, ada.workspace.id, "loom")
    assert await of_repo(store, ada.user.id, repo.id) is None
    for seen in (SEEN, OTHERWISE, SEEN):
        await save(store, repo, seen)
        assert await of_repo(store, ada.user.id, repo.id) == seen
        assert await of_user(store, ada.user.id) == {repo.id: seen}  # kept until the next sync
        assert await of_user(store, ada.user.id) == {repo.id: seen}


async def test_what_was_seen_of_another_remote_is_not_read(store: Store, ada: Household) -> None:
    repo = await a_synced_repo(store, ada.workspace.id, "loom")
    await save(store, repo, SEEN)
    other = repo.updated({"remote_url": "https://git.example.org/other.git"})
    async with committed(store) as uow:
        await uow.repos.save(other)
    assert await of_repo(store, ada.user.id, repo.id) is None
    assert await of_user(store, ada.user.id) == {}


async def test_it_is_read_by_workspace_and_removed_with_the_repo(
    store: Store, ada: Household
) -> None:
    elsewhere = a_workspace(ada.user.id, "Elsewhere")
    await keep(store, elsewhere)
    first = await a_synced_repo(store, ada.workspace.id, "first")
    second = await a_synced_repo(store, elsewhere.id, "second")
    for repo in (first, second):
        await save(store, repo, SEEN)
    assert set(await of_user(store, ada.user.id)) == {first.id, second.id}
    assert set(await of_user(store, ada.user.id, elsewhere.id)) == {second.id}
    async with committed(store) as uow:
        await uow.repos.remove(second)
    assert set(await of_user(store, ada.user.id)) == {first.id}


async def test_another_user_reads_nothing(store: Store, ada: Household, eve: Household) -> None:
    repo = await a_synced_repo(store, ada.workspace.id, "loom")
    await save(store, repo, SEEN)
    assert await of_repo(store, eve.user.id, repo.id) is None
    assert await of_user(store, eve.user.id, of=ada.user.id) == {}
    assert await of_user(store, ada.user.id, of=eve.user.id) == {}
    assert await of_user(store, ada.user.id, new_id()) == {}
