"""Helpers that write to a store and read from it, each in a unit of work of its own."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from symphony.domain.api_tokens import ApiToken
from symphony.domain.base import Entity, Page, PagedRepository, PageRequest, Repository
from symphony.domain.machines.machines import Machine
from symphony.domain.reach import Reach
from symphony.domain.repos import Repo
from symphony.domain.unit_of_work import Repositories, Store, UnitOfWork
from symphony.domain.user_profiles import UserProfile
from symphony.domain.vaults.vaults import Vault
from symphony.domain.workspaces import Workspace
from symphony.infrastructure.database.engine import Engines
from symphony.infrastructure.database.unit_of_work import SqlAlchemyStore
from tests.domain.examples import a_profile, a_repo, a_vault, a_workspace


def store_with(engines: Engines, **limits: float) -> SqlAlchemyStore:
    """A store with other limits on the same connections."""
    return SqlAlchemyStore(replace(engines, limits=replace(engines.limits, **limits)))


@asynccontextmanager
async def committed(store: Store) -> AsyncGenerator[UnitOfWork]:
    """A unit of work that commits when it is left without an error."""
    async with store.unit_of_work() as uow:
        yield uow
        await uow.commit()


async def keep(store: Store, *entities: Entity) -> None:
    async with committed(store) as uow:
        for entity in entities:
            await repository(uow, type(entity)).add(entity)


async def found(store: Store, entity: Entity, owner_id: UUID) -> Any:
    """Return the stored entity with the same id. Raises: NotFound."""
    async with store.reading() as repositories:
        return await repository(repositories, type(entity)).get(Reach(owner_id), entity.id)


async def listed(store: Store, noun: type[Entity], owner_id: UUID, parent_id: UUID) -> list[Any]:
    """Return all stored entities of a noun in a parent, by name."""
    request = PageRequest(limit=1000, sort="name")
    return list((await page(store, noun, owner_id, parent_id, request)).items)


async def page(
    store: Store, noun: type[Entity], owner_id: UUID, parent_id: UUID, request: PageRequest
) -> Page[Any]:
    async with store.reading() as repositories:
        return await paged(repositories, noun).page(Reach(owner_id), parent_id, request)


def repository(repositories: Repositories, noun: type[Entity]) -> Repository[Any]:
    if noun is UserProfile:
        return repositories.user_profiles
    return paged(repositories, noun)


def paged(repositories: Repositories, noun: type[Entity]) -> PagedRepository[Any]:
    by_noun: dict[type[Entity], PagedRepository[Any]] = {
        Workspace: repositories.workspaces,
        Repo: repositories.repos,
        Vault: repositories.vaults,
        ApiToken: repositories.api_tokens,
        Machine: repositories.machines,
    }
    return by_noun[noun]


@dataclass(frozen=True, slots=True)
class Household:
    """One user with one workspace, and a repo and a vault in it."""

    user: UserProfile
    workspace: Workspace
    repo: Repo
    vault: Vault


async def household(store: Store, username: str) -> Household:
    user = a_profile(username)
    workspace = a_workspace(user.id)
    kept = Household(user, workspace, a_repo(workspace.id), a_vault(workspace.id))
    await keep(store, kept.user, kept.workspace, kept.repo, kept.vault)
    return kept
