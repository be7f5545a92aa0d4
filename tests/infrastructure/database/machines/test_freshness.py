"""What is kept in memory is never out of date, whatever has changed the database.

Nothing that writes tells what is kept about it: to it, every change is one by another process.
"""

from dataclasses import dataclass
from typing import Any

import pytest

from symphony.domain.base import utc_now
from symphony.domain.git.status import RepoState
from symphony.domain.machines.checkout_repository import UserCheckouts
from symphony.domain.machines.checkouts import CheckoutRemote
from symphony.domain.machines.machines import Machine
from symphony.domain.observations import BoardFacts, BoardRepo, RepoObservation
from symphony.domain.reach import Reach
from symphony.domain.repos import Repo
from symphony.domain.unit_of_work import Store
from tests.domain.examples import a_repo, a_vault, a_workspace
from tests.infrastructure.database.kept import Household, committed, keep
from tests.infrastructure.database.machines.test_checkouts import of_user, report
from tests.support.machines.checkouts import a_checkout, a_status

PATH = "/home/ada/dev/engine"
URL = "https://git.example.org/ada/engine.git"


@dataclass(frozen=True, slots=True)
class World:
    store: Store
    household: Household
    machine: Machine
    repo: Repo
    """It recognizes no checkout yet: there is one with its path, and one with its remote."""

    async def save(self, **changes: Any) -> None:
        async with committed(self.store) as uow:
            reach = Reach(self.household.user.id)
            found = await uow.repos.get_for_update(reach, self.repo.id)
            await uow.repos.save(found.updated(changes))

    async def checkouts(self) -> UserCheckouts:
        return await of_user(self.store, self.household.user.id)

    async def matched(self) -> list[str]:
        """The paths of the checkouts of the repo, whatever was remembered of them before."""
        found = (await self.checkouts()).matched.get(self.repo.id)
        return [] if found is None else sorted(each.path for each in found.checkouts)

    async def board(self) -> BoardFacts:
        user_id = self.household.user.id
        async with self.store.reading() as repositories:
            return await repositories.observations.board_facts(Reach(user_id), user_id, None)

    async def board_repo(self) -> BoardRepo:
        (found,) = [each for each in (await self.board()).repos if each.id == self.repo.id]
        return found


@pytest.fixture
async def world(store: Store, ada: Household, laptop: Machine) -> World:
    repo = a_repo(ada.workspace.id, "mill", path="/elsewhere")
    await keep(store, repo)
    await report(
        store,
        laptop,
        [
            a_checkout(PATH, remotes=[], root_commits=[]),
            a_checkout("/clone", remotes=[CheckoutRemote("origin", URL)], root_commits=[]),
        ],
    )
    world = World(store, ada, laptop, repo)
    assert await world.matched() == []
    assert await world.checkouts() is await world.checkouts(), "nothing is remembered"
    return world


async def test_a_repo_with_another_remote_recognizes_its_checkouts_at_once(world: World) -> None:
    await world.save(remote_url=URL)
    assert await world.matched() == ["/clone"]
    await world.save(remote_url=None)
    assert await world.matched() == []


async def test_a_repo_with_another_path_recognizes_its_checkouts_at_once(world: World) -> None:
    await world.save(path=PATH)
    assert await world.matched() == [PATH]
    assert (await world.board_repo()).path == PATH


async def test_a_directory_that_the_server_has_read_is_its_own_at_once(world: World) -> None:
    await world.save(path=PATH)
    assert await world.matched() == [PATH]
    for state, expected in ((RepoState.CLEAN, []), (RepoState.MISSING, [PATH])):
        status = a_status(observed_at=utc_now(), state=state)
        seen = RepoObservation.of_repo(world.repo.id, PATH, status)
        await observe(world, seen)
        assert await world.matched() == expected
        assert (await world.board_repo()).observation == seen


async def test_repos_that_are_created_and_deleted_count_at_once(world: World) -> None:
    new = a_repo(world.household.workspace.id, "new", remote_url=URL)
    await keep(world.store, new)
    assert list((await world.checkouts()).matched) == [new.id]
    assert new.id in {each.id for each in (await world.board()).repos}
    async with committed(world.store) as uow:
        await uow.repos.remove(new)
    assert list((await world.checkouts()).matched) == []
    assert new.id not in {each.id for each in (await world.board()).repos}


async def test_a_repo_that_is_renamed_or_moved_is_so_at_once(world: World) -> None:
    await world.save(name="loom")
    assert {each.name for each in (await world.checkouts()).repos} >= {"loom"}
    assert (await world.board_repo()).name == "loom"
    other = a_workspace(world.household.user.id, "Other")
    await keep(world.store, other)
    await world.save(workspace_id=other.id)
    assert (await world.board_repo()).workspace_id == other.id


async def test_a_report_and_the_name_of_its_machine_count_at_once(world: World) -> None:
    await world.save(path=PATH)
    assert await world.matched() == [PATH]
    async with committed(world.store) as uow:
        reach = Reach(world.household.user.id)
        machine = await uow.machines.get_for_update(reach, world.machine.id)
        await uow.machines.save(machine.updated({"name": "tablet"}))
    assert {each.name for each in (await world.checkouts()).machines.values()} == {"tablet"}
    at = await report(world.store, world.machine, [a_checkout("/other")])
    found = await world.checkouts()
    assert [each.path for each in found.checkouts] == ["/other"]
    assert [each.last_report_at for each in found.machines.values()] == [at]
    assert await world.matched() == []


async def test_a_machine_that_is_added_or_removed_counts_at_once(world: World) -> None:
    await world.save(path=PATH)
    assert await world.matched() == [PATH]
    desktop = Machine(user_profile_id=world.household.user.id, name="desktop")
    await keep(world.store, desktop)
    await report(world.store, desktop, [a_checkout(PATH, remotes=[], root_commits=[])])
    assert await world.matched() == [PATH, PATH]
    async with committed(world.store) as uow:
        await uow.machines.remove(world.machine)
    assert await world.matched() == [PATH]


async def test_a_vault_is_on_the_board_as_it_is(world: World) -> None:
    vault = a_vault(world.household.workspace.id, "open")
    await keep(world.store, vault)
    for name in ("renamed", "renamed again"):
        async with committed(world.store) as uow:
            found = await uow.vaults.get_for_update(Reach(world.household.user.id), vault.id)
            await uow.vaults.save(found.updated({"name": name}))
        assert name in {each.name for each in (await world.board()).vaults}
    async with committed(world.store) as uow:
        await uow.vaults.remove(vault)
    assert vault.id not in {each.id for each in (await world.board()).vaults}


async def observe(world: World, seen: RepoObservation) -> None:
    async with committed(world.store) as uow:
        await uow.observations.save(Reach(world.household.user.id), [seen])
