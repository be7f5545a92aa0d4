"""Workspaces, repos and vaults as use cases: limits, locks, ownership, races."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import pytest

from symphony.application.app import Application
from symphony.application.repos import (
    CreateRepo,
    DeleteRepo,
    GetRepo,
    ListRepos,
    UpdateRepo,
    create_repo,
    delete_repo,
    get_repo,
    list_repos,
    update_repo,
)
from symphony.application.vaults.vaults import (
    CreateVault,
    DeleteVault,
    GetVault,
    ListVaults,
    LockVault,
    UnlockVault,
    UpdateVault,
    create_vault,
    delete_vault,
    get_vault,
    list_vaults,
    lock_vault,
    unlock_vault,
    update_vault,
)
from symphony.application.workspaces import (
    CreateWorkspace,
    DeleteWorkspace,
    GetWorkspace,
    GetWorkspaceStats,
    ListWorkspaces,
    UpdateWorkspace,
    create_workspace,
    delete_workspace,
    get_workspace,
    get_workspace_stats,
    list_workspaces,
    update_workspace,
)
from symphony.domain.base import PageRequest, new_id
from symphony.domain.errors import DomainError, InUse, Locked, NotFound, PreconditionFailed
from symphony.domain.reach import Reach
from symphony.domain.repos import Repo
from symphony.domain.vaults.vaults import Vault
from symphony.domain.workspaces import Workspace, WorkspaceStats

ALL = PageRequest(limit=200)


@pytest.fixture
async def thesis(app: Application, ada: UUID) -> Workspace:
    return await app.run(create_workspace, CreateWorkspace(Reach(ada), ada, "Thesis"))


@pytest.fixture
async def repo(app: Application, thesis: Workspace) -> Repo:
    command = CreateRepo(Reach(thesis.user_profile_id), thesis.id, "engine", "~/dev/engine")
    return await app.run(create_repo, command)


@pytest.fixture
async def vault(app: Application, thesis: Workspace) -> Vault:
    command = CreateVault(Reach(thesis.user_profile_id), thesis.id, "keys", "~/vaults/keys")
    return await app.run(create_vault, command)


async def outcomes(*work: Awaitable[Any]) -> Counter[str]:
    """The number of commands per outcome: `done`, or the slug of a domain error."""
    ends = await asyncio.gather(*work, return_exceptions=True)
    for end in ends:
        if isinstance(end, BaseException) and not isinstance(end, DomainError):
            raise end
    return Counter(end.slug if isinstance(end, DomainError) else "done" for end in ends)


async def test_a_users_workspaces_are_limited(app: Application, ada: UUID) -> None:
    commands = [CreateWorkspace(Reach(ada), ada, f"w{number}") for number in range(20)]
    counted = await outcomes(*(app.run(create_workspace, each) for each in commands))
    assert counted == {"done": 5, "workspace-limit-reached": 15}
    kept = await app.ask(list_workspaces, ListWorkspaces(Reach(ada), ada, ALL))
    await app.run(delete_workspace, DeleteWorkspace(Reach(ada), kept.items[0].id))
    await app.run(create_workspace, CreateWorkspace(Reach(ada), ada, "another"))


async def test_a_workspaces_repos_and_vaults_have_separate_limits(
    app: Application, ada: UUID, thesis: Workspace
) -> None:
    repos = [CreateRepo(Reach(ada), thesis.id, f"r{number}", "/r") for number in range(12)]
    vaults = [CreateVault(Reach(ada), thesis.id, f"v{number}", "/v") for number in range(12)]
    counted = await outcomes(
        *(app.run(create_repo, each) for each in repos),
        *(app.run(create_vault, each) for each in vaults),
    )
    assert counted == {"done": 4 + 3, "repo-limit-reached": 8, "vault-limit-reached": 9}
    stats = await app.ask(get_workspace_stats, GetWorkspaceStats(Reach(ada), thesis.id))
    assert stats == WorkspaceStats(thesis.id, repo_count=4, vault_count=3)
    kept = await app.ask(list_repos, ListRepos(Reach(ada), thesis.id, ALL))
    await app.run(delete_repo, DeleteRepo(Reach(ada), kept.items[0].id))
    await app.run(create_repo, CreateRepo(Reach(ada), thesis.id, "another", "/r"))


async def test_of_parallel_creations_with_one_name_one_succeeds_and_is_counted(
    app: Application, ada: UUID, thesis: Workspace
) -> None:
    counted = await outcomes(
        *(
            app.run(create_workspace, CreateWorkspace(Reach(ada), ada, name))
            for name in ["N", "n"] * 5
        ),
        *(
            app.run(create_repo, CreateRepo(Reach(ada), thesis.id, name, "/r"))
            for name in ["N", "n"] * 5
        ),
        *(
            app.run(create_vault, CreateVault(Reach(ada), thesis.id, name, "/v"))
            for name in ["N", "n"] * 5
        ),
    )
    taken = {f"{noun}-name-taken": 9 for noun in ("workspace", "repo", "vault")}
    assert counted == {"done": 3} | taken
    stats = await app.ask(get_workspace_stats, GetWorkspaceStats(Reach(ada), thesis.id))
    assert (stats.repo_count, stats.vault_count) == (1, 1)


async def test_counters_stay_right_under_parallel_writes(
    app: Application, ada: UUID, thesis: Workspace
) -> None:
    async def come_and_go(number: int) -> None:
        for turn in range(4):
            name = f"n{(number + turn) % 3}"
            try:
                made = await app.run(create_repo, CreateRepo(Reach(ada), thesis.id, name, "/r"))
                await app.run(update_repo, UpdateRepo(Reach(ada), made.id, {"name": f"m{number}"}))
                vault = await app.run(create_vault, CreateVault(Reach(ada), thesis.id, name, "/v"))
                if number % 2:
                    await app.run(delete_repo, DeleteRepo(Reach(ada), made.id))
                    await app.run(delete_vault, DeleteVault(Reach(ada), vault.id))
            except DomainError:
                continue

    await asyncio.gather(*map(come_and_go, range(8)))
    repos = await app.ask(list_repos, ListRepos(Reach(ada), thesis.id, ALL))
    vaults = await app.ask(list_vaults, ListVaults(Reach(ada), thesis.id, ALL))
    stats = await app.ask(get_workspace_stats, GetWorkspaceStats(Reach(ada), thesis.id))
    assert stats == WorkspaceStats(thesis.id, len(repos.items), len(vaults.items))
    assert stats.total_resources > 0


async def test_parallel_merges_of_different_members_all_stay(
    app: Application, ada: UUID, thesis: Workspace
) -> None:
    commands = [
        UpdateWorkspace(Reach(ada), thesis.id, {"settings": {str(number): number}})
        for number in range(20)
    ]
    await asyncio.gather(*(app.run(update_workspace, each) for each in commands))
    changed = await app.ask(get_workspace, GetWorkspace(Reach(ada), thesis.id))
    assert changed.settings == {str(number): number for number in range(20)}
    assert changed.version == 21


async def test_of_parallel_updates_that_expect_one_state_one_succeeds(
    app: Application, ada: UUID, thesis: Workspace
) -> None:
    expected = frozenset({thesis.tag})
    commands = [
        UpdateWorkspace(Reach(ada), thesis.id, {"name": f"w{number}"}, expected)
        for number in range(10)
    ]
    counted = await outcomes(*(app.run(update_workspace, each) for each in commands))
    assert counted == {"done": 1, "precondition-failed": 9}


async def test_entities_in_another_state_than_expected_are_neither_updated_nor_deleted(
    app: Application, ada: UUID, thesis: Workspace, repo: Repo, vault: Vault
) -> None:
    stale = frozenset({"another state"})
    with pytest.raises(PreconditionFailed):
        await app.run(update_repo, UpdateRepo(Reach(ada), repo.id, {"name": "x"}, stale))
    with pytest.raises(PreconditionFailed):
        await app.run(delete_repo, DeleteRepo(Reach(ada), repo.id, stale))
    with pytest.raises(PreconditionFailed):
        await app.run(lock_vault, LockVault(Reach(ada), vault.id, stale))
    with pytest.raises(PreconditionFailed):
        await app.run(
            delete_vault, DeleteVault(Reach(ada), vault.id, force=True, expected_tags=stale)
        )
    by_force = DeleteWorkspace(Reach(ada), thesis.id, force=True, expected_tags=stale)
    with pytest.raises(PreconditionFailed):
        await app.run(delete_workspace, by_force)
    stats = await app.ask(get_workspace_stats, GetWorkspaceStats(Reach(ada), thesis.id))
    assert stats.total_resources == 2
    assert await app.ask(get_vault, GetVault(Reach(ada), vault.id)) == vault


async def test_a_locked_vault_is_not_updated_and_deleted_only_by_force(
    app: Application, ada: UUID, vault: Vault
) -> None:
    locked = await app.run(lock_vault, LockVault(Reach(ada), vault.id))
    assert locked.is_locked
    assert await app.run(lock_vault, LockVault(Reach(ada), vault.id)) == locked
    with pytest.raises(Locked):
        await app.run(update_vault, UpdateVault(Reach(ada), vault.id, {"name": "other"}))
    with pytest.raises(Locked):
        await app.run(delete_vault, DeleteVault(Reach(ada), vault.id))
    unlocked = await app.run(unlock_vault, UnlockVault(Reach(ada), vault.id))
    assert (unlocked.is_locked, unlocked.version) == (False, 3)
    assert await app.run(unlock_vault, UnlockVault(Reach(ada), vault.id)) == unlocked
    await app.run(update_vault, UpdateVault(Reach(ada), vault.id, {"name": "other"}))
    await app.run(lock_vault, LockVault(Reach(ada), vault.id))
    await app.run(delete_vault, DeleteVault(Reach(ada), vault.id, force=True))
    with pytest.raises(NotFound):
        await app.ask(get_vault, GetVault(Reach(ada), vault.id))


async def test_a_workspace_with_contents_is_deleted_only_by_force_and_with_all_of_them(
    app: Application, ada: UUID, thesis: Workspace, repo: Repo, vault: Vault
) -> None:
    await app.run(lock_vault, LockVault(Reach(ada), vault.id))
    with pytest.raises(InUse) as refused:
        await app.run(delete_workspace, DeleteWorkspace(Reach(ada), thesis.id))
    assert refused.value.slug == "workspace-not-empty"
    await app.run(delete_workspace, DeleteWorkspace(Reach(ada), thesis.id, force=True))
    with pytest.raises(NotFound):
        await app.ask(get_workspace, GetWorkspace(Reach(ada), thesis.id))
    with pytest.raises(NotFound):
        await app.ask(get_repo, GetRepo(Reach(ada), repo.id))
    with pytest.raises(NotFound):
        await app.ask(get_vault, GetVault(Reach(ada), vault.id))


Refused = Callable[[Application, Reach, UUID], Awaitable[Any]]
ON_WORKSPACES: list[Refused] = [
    lambda app, actor, target: app.ask(get_workspace, GetWorkspace(actor, target)),
    lambda app, actor, target: app.ask(get_workspace_stats, GetWorkspaceStats(actor, target)),
    lambda app, actor, target: app.run(update_workspace, UpdateWorkspace(actor, target, {})),
    lambda app, actor, target: app.run(delete_workspace, DeleteWorkspace(actor, target)),
    lambda app, actor, target: app.run(create_repo, CreateRepo(actor, target, "r", "/r")),
    lambda app, actor, target: app.run(create_vault, CreateVault(actor, target, "v", "/v")),
    lambda app, actor, target: app.ask(list_repos, ListRepos(actor, target, ALL)),
    lambda app, actor, target: app.ask(list_vaults, ListVaults(actor, target, ALL)),
]
ON_REPOS: list[Refused] = [
    lambda app, actor, target: app.ask(get_repo, GetRepo(actor, target)),
    lambda app, actor, target: app.run(update_repo, UpdateRepo(actor, target, {})),
    lambda app, actor, target: app.run(delete_repo, DeleteRepo(actor, target)),
]
ON_VAULTS: list[Refused] = [
    lambda app, actor, target: app.ask(get_vault, GetVault(actor, target)),
    lambda app, actor, target: app.run(update_vault, UpdateVault(actor, target, {})),
    lambda app, actor, target: app.run(lock_vault, LockVault(actor, target)),
    lambda app, actor, target: app.run(unlock_vault, UnlockVault(actor, target)),
    lambda app, actor, target: app.run(delete_vault, DeleteVault(actor, target, force=True)),
]


async def test_entities_of_another_owner_are_not_found(
    app: Application, eve: UUID, thesis: Workspace, repo: Repo, vault: Vault
) -> None:
    targets = [(ON_WORKSPACES, thesis), (ON_REPOS, repo), (ON_VAULTS, vault)]
    for attempts, target in targets:
        for attempt in attempts:
            for asked in (target.id, new_id()):
                with pytest.raises(NotFound) as refused:
                    await attempt(app, Reach(eve), asked)
                assert refused.value.slug == f"{target.noun}-not-found"
                assert str(asked) in refused.value.detail


async def test_workspaces_of_another_owner_are_neither_created_nor_listed(
    app: Application, ada: UUID, eve: UUID
) -> None:
    with pytest.raises(NotFound):
        await app.run(create_workspace, CreateWorkspace(Reach(eve), ada, "Mine"))
    with pytest.raises(NotFound):
        await app.ask(list_workspaces, ListWorkspaces(Reach(eve), ada, ALL))


async def test_of_parallel_deletions_one_succeeds(
    app: Application, ada: UUID, thesis: Workspace, repo: Repo, vault: Vault
) -> None:
    counted = await outcomes(
        *(app.run(delete_repo, DeleteRepo(Reach(ada), repo.id)) for _ in range(6)),
        *(app.run(delete_vault, DeleteVault(Reach(ada), vault.id)) for _ in range(6)),
    )
    assert counted == {"done": 2, "repo-not-found": 5, "vault-not-found": 5}
    deletes = [DeleteWorkspace(Reach(ada), thesis.id) for _ in range(6)]
    counted = await outcomes(*(app.run(delete_workspace, each) for each in deletes))
    assert counted == {"done": 1, "workspace-not-found": 5}
