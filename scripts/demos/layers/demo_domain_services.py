"""Domain services: rules across entities, such as uniqueness, limits and locks."""

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
from symphony.domain.reach import Reach
from symphony.domain.repos import Repo
from symphony.domain.unit_of_work import Store
from symphony.domain.user_profiles import ProfileUpdate, UserProfile
from symphony.domain.vaults.keys import Keyring
from symphony.domain.vaults.vaults import Vault
from symphony.domain.workspaces import Workspace
from symphony.infrastructure.derived_keys import new_key
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
    stage.step("User names and e-mail addresses are unique on a server")
    async with services(store) as service:
        await service.user_profiles.create(ADA)
        await service.user_profiles.create(EVE)
    with stage.expect_refusal("a second user ada, as ADA", AlreadyExists, "username-taken"):
        async with services(store) as service:
            await service.user_profiles.create(user("ADA", "another@example.org"))
    with stage.expect_refusal(
        "a second user with the address Ada@Example.org", AlreadyExists, "email-taken"
    ):
        async with services(store) as service:
            await service.user_profiles.create(user("countess", "Ada@Example.org"))
    with stage.expect_refusal("eve renames herself to Ada", AlreadyExists, "username-taken"):
        async with services(store) as service:
            update = ProfileUpdate({"username": "Ada"}, is_recent=True)
            await service.user_profiles.update(EVE.id, EVE.id, update)


async def names(stage: Stage, store: Store) -> None:
    stage.step("Names are unique in their parent, without case and Unicode form")
    async with services(store) as service:
        await service.workspaces.create(Reach(ADA.id), CAFE)
    for what, name in (
        ("the same name in capitals", "CAFÉ STRASSE"),
        ("the same name with a combining accent", "cafe\u0301 straße"),
        ("the same name in full-width letters", "\uff23afé Straße"),
    ):
        with stage.expect_refusal(what, AlreadyExists, "workspace-name-taken"):
            async with services(store) as service:
                await service.workspaces.create(Reach(ADA.id), workspace(ADA, name))
    async with services(store) as service:
        await service.workspaces.create(Reach(EVE.id), workspace(EVE, "Café Straße"))
        renamed = await service.workspaces.update(Reach(ADA.id), CAFE.id, {"name": "CAFÉ Straße"})
    async with store.reading() as repositories:
        hers = await repositories.workspaces.page(Reach(EVE.id), EVE.id, PageRequest(limit=9))
    stage.expect(
        "another user may use that name", [each.name for each in hers.items] == [CAFE.name]
    )
    stage.expect("a workspace may change the case of its own name", renamed.name == "CAFÉ Straße")


async def limits(stage: Stage, store: Store) -> None:
    stage.step("Limits: here 3 workspaces per user, 3 repos and 2 vaults per workspace")
    repos = [Repo(workspace_id=CAFE.id, name=f"repo-{number}", path="/r") for number in range(4)]
    async with services(store) as service:
        await service.workspaces.create(Reach(ADA.id), workspace(ADA, "Second"))
        await service.workspaces.create(Reach(ADA.id), workspace(ADA, "Third"))
        for repo in repos[:3]:
            await service.repos.create(Reach(ADA.id), repo)
        await service.vaults.create(Reach(ADA.id), KEYS)
        await service.vaults.create(Reach(ADA.id), NOTES)
    with stage.expect_refusal("a fourth workspace", LimitReached, "workspace-limit-reached"):
        async with services(store) as service:
            await service.workspaces.create(Reach(ADA.id), workspace(ADA, "Fourth"))
    with stage.expect_refusal("a fourth repo", LimitReached, "repo-limit-reached"):
        async with services(store) as service:
            await service.repos.create(Reach(ADA.id), repos[3])
    with stage.expect_refusal("a third vault", LimitReached, "vault-limit-reached"):
        async with services(store) as service:
            await service.vaults.create(
                Reach(ADA.id), Vault(workspace_id=CAFE.id, name="third", path="/v")
            )
    async with services(store) as service:
        await service.repos.remove(Reach(ADA.id), repos[0].id)
        await service.repos.create(Reach(ADA.id), repos[3])
    async with store.reading() as repositories:
        stats = await repositories.workspaces.stats(Reach(ADA.id), CAFE.id)
    stage.expect(
        "after a repo is deleted another one can be created",
        (stats.repo_count, stats.vault_count, stats.total_resources) == (3, 2, 5),
        f"{stats.repo_count} repos and {stats.vault_count} vaults",
    )


async def ownership(stage: Stage, store: Store) -> None:
    stage.step("Other users find nothing that they could change")
    with stage.expect_refusal("eve creates a repo in ada's workspace", NotFound, "workspace-not"):
        async with services(store) as service:
            await service.repos.create(
                Reach(EVE.id), Repo(workspace_id=CAFE.id, name="spy", path="/r")
            )
    with stage.expect_refusal("eve creates a workspace for ada", NotFound, "user-profile-not"):
        async with services(store) as service:
            await service.workspaces.create(Reach(EVE.id), workspace(ADA, "Present"))
    with stage.expect_refusal("eve locks ada's vault", NotFound, "vault-not-found"):
        async with services(store) as service:
            await service.vaults.lock(Reach(EVE.id), KEYS.id)


async def locks(stage: Stage, store: Store) -> None:
    stage.step("A locked vault cannot be changed")
    async with services(store) as service:
        locked = await service.vaults.lock(Reach(ADA.id), KEYS.id)
        again = await service.vaults.lock(Reach(ADA.id), KEYS.id)
    stage.expect("locking creates version 2", locked.is_locked and locked.version == 2)
    stage.expect("locking again changes nothing", again == locked)
    with stage.expect_refusal("an update of a locked vault", Locked, "vault-locked"):
        async with services(store) as service:
            await service.vaults.update(Reach(ADA.id), KEYS.id, {"name": "other"})
    with stage.expect_refusal("its deletion", Locked, "vault-locked"):
        async with services(store) as service:
            await service.vaults.remove(Reach(ADA.id), KEYS.id)
    async with services(store) as service:
        await service.vaults.unlock(Reach(ADA.id), KEYS.id)
        changed = await service.vaults.update(Reach(ADA.id), KEYS.id, {"name": "secrets"})
    stage.expect(
        "once unlocked, it can be renamed", (changed.name, changed.version) == ("secrets", 4)
    )
    async with services(store) as service:
        await service.vaults.lock(Reach(ADA.id), NOTES.id)
        await service.vaults.remove(Reach(ADA.id), NOTES.id, force=True)
    with stage.expect_refusal(
        "unlocking a vault that was deleted by force", NotFound, "vault-not-found"
    ):
        async with services(store) as service:
            await service.vaults.unlock(Reach(ADA.id), NOTES.id)


async def seen_states(stage: Stage, store: Store) -> None:
    stage.step("A caller that says which state it has seen changes that state or none")
    seen = frozenset({CAFE.tag})
    with stage.expect_refusal("an update of a state that is no longer current", PreconditionFailed):
        async with services(store) as service:
            await service.workspaces.update(Reach(ADA.id), CAFE.id, {"description": "Mine."}, seen)
    async with services(store) as service:
        await service.workspaces.update(Reach(ADA.id), CAFE.id, {"description": "Coffee."})
        merged = await service.workspaces.update(Reach(ADA.id), CAFE.id, {"settings": {"sugar": 2}})
    stage.expect(
        "without that, updates of two fields are both kept",
        (merged.description, merged.settings) == ("Coffee.", {"sugar": 2}),
    )


async def ends(stage: Stage, store: Store) -> None:
    stage.step("Deleting what is not empty needs force")
    async with services(store) as service:
        await service.vaults.lock(Reach(ADA.id), KEYS.id)
    with stage.expect_refusal("deletion of a workspace with repos", InUse, "workspace-not-empty"):
        async with services(store) as service:
            await service.workspaces.remove(Reach(ADA.id), CAFE.id)
    async with services(store) as service:
        await service.workspaces.remove(Reach(ADA.id), CAFE.id, force=True)
    with stage.expect_refusal(
        "reading its vault, which was deleted with it", NotFound, "vault-not-found"
    ):
        async with store.reading() as repositories:
            await repositories.vaults.get(Reach(ADA.id), KEYS.id)
    with stage.expect_refusal(
        "deletion of a user who has workspaces", InUse, "user-has-workspaces"
    ):
        async with services(store) as service:
            await service.user_profiles.remove(ADA.id, ADA.id)


@asynccontextmanager
async def services(store: Store) -> AsyncGenerator[Services]:
    """The services of one unit of work, which is committed unless the block raises."""
    async with store.unit_of_work() as uow:
        yield Services(uow, LIMITS, KEYRING)
        await uow.commit()


def user(username: str, email: str) -> UserProfile:
    return UserProfile(username=username, email=email, password_hash="(a hash)")


def workspace(owner: UserProfile, name: str) -> Workspace:
    return Workspace(user_profile_id=owner.id, name=name)


if __name__ == "__main__":
    perform(story)
