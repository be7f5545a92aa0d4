"""The repos of a user over all workspaces, and repos that move between them, over every store."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from symphony.domain.base import Page, PageRequest, new_id
from symphony.domain.errors import NotFound
from symphony.domain.reach import Reach
from symphony.domain.repos import Repo
from symphony.domain.unit_of_work import Store, TransactionConflict
from symphony.domain.workspaces import Workspace
from tests.domain.examples import a_repo, a_workspace
from tests.infrastructure.database.kept import Household, committed, keep, listed

START = datetime(2026, 1, 1, tzinfo=UTC)
ALL = PageRequest(limit=200)


async def page(
    store: Store, home: Household, request: PageRequest = ALL, **asked: Any
) -> Page[Repo]:
    async with store.reading() as repositories:
        user = home.user.id
        return await repositories.repos.page_of_user(Reach(user), user, request, **asked)


@pytest.fixture
async def other(store: Store, ada: Household) -> Workspace:
    """A second workspace of ada's."""
    workspace = a_workspace(ada.user.id, "Other")
    await keep(store, workspace)
    return workspace


@pytest.mark.parametrize("remote", [None, "h/x"])
@pytest.mark.parametrize(("sort", "descending"), [("name", False), ("updated_at", True)])
async def test_the_pages_have_everything_once_and_in_order(
    store: Store,
    ada: Household,
    other: Workspace,
    sort: str,
    remote: str | None,
    *,
    descending: bool,
) -> None:
    # The same names and times in both workspaces.
    repos = [
        a_repo(
            workspace,
            f"n{number}",
            remote_url="git@h:x",
            created_at=START + timedelta(seconds=number // 3),
            updated_at=START + timedelta(days=1, seconds=-number // 3),
        )
        for workspace in (ada.workspace.id, other.id)
        for number in range(9)
    ]
    await keep(store, *repos)
    key = "name_key" if sort == "name" else sort
    expected = repos if remote else [*repos, ada.repo]
    expected = sorted(expected, key=lambda each: (getattr(each, key), each.id), reverse=descending)
    found: list[Repo] = []
    after = None
    while True:
        request = PageRequest(limit=4, sort=sort, descending=descending, after=after)
        part = await page(store, ada, request, remote=remote)
        found += part.items
        after = part.next
        if after is None:
            break
    assert found == expected


async def test_the_list_is_limited_to_a_workspace_a_time_and_a_text(
    store: Store, ada: Household, eve: Household, other: Workspace
) -> None:
    old = a_repo(other.id, "Old", created_at=START, updated_at=START)
    new = a_repo(other.id, "new", created_at=START, updated_at=START + timedelta(microseconds=1))
    await keep(store, old, new)
    assert list((await page(store, ada)).items) == [old, new, ada.repo]
    assert (await page(store, eve)).items == [eve.repo]
    since = PageRequest(limit=9, sort="updated_at", updated_since=START)
    assert (await page(store, ada, since, workspace_id=other.id)).items == [old, new]
    since = PageRequest(limit=9, sort="updated_at", updated_since=new.updated_at)
    assert (await page(store, ada, since)).items == [new, ada.repo]
    assert (await page(store, ada, PageRequest(limit=9, text="O"))).items == [old]
    assert (await page(store, ada, workspace_id=ada.workspace.id)).items == [ada.repo]


async def test_remotes_are_compared_in_their_normalized_form(
    store: Store, ada: Household, other: Workspace
) -> None:
    wanted = [
        a_repo(other.id, "a", remote_url="https://H/50%25_off/x.git"),
        a_repo(ada.workspace.id, "b", remote_url="git@h:50%_off/x"),
        a_repo(other.id, "c", remote_url="https://h/50%25%5Foff/x"),
    ]
    others = [
        a_repo(other.id, "d", remote_url="https://h/500_off/x"),
        a_repo(other.id, "e", remote_url="https://h/50%25aoff/x"),
        a_repo(other.id, "f", remote_url="https://h/50%25_OFF/x"),
        a_repo(other.id, "g", remote_url="https://i/50%25_off/x"),
        a_repo(other.id, "h", remote_url="https://h/50%25_off/x/y"),
    ]
    await keep(store, *wanted, *others)
    assert list((await page(store, ada, remote="h/50%_off/x")).items) == wanted
    assert (await page(store, ada, remote="h/")).items == []


async def test_unknown_users_and_workspaces_are_not_found(
    store: Store, ada: Household, eve: Household
) -> None:
    async with store.reading() as repositories:
        for asker, asked in ((ada.user.id, eve.user.id), (ada.user.id, new_id())):
            with pytest.raises(NotFound) as refused:
                await repositories.repos.page_of_user(Reach(asker), asked, ALL)
            assert refused.value.slug == "user-profile-not-found"
    for workspace_id in (eve.workspace.id, new_id()):
        with pytest.raises(NotFound) as refused:
            await page(store, ada, workspace_id=workspace_id)
        assert refused.value.slug == "workspace-not-found"


async def test_a_moved_repo_is_saved_in_its_new_workspace(
    store: Store, ada: Household, other: Workspace
) -> None:
    moved = ada.repo.updated({"workspace_id": other.id})
    async with committed(store) as uow:
        await uow.repos.save(moved)
    assert await listed(store, Repo, ada.user.id, ada.workspace.id) == []
    assert await listed(store, Repo, ada.user.id, other.id) == [moved]


async def test_locking_an_entity_that_has_another_parent_by_now_is_a_conflict(
    store: Store, ada: Household, eve: Household, other: Workspace
) -> None:
    async with store.unit_of_work() as uow:
        same = await uow.repos.get_unmoved_for_update(Reach(ada.user.id), ada.repo)
        assert same == ada.repo
        with pytest.raises(NotFound):
            await uow.repos.get_unmoved_for_update(Reach(eve.user.id), ada.repo)
    async with committed(store) as uow:
        await uow.repos.save(ada.repo.updated({"workspace_id": other.id}))
    async with store.unit_of_work() as uow:
        with pytest.raises(TransactionConflict):
            await uow.repos.get_unmoved_for_update(Reach(ada.user.id), ada.repo)
