"""Importing repos: all or none, also in parallel with other commands."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from uuid import UUID

import pytest

from symphony.application.app import Application
from symphony.application.orchestrations.repo_discovery import DiscoverRepos, discover_repos
from symphony.application.repos import (
    CreateRepo,
    ImportItem,
    ImportRepos,
    UpdateRepo,
    create_repo,
    import_repos,
    update_repo,
)
from symphony.application.workspaces import (
    CreateWorkspace,
    GetWorkspaceStats,
    create_workspace,
    get_workspace_stats,
)
from symphony.domain.errors import AlreadyExists, Invalid, LimitReached, NamesTaken, NotFound
from symphony.domain.git.status import GitDisabled
from symphony.domain.idempotency import IdempotencyKey, KeyReused
from symphony.domain.reach import Reach
from symphony.domain.repos import Repo
from symphony.domain.workspaces import Workspace


@pytest.fixture
async def thesis(app: Application, ada: UUID) -> Workspace:
    return await app.run(create_workspace, CreateWorkspace(Reach(ada), ada, "Thesis"))


def importing(workspace: Workspace, *names: str) -> ImportRepos:
    items = [ImportItem(name, f"/dev/{name}") for name in names]
    return ImportRepos(Reach(workspace.user_profile_id), workspace.id, items)


async def repo_count(app: Application, workspace: Workspace) -> int:
    query = GetWorkspaceStats(Reach(workspace.user_profile_id), workspace.id)
    return (await app.ask(get_workspace_stats, query)).repo_count


async def test_an_import_creates_all_repos_in_the_given_order(
    app: Application, thesis: Workspace
) -> None:
    made = await app.run(import_repos, importing(thesis, "loom", "engine", "mill"))
    assert [repo.name for repo in made] == ["loom", "engine", "mill"]
    assert {repo.workspace_id for repo in made} == {thesis.id}
    assert await repo_count(app, thesis) == 3


async def test_an_import_beyond_the_limit_creates_nothing(
    app: Application, ada: UUID, thesis: Workspace
) -> None:
    await app.run(create_repo, CreateRepo(Reach(ada), thesis.id, "engine", "/e"))
    with pytest.raises(LimitReached) as refused:
        await app.run(import_repos, importing(thesis, "a", "b", "c", "d"))
    assert (refused.value.limit, refused.value.used) == (4, 1)
    assert await repo_count(app, thesis) == 1
    await app.run(import_repos, importing(thesis, "a", "b", "c"))
    assert await repo_count(app, thesis) == 4


async def test_an_import_reports_all_taken_names_and_creates_nothing(
    app: Application, ada: UUID, thesis: Workspace
) -> None:
    await app.run(create_repo, CreateRepo(Reach(ada), thesis.id, "Engine", "/e"))
    with pytest.raises(NamesTaken) as refused:
        await app.run(import_repos, importing(thesis, "loom", "ENGINE", "Loom"))
    assert refused.value.slug == "repo-name-taken"
    assert [(each.field, each.code) for each in refused.value.errors] == [
        ("items/1/name", "name-taken"),
        ("items/2/name", "name-given-twice"),
    ]
    assert await repo_count(app, thesis) == 1


async def test_an_import_with_an_invalid_item_creates_nothing(
    app: Application, thesis: Workspace
) -> None:
    with pytest.raises(Invalid):
        await app.run(import_repos, importing(thesis, "loom", "a/b"))
    assert await repo_count(app, thesis) == 0


async def test_an_import_into_a_workspace_of_another_owner_is_not_found(
    app: Application, eve: UUID, thesis: Workspace
) -> None:
    with pytest.raises(NotFound):
        await app.run(import_repos, ImportRepos(Reach(eve), thesis.id, [ImportItem("a", "/a")]))
    assert await repo_count(app, thesis) == 0


async def test_50_parallel_imports_fill_a_workspace_exactly_to_its_limit(
    app: Application, thesis: Workspace
) -> None:
    async def outcome(number: int) -> str:
        try:
            await app.run(import_repos, importing(thesis, f"a{number}", f"b{number}"))
        except LimitReached as refused:
            return f"{refused.slug}, {refused.used} used"
        return "done"

    counted = Counter(await asyncio.gather(*map(outcome, range(50))))
    assert counted == {"done": 2, "repo-limit-reached, 4 used": 48}
    assert await repo_count(app, thesis) == 4


async def test_parallel_imports_creations_and_updates_leave_each_name_once(
    app: Application, ada: UUID, thesis: Workspace
) -> None:
    (own,) = await app.run(import_repos, importing(thesis, "own"))

    async def attempt(number: int) -> str:
        try:
            if number % 3 == 0:
                await app.run(import_repos, importing(thesis, "x", f"y{number}"))
            elif number % 3 == 1:
                await app.run(create_repo, CreateRepo(Reach(ada), thesis.id, "X", "/x"))
            else:
                await app.run(update_repo, UpdateRepo(Reach(ada), own.id, {"name": "x"}))
        except (AlreadyExists, LimitReached) as refused:
            return refused.slug
        return "done"

    outcomes = await asyncio.gather(*map(attempt, range(30)))
    # Of imports and creations one takes the name, or else the renamings, which change nothing
    # from the second on.
    taken_by = {number % 3 for number, outcome in enumerate(outcomes) if outcome == "done"}
    assert len(taken_by) == 1
    assert await repo_count(app, thesis) == {0: 3, 1: 2, 2: 1}[taken_by.pop()]


async def test_a_retry_under_the_same_key_gets_the_first_repos_again(
    app: Application, ada: UUID, thesis: Workspace
) -> None:
    key = IdempotencyKey(Reach(ada), "key", b"fingerprint".ljust(32))
    command = importing(thesis, "loom", "mill")

    async def attempt() -> tuple[Sequence[Repo], bool]:
        made = await app.run_once(import_repos, command, key)
        return made.result, made.replayed

    first, *others = await asyncio.gather(*(attempt() for _ in range(10)))
    assert all(repos == first[0] for repos, _ in others)
    assert Counter(replayed for _, replayed in (first, *others)) == {True: 9, False: 1}
    assert await repo_count(app, thesis) == 2
    other = IdempotencyKey(Reach(ada), "key", b"another".ljust(32))
    with pytest.raises(KeyReused):
        await app.run_once(create_repo, CreateRepo(Reach(ada), thesis.id, "new", "/n"), other)


async def test_a_discovery_without_configured_folders_is_refused(
    app: Application, thesis: Workspace
) -> None:
    with pytest.raises(GitDisabled):
        await discover_repos(DiscoverRepos(Reach(thesis.user_profile_id), thesis.id, "/", 1), app)
