"""Domain services: the rules that span things, such as uniqueness, limits and locks."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from scripts.demos.support.in_memory import store_in_memory
from scripts.demos.support.stage import Stage, perform
from symphony.application.app import Policy, Services
from symphony.domain.base import PageRequest
from symphony.domain.errors import (
    AlreadyExists,
    InUse,
    LimitReached,
    Locked,
    NotFound,
    PreconditionFailed,
)
from symphony.domain.repos import Repo
from symphony.domain.unit_of_work import Store
from symphony.domain.user_profiles import UserProfile
from symphony.domain.vaults.keys import Keyring
from symphony.domain.vaults.vaults import Vault
from symphony.domain.workspaces import Workspace
from symphony.infrastructure.signing_key import new_key
from symphony.infrastructure.vaults.master_keys import FixedMasterKeys
from symphony.infrastructure.vaults.sealing import AesGcmSealing

LIMITS = Policy(max_workspaces_per_user=3, max_repos_per_workspace=3, max_vaults_per_workspace=2)
KEYRING = Keyring(AesGcmSealing(), FixedMasterKeys([new_key()]))
ADA = UserProfile(username="ada", email="ada@example.org", password_hash="(a hash)")
EVE = UserProfile(username="eve", email="eve@example.org", password_hash="(a hash)")
CAFE = Workspace(user_profile_id=ADA.id, name="Café Straße")
KEYS = Vault(workspace_id=CAFE.id, name="keys", path="~/vaults/keys")
NOTES = Vault(workspace_id=CAFE.id, name="notes", path="~/vaults/notes")


async def story(stage: Stage) -> None:
    async with store_in_memory() as store:
        await people(stage, store)
        await names(stage, store)
        await limits(stage, store)
        await ownership(stage, store)
        await locks(stage, store)
        await seen_states(stage, store)
        await ends(stage, store)


async def people(stage: Stage, store: Store) -> None:
    stage.step("User names and e-mail addresses are unique across the service")
    async with services(store) as service:
        await service.user_profiles.create(ADA)
        await service.user_profiles.create(EVE)
    with stage.expect_refusal("a second ada, called ADA", AlreadyExists, "username-taken"):
        async with services(store) as service:
            await service.user_profiles.create(user("ADA", "another@example.org"))
    with stage.expect_refusal("a second Ada@Example.org", AlreadyExists, "email-taken"):
        async with services(store) as service:
            await service.user_profiles.create(user("countess", "Ada@Example.org"))
    with stage.expect_refusal("eve, who would now be Ada", AlreadyExists, "username-taken"):
        async with services(store) as service:
            await service.user_profiles.change(EVE.id, EVE.id, {"username": "Ada"})


async def names(stage: Stage, store: Store) -> None:
    stage.step("Names are unique among their siblings, whatever their case or Unicode form")
    async with services(store) as service:
        await service.workspaces.create(ADA.id, CAFE)
    for what, name in (
        ("the same name in capitals", "CAFÉ STRASSE"),
        ("with the accent as a character of its own", "cafe\u0301 straße"),
        ("in letters of full width", "\uff23afé Straße"),
    ):
        with stage.expect_refusal(what, AlreadyExists, "workspace-name-taken"):
            async with services(store) as service:
                await service.workspaces.create(ADA.id, workspace(ADA, name))
    async with services(store) as service:
        await service.workspaces.create(EVE.id, workspace(EVE, "Café Straße"))
        renamed = await service.workspaces.change(ADA.id, CAFE.id, {"name": "CAFÉ Straße"})
    async with store.reading() as repositories:
        hers = await repositories.workspaces.page(EVE.id, EVE.id, PageRequest(limit=9))
    stage.expect("eve may have that name too", [each.name for each in hers.items] == [CAFE.name])
    stage.expect("one's own name may change its case", renamed.name == "CAFÉ Straße")


async def limits(stage: Stage, store: Store) -> None:
    stage.step("A parent holds so many and no more (3 workspaces, 3 repos and 2 vaults here)")
    repos = [Repo(workspace_id=CAFE.id, name=f"repo-{number}", path="/r") for number in range(4)]
    async with services(store) as service:
        await service.workspaces.create(ADA.id, workspace(ADA, "Second"))
        await service.workspaces.create(ADA.id, workspace(ADA, "Third"))
        for repo in repos[:3]:
            await service.repos.create(ADA.id, repo)
        await service.vaults.create(ADA.id, KEYS)
        await service.vaults.create(ADA.id, NOTES)
    with stage.expect_refusal("a fourth workspace", LimitReached, "workspace-limit-reached"):
        async with services(store) as service:
            await service.workspaces.create(ADA.id, workspace(ADA, "Fourth"))
    with stage.expect_refusal("a fourth repo", LimitReached, "repo-limit-reached"):
        async with services(store) as service:
            await service.repos.create(ADA.id, repos[3])
    with stage.expect_refusal("a third vault", LimitReached, "vault-limit-reached"):
        async with services(store) as service:
            await service.vaults.create(
                ADA.id, Vault(workspace_id=CAFE.id, name="third", path="/v")
            )
    async with services(store) as service:
        await service.repos.remove(ADA.id, repos[0].id)
        await service.repos.create(ADA.id, repos[3])
    async with store.reading() as repositories:
        stats = await repositories.workspaces.stats(ADA.id, CAFE.id)
    stage.expect(
        "with one repo less there is room for another one",
        (stats.repo_count, stats.vault_count, stats.total_resources) == (3, 2, 5),
        f"{stats.repo_count} repos and {stats.vault_count} vaults",
    )


async def ownership(stage: Stage, store: Store) -> None:
    stage.step("Nobody works in what belongs to somebody else: for them it does not exist")
    with stage.expect_refusal("a repo of eve's in ada's workspace", NotFound, "workspace-not"):
        async with services(store) as service:
            await service.repos.create(EVE.id, Repo(workspace_id=CAFE.id, name="spy", path="/r"))
    with stage.expect_refusal("a workspace for ada, made by eve", NotFound, "user-profile-not"):
        async with services(store) as service:
            await service.workspaces.create(EVE.id, workspace(ADA, "Present"))
    with stage.expect_refusal("ada's vault, locked by eve", NotFound, "vault-not-found"):
        async with services(store) as service:
            await service.vaults.lock(EVE.id, KEYS.id)


async def locks(stage: Stage, store: Store) -> None:
    stage.step("A locked vault stays as it is")
    async with services(store) as service:
        locked = await service.vaults.lock(ADA.id, KEYS.id)
        again = await service.vaults.lock(ADA.id, KEYS.id)
    stage.expect("it is locked, which is a change", locked.is_locked and locked.version == 2)
    stage.expect("locking it again changes nothing", again == locked)
    with stage.expect_refusal("a change of it", Locked, "vault-locked"):
        async with services(store) as service:
            await service.vaults.change(ADA.id, KEYS.id, {"name": "other"})
    with stage.expect_refusal("its end", Locked, "vault-locked"):
        async with services(store) as service:
            await service.vaults.remove(ADA.id, KEYS.id)
    async with services(store) as service:
        await service.vaults.unlock(ADA.id, KEYS.id)
        changed = await service.vaults.change(ADA.id, KEYS.id, {"name": "secrets"})
    stage.expect("unlocked, it can be changed", (changed.name, changed.version) == ("secrets", 4))
    async with services(store) as service:
        await service.vaults.lock(ADA.id, NOTES.id)
        await service.vaults.remove(ADA.id, NOTES.id, force=True)
    with stage.expect_refusal("a vault that was removed by force", NotFound, "vault-not-found"):
        async with services(store) as service:
            await service.vaults.unlock(ADA.id, NOTES.id)


async def seen_states(stage: Stage, store: Store) -> None:
    stage.step("Who says which state they have seen changes that state or none")
    seen = frozenset({CAFE.tag})
    with stage.expect_refusal("a change of what has changed since", PreconditionFailed):
        async with services(store) as service:
            await service.workspaces.change(ADA.id, CAFE.id, {"description": "Mine."}, seen)
    async with services(store) as service:
        await service.workspaces.change(ADA.id, CAFE.id, {"description": "Coffee."})
        merged = await service.workspaces.change(ADA.id, CAFE.id, {"settings": {"sugar": 2}})
    stage.expect(
        "without it, two changes of different fields both stay",
        (merged.description, merged.settings) == ("Coffee.", {"sugar": 2}),
    )


async def ends(stage: Stage, store: Store) -> None:
    stage.step("What still holds something ends only by force")
    async with services(store) as service:
        await service.vaults.lock(ADA.id, KEYS.id)
    with stage.expect_refusal("the end of a workspace with repos", InUse, "workspace-not-empty"):
        async with services(store) as service:
            await service.workspaces.remove(ADA.id, CAFE.id)
    async with services(store) as service:
        await service.workspaces.remove(ADA.id, CAFE.id, force=True)
    with stage.expect_refusal("its locked vault, gone with it", NotFound, "vault-not-found"):
        async with store.reading() as repositories:
            await repositories.vaults.get(ADA.id, KEYS.id)
    with stage.expect_refusal("the end of ada, who has workspaces", InUse, "user-has-workspaces"):
        async with services(store) as service:
            await service.user_profiles.remove(ADA.id, ADA.id)


@asynccontextmanager
async def services(store: Store) -> AsyncGenerator[Services]:
    """The services of one unit of work, which is committed when nothing was refused."""
    async with store.unit_of_work() as uow:
        yield Services(uow, LIMITS, KEYRING)
        await uow.commit()


def user(username: str, email: str) -> UserProfile:
    return UserProfile(username=username, email=email, password_hash="(a hash)")


def workspace(owner: UserProfile, name: str) -> Workspace:
    return Workspace(user_profile_id=owner.id, name=name)


if __name__ == "__main__":
    perform(story)
