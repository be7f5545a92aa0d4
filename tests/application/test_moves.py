"""Moves between workspaces, in parallel with everything that they could collide with."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Generator, Mapping
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import pytest

from symphony.application.app import Application
from symphony.application.repos import (
    CreateRepo,
    DeleteRepo,
    GetRepo,
    ImportItem,
    ImportRepos,
    ListRepos,
    UpdateRepo,
    create_repo,
    delete_repo,
    get_repo,
    import_repos,
    list_repos,
    update_repo,
)
from symphony.application.vaults.vaults import (
    CreateVault,
    GetVault,
    LockVault,
    UpdateVault,
    create_vault,
    get_vault,
    lock_vault,
    update_vault,
)
from symphony.application.workspaces import (
    CreateWorkspace,
    DeleteWorkspace,
    GetWorkspaceStats,
    create_workspace,
    delete_workspace,
    get_workspace_stats,
)
from symphony.domain.base import PageRequest
from symphony.domain.errors import DomainError, NotFound
from symphony.domain.reach import Reach
from symphony.domain.repos import Repo
from symphony.infrastructure.database.sqlalchemy_internals import Prepared

ROUNDS = 8

pytestmark = pytest.mark.every_store  # they differ in how writers wait for each other


@pytest.fixture
async def pair(app: Application, ada: UUID) -> tuple[UUID, UUID]:
    """Two workspaces of ada's."""
    one = await app.run(create_workspace, CreateWorkspace(Reach(ada), ada, "one"))
    two = await app.run(create_workspace, CreateWorkspace(Reach(ada), ada, "two"))
    return one.id, two.id


async def a_repo(app: Application, ada: UUID, workspace_id: UUID, name: str = "engine") -> Repo:
    return await app.run(create_repo, CreateRepo(Reach(ada), workspace_id, name, "/x"))


def move(app: Application, ada: UUID, repo: Repo, target: UUID) -> Awaitable[Repo]:
    return app.run(update_repo, UpdateRepo(Reach(ada), repo.id, {"workspace_id": target}))


async def outcome(work: Awaitable[Any]) -> str:
    try:
        await work
    except DomainError as refused:
        return refused.slug
    return "done"


async def outcomes(*work: Awaitable[Any]) -> list[str]:
    return await asyncio.gather(*map(outcome, work))


async def counted(app: Application, ada: UUID, workspace_id: UUID) -> int:
    """The number of repos, which is that of the list."""
    query = ListRepos(Reach(ada), workspace_id, PageRequest(limit=200))
    number = len((await app.ask(list_repos, query)).items)
    stats = await app.ask(get_workspace_stats, GetWorkspaceStats(Reach(ada), workspace_id))
    assert stats.repo_count == number
    return number


@contextmanager
def locked_workspaces() -> Generator[list[UUID]]:
    """Record the ids of the workspaces that are locked, in order."""
    ids: list[UUID] = []
    arguments = Prepared.arguments

    def record(prepared: Prepared, given: Mapping[str, Any]) -> list[Any]:
        if prepared.sql.startswith("UPDATE workspaces"):
            ids.append(given["entity_id"])
        return arguments(prepared, given)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Prepared, "arguments", record)
        yield ids


async def test_moves_in_both_directions_lock_the_workspaces_in_one_order(
    app: Application, ada: UUID, pair: tuple[UUID, UUID]
) -> None:
    repo = await a_repo(app, ada, pair[0])
    for target in reversed(pair):
        with locked_workspaces() as ids:
            await move(app, ada, repo, target)
        assert ids[:2] == sorted(pair)


async def test_opposite_moves_exchange_everything(
    app: Application, ada: UUID, pair: tuple[UUID, UUID]
) -> None:
    one, two = pair
    for number in range(2):
        await a_repo(app, ada, one, f"of one {number}")
        await a_repo(app, ada, two, f"of two {number}")
    repos = [
        (each, two if workspace == one else one)
        for workspace in pair
        for each in (
            await app.ask(list_repos, ListRepos(Reach(ada), workspace, PageRequest(limit=9)))
        ).items
    ]
    assert set(await outcomes(*(move(app, ada, repo, target) for repo, target in repos))) == {
        "done"
    }
    assert [await counted(app, ada, each) for each in pair] == [2, 2]
    for repo, target in repos:
        assert (await app.ask(get_repo, GetRepo(Reach(ada), repo.id))).workspace_id == target


async def test_every_update_during_moves_is_kept(
    app: Application, ada: UUID, pair: tuple[UUID, UUID]
) -> None:
    repo = await a_repo(app, ada, pair[0])
    updates = [
        app.run(update_repo, UpdateRepo(Reach(ada), repo.id, {"metadata": {str(number): number}}))
        for number in range(ROUNDS)
    ]
    moves = [move(app, ada, repo, pair[number % 2]) for number in range(ROUNDS)]
    assert set(
        await outcomes(*(each for both in zip(moves, updates, strict=True) for each in both))
    ) == {"done"}
    kept = await app.ask(get_repo, GetRepo(Reach(ada), repo.id))
    assert kept.metadata == {str(number): number for number in range(ROUNDS)}
    assert sorted([await counted(app, ada, each) for each in pair]) == [0, 1]


async def test_a_deletion_during_moves_is_counted_where_the_repo_was(
    app: Application, ada: UUID, pair: tuple[UUID, UUID]
) -> None:
    for _ in range(ROUNDS):
        repo = await a_repo(app, ada, pair[0])
        deleted, *moved = await outcomes(
            app.run(delete_repo, DeleteRepo(Reach(ada), repo.id)),
            *(move(app, ada, repo, pair[number % 2]) for number in range(3)),
        )
        assert deleted == "done"
        assert set(moved) <= {"done", "repo-not-found"}
        assert [await counted(app, ada, each) for each in pair] == [0, 0]


@pytest.mark.parametrize("force", [False, True])
async def test_nothing_is_lost_when_the_target_is_deleted_during_a_move(
    app: Application, ada: UUID, pair: tuple[UUID, UUID], *, force: bool
) -> None:
    repo = await a_repo(app, ada, pair[0])
    met = Counter[tuple[str, str]]()
    for number in range(ROUNDS):
        target = (
            await app.run(create_workspace, CreateWorkspace(Reach(ada), ada, f"t{number}"))
        ).id
        moved, deleted = await outcomes(
            move(app, ada, repo, target),
            app.run(delete_workspace, DeleteWorkspace(Reach(ada), target, force)),
        )
        met[moved, deleted] += 1
        if deleted == "workspace-not-empty" or (moved, deleted) == ("done", "done"):
            assert moved == "done"
        else:
            # The target was gone: the repo stays where it was.
            assert (moved, deleted) == ("validation-error", "done")
        if (moved, deleted) == ("done", "done"):
            assert force  # deleted with all its contents, after the move
            with pytest.raises(NotFound):
                await app.ask(get_repo, GetRepo(Reach(ada), repo.id))
            repo = await a_repo(app, ada, pair[0])
        elif moved == "done":
            await move(app, ada, repo, pair[0])
            await app.run(delete_workspace, DeleteWorkspace(Reach(ada), target))
        assert await counted(app, ada, pair[0]) == 1
    assert met.total() == ROUNDS


async def test_a_repo_is_moved_or_deleted_with_its_source(
    app: Application, ada: UUID, pair: tuple[UUID, UUID]
) -> None:
    target = pair[0]
    for number in range(ROUNDS):
        source = (
            await app.run(create_workspace, CreateWorkspace(Reach(ada), ada, f"s{number}"))
        ).id
        repo = await a_repo(app, ada, source)
        moved, deleted, removed = await outcomes(
            move(app, ada, repo, target),
            app.run(delete_workspace, DeleteWorkspace(Reach(ada), source, force=True)),
            app.run(delete_repo, DeleteRepo(Reach(ada), repo.id)),
        )
        assert deleted == "done"
        assert {moved, removed} <= {"done", "repo-not-found"}
        assert await counted(app, ada, target) == 0 if removed == "done" else True
        if removed != "done" and moved == "done":
            await app.run(delete_repo, DeleteRepo(Reach(ada), repo.id))
        assert await counted(app, ada, target) == 0


async def test_moves_creations_and_imports_together_keep_the_limit(
    app: Application, ada: UUID, pair: tuple[UUID, UUID]
) -> None:
    one, two = pair
    repos = [await a_repo(app, ada, one, f"r{number}") for number in range(4)]
    items = [ImportItem(f"i{number}", "/x") for number in range(2)]
    results = await outcomes(
        *(move(app, ada, repo, two) for repo in repos),
        *(a_repo(app, ada, two, f"c{number}") for number in range(3)),
        app.run(import_repos, ImportRepos(Reach(ada), two, items)),
    )
    assert set(results) == {"done", "repo-limit-reached"}
    assert await counted(app, ada, two) == 4
    assert await counted(app, ada, one) == 4 - results[:4].count("done")


async def test_only_one_of_many_moves_takes_a_name(
    app: Application, ada: UUID, pair: tuple[UUID, UUID]
) -> None:
    target = (await app.run(create_workspace, CreateWorkspace(Reach(ada), ada, "target"))).id
    rival = await a_repo(app, ada, target, "rival")
    repos = [await a_repo(app, ada, each, "Straße") for each in pair]
    rename = UpdateRepo(Reach(ada), rival.id, {"name": "STRASSE"})
    results = await outcomes(
        *(move(app, ada, repo, target) for repo in repos), app.run(update_repo, rename)
    )
    assert Counter(results) == {"done": 1, "repo-name-taken": 2}
    assert await counted(app, ada, target) == 1 + results[:2].count("done")


async def test_a_vault_is_moved_before_it_is_locked_or_not_at_all(
    app: Application, ada: UUID, pair: tuple[UUID, UUID]
) -> None:
    one, two = pair
    for number in range(3):
        vault = await app.run(create_vault, CreateVault(Reach(ada), one, f"v{number}", "/v"))
        moved, locked = await outcomes(
            app.run(update_vault, UpdateVault(Reach(ada), vault.id, {"workspace_id": two})),
            app.run(lock_vault, LockVault(Reach(ada), vault.id)),
        )
        assert locked == "done"
        after = await app.ask(get_vault, GetVault(Reach(ada), vault.id))
        assert after.is_locked
        assert (moved, after.workspace_id) in {("done", two), ("vault-locked", one)}
    stats = [
        await app.ask(get_workspace_stats, GetWorkspaceStats(Reach(ada), each)) for each in pair
    ]
    assert sum(each.vault_count for each in stats) == 3
