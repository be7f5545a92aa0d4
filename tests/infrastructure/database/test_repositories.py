"""The contract of the repositories, over every store."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from symphony.domain.api_tokens import ApiToken, Scope
from symphony.domain.base import Entity, PageRequest, new_id
from symphony.domain.errors import AlreadyExists, NotFound
from symphony.domain.reach import Reach
from symphony.domain.repos import Repo
from symphony.domain.unit_of_work import Store, TransactionConflict
from symphony.domain.user_profiles import UserProfile
from symphony.domain.vaults.vaults import Vault
from symphony.domain.workspaces import Workspace, WorkspaceStats, WorkspaceType
from tests.domain.examples import a_machine, a_profile, a_repo, a_token, a_vault, a_workspace
from tests.infrastructure.database.kept import (
    Household,
    committed,
    found,
    keep,
    listed,
    page,
    repository,
)

MOMENT = datetime(2026, 2, 3, 4, 5, 6, 123456, tzinfo=UTC)
EARLY = datetime(1, 1, 1, tzinfo=UTC)
LATE = datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)
TIMES: dict[str, Any] = {"expires_at": LATE, "last_used_at": MOMENT}

# An entity of each noun with a value in every field, for a household, and an update of it.
Make = Callable[[Household], Entity]
NOUNS: dict[str, tuple[Make, dict[str, Any]]] = {
    "user-profile": (lambda home: home.user, {"email": "new@example.org", "preferences": {"a": 1}}),
    "workspace": (
        lambda home: a_workspace(
            home.user.id,
            "Straße \U0001f3bb",
            description="a\r\nb\t",
            workspace_type=WorkspaceType.CLIENT,
            settings={"b": [1, {"a": None}], "a": True},
            created_at=MOMENT,
        ),
        {"name": "Other", "description": None, "workspace_type": "personal"},
    ),
    "repo": (
        lambda home: a_repo(
            home.workspace.id,
            "strings",
            remote_url="git@example.org:x",
            metadata={"a": {"b": "é"}},
            last_synced=LATE,
            created_at=EARLY,
        ),
        {"name": "brass", "path": "/srv/x", "remote_url": None, "metadata": {"a": None}},
    ),
    "vault": (
        lambda home: a_vault(home.workspace.id, "notes", is_locked=True, metadata={"": ""}),
        {"name": "other", "is_locked": False},
    ),
    "machine": (
        lambda home: a_machine(home.user.id, last_report_at=MOMENT, checkout_count=3),
        {"name": "other", "last_report_at": LATE, "checkout_count": 0},
    ),
    "api-token": (
        lambda home: a_token(
            home.user.id, scopes=(Scope.READ, Scope.WRITE), token_hash=bytes(range(256)), **TIMES
        ),
        {"name": "other"},
    ),
}


@pytest.fixture(params=NOUNS)
def noun(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
async def entity(noun: str, store: Store, ada: Household) -> Entity:
    """A stored entity of the noun, owned by ada."""
    entity = NOUNS[noun][0](ada)
    if entity is not ada.user:
        await keep(store, entity)
    return entity


async def test_an_added_entity_is_read_as_it_was(
    store: Store, ada: Household, entity: Entity
) -> None:
    assert await found(store, entity, ada.user.id) == entity


async def test_a_saved_update_is_read_as_it_is(
    noun: str, store: Store, ada: Household, entity: Entity
) -> None:
    async with committed(store) as uow:
        entities = repository(uow, type(entity))
        changed = (await entities.get_for_update(Reach(ada.user.id), entity.id)).updated(
            NOUNS[noun][1]
        )
        await entities.save(changed)
    assert changed.version == 2
    assert await found(store, entity, ada.user.id) == changed


async def test_a_removed_entity_is_not_found(store: Store, ada: Household, entity: Entity) -> None:
    async with committed(store) as uow:
        entities = repository(uow, type(entity))
        await entities.remove(await entities.get_for_update(Reach(ada.user.id), entity.id))
    with pytest.raises(NotFound):
        await found(store, entity, ada.user.id)


async def test_another_owners_entity_and_an_unknown_one_are_not_found(
    noun: str, store: Store, ada: Household, eve: Household, entity: Entity
) -> None:
    async with store.unit_of_work() as uow:
        entities = repository(uow, type(entity))
        for look_up in (entities.get, entities.get_for_update):
            for owner_id, entity_id in (
                (eve.user.id, entity.id),
                (new_id(), entity.id),
                (ada.user.id, new_id()),
            ):
                with pytest.raises(NotFound) as refused:
                    await look_up(Reach(owner_id), entity_id)
                assert refused.value.slug == f"{noun}-not-found"
                assert str(entity_id) in refused.value.detail


async def test_saving_any_but_the_next_version_is_a_conflict(
    noun: str, store: Store, entity: Entity
) -> None:
    changed = entity.updated(NOUNS[noun][1])
    async with committed(store) as uow:
        await repository(uow, type(entity)).save(changed)
    async with store.unit_of_work() as uow:
        with pytest.raises(TransactionConflict):
            await repository(uow, type(entity)).save(changed)


async def test_removing_a_removed_entity_is_a_conflict(store: Store, entity: Entity) -> None:
    async with committed(store) as uow:
        await repository(uow, type(entity)).remove(entity)
    async with store.unit_of_work() as uow:
        with pytest.raises(TransactionConflict):
            await repository(uow, type(entity)).remove(entity)


def _parents(home: Household) -> list[tuple[type[Entity], UUID]]:
    user, workspace = home.user.id, home.workspace.id
    return [(Workspace, user), (ApiToken, user), (Repo, workspace), (Vault, workspace)]


async def test_the_list_of_another_users_parent_or_an_unknown_one_is_not_found(
    store: Store, ada: Household, eve: Household
) -> None:
    for noun, parent_id in _parents(ada):
        for owner_id, asked in ((eve.user.id, parent_id), (ada.user.id, new_id())):
            with pytest.raises(NotFound) as refused:
                await listed(store, noun, owner_id, asked)
            assert str(asked) in refused.value.detail


async def test_the_list_of_an_empty_parent_is_empty(store: Store) -> None:
    user = a_profile("nobody_yet")
    workspace = a_workspace(user.id)
    await keep(store, user)
    assert await listed(store, Workspace, user.id, user.id) == []
    assert await listed(store, ApiToken, user.id, user.id) == []
    await keep(store, workspace)
    assert await listed(store, Repo, user.id, workspace.id) == []
    assert await listed(store, Vault, user.id, workspace.id) == []


async def test_a_list_has_the_entities_of_its_parent_and_no_others(
    store: Store, ada: Household, eve: Household
) -> None:
    other = a_workspace(ada.user.id, "Other")
    elsewhere = a_repo(other.id, "elsewhere")
    await keep(store, other, elsewhere)
    assert await listed(store, Workspace, ada.user.id, ada.user.id) == [other, ada.workspace]
    assert await listed(store, Repo, ada.user.id, ada.workspace.id) == [ada.repo]
    assert await listed(store, Repo, ada.user.id, other.id) == [elsewhere]
    assert await listed(store, Vault, eve.user.id, eve.workspace.id) == [eve.vault]


@pytest.mark.parametrize(
    ("noun", "filters", "names"),
    [
        (Workspace, {"workspace_type": WorkspaceType.CLIENT}, ["a"]),
        (Workspace, {"workspace_type": WorkspaceType.RESEARCH}, []),
        (Vault, {"is_locked": True}, ["a"]),
        (Vault, {"is_locked": False}, ["b", "keys"]),
    ],
)
async def test_a_list_can_be_filtered(
    store: Store, ada: Household, noun: type[Entity], filters: dict[str, object], names: list[str]
) -> None:
    user, workspace = ada.user.id, ada.workspace.id
    await keep(store, a_workspace(user, "a", workspace_type="client"), a_workspace(user, "b"))
    await keep(store, a_vault(workspace, "a", is_locked=True), a_vault(workspace, "b"))
    request = PageRequest(limit=9, sort="name", filters=filters)
    parent = user if noun is Workspace else workspace
    items = (await page(store, noun, user, parent, request)).items
    assert [item.name for item in items] == names


@pytest.mark.parametrize("username", ["Ada_L", "ada_l", "ADA_L"])
async def test_a_profile_is_found_by_its_username_without_regard_to_case(
    store: Store, username: str
) -> None:
    profile = a_profile("Ada_L")
    await keep(store, profile)
    async with store.reading() as repositories:
        assert await repositories.user_profiles.get_by_username(username) == profile
        assert await repositories.user_profiles.get_by_username(username + "x") is None
        assert await repositories.user_profiles.get_by_username("ada%") is None


@pytest.mark.parametrize(
    "email", ["José@Example.ORG", "josé@example.org", "JOSE\u0301@EXAMPLE.ORG"]
)
async def test_a_profile_is_found_by_its_email_without_regard_to_case_or_form(
    store: Store, email: str
) -> None:
    profile = a_profile(email="José@Example.ORG")
    await keep(store, profile)
    async with store.reading() as repositories:
        assert await repositories.user_profiles.get_by_email(email) == profile
        assert await repositories.user_profiles.get_by_email("x" + email) is None


async def test_a_token_is_found_by_its_hash_without_an_owner(store: Store, ada: Household) -> None:
    token = a_token(ada.user.id)
    await keep(store, token)
    async with store.reading() as repositories:
        assert await repositories.api_tokens.get_by_hash(token.token_hash) == token
        assert await repositories.api_tokens.get_by_hash(b"other") is None


async def test_the_last_use_of_a_token_is_stored_without_a_new_version(
    store: Store, ada: Household
) -> None:
    token = a_token(ada.user.id)
    await keep(store, token)
    async with committed(store) as uow:
        await uow.api_tokens.mark_used(token.id, MOMENT)
        await uow.api_tokens.mark_used(new_id(), MOMENT)
    used = await found(store, token, ada.user.id)
    assert (used.last_used_at, used.version) == (MOMENT, 1)


async def test_the_last_use_of_a_token_is_stored_once_a_minute(
    store: Store, ada: Household
) -> None:
    token = a_token(ada.user.id)
    await keep(store, token)
    for seconds, stored in ((0, 0), (59, 0), (-59, 0), (61, 61), (120, 61), (-90, -90)):
        async with committed(store) as uow:
            await uow.api_tokens.mark_used(token.id, MOMENT + timedelta(seconds=seconds))
        used = await found(store, token, ada.user.id)
        assert used.last_used_at == MOMENT + timedelta(seconds=stored)


SAME_NAMES = [
    ("Thesis 2", "THESIS 2"),
    ("Straße", "STRASSE"),
    ("Café", "Cafe\u0301"),
    ("ﬁle", "FILE"),
    ("ΣΊΣΥΦΟΣ", "Σίσυφος"),
]


@pytest.mark.parametrize(("one", "other"), SAME_NAMES)
@pytest.mark.parametrize("noun", [Workspace, Repo, Vault])
async def test_a_name_is_taken_in_any_case_and_unicode_form(
    store: Store, ada: Household, noun: type[Entity], one: str, other: str
) -> None:
    make, parent = _maker(noun, ada)
    await keep(store, make(parent, one))
    async with store.unit_of_work() as uow:
        with pytest.raises(AlreadyExists) as refused:
            await repository(uow, noun).add(make(parent, other))
    assert refused.value.slug == f"{noun.noun}-name-taken"


@pytest.mark.parametrize("noun", [Workspace, Repo, Vault])
async def test_an_entity_cannot_be_renamed_to_a_taken_name(
    store: Store, ada: Household, noun: type[Entity]
) -> None:
    make, parent = _maker(noun, ada)
    one, other = make(parent, "one"), make(parent, "other")
    await keep(store, one, other)
    async with store.unit_of_work() as uow:
        with pytest.raises(AlreadyExists):
            await repository(uow, noun).save(other.updated({"name": "ONE"}))
    async with committed(store) as uow:
        await repository(uow, noun).save(other.updated({"name": "OTHER"}))


async def test_a_name_is_free_in_another_parent_and_after_the_entity_is_removed(
    store: Store, ada: Household, eve: Household
) -> None:
    second = a_workspace(ada.user.id, "Second")
    await keep(store, second, a_repo(second.id, ada.repo.name), a_vault(second.id, ada.vault.name))
    async with committed(store) as uow:
        await uow.repos.remove(ada.repo)
        await uow.repos.add(a_repo(ada.workspace.id, ada.repo.name))
    assert ada.workspace.name == eve.workspace.name


@pytest.mark.parametrize("taken", [{"username": "ADA"}, {"email": "ADA@example.org"}])
async def test_usernames_and_emails_are_unique_across_the_service(
    store: Store, ada: Household, taken: dict[str, str]
) -> None:
    # The service reports before which of the two is taken; only a race gets here.
    with pytest.raises(TransactionConflict):
        await keep(store, a_profile(**{"username": "other"} | taken))
    assert await found(store, ada.user, ada.user.id) == ada.user


async def test_two_tokens_may_have_one_name(store: Store, ada: Household) -> None:
    tokens = [a_token(ada.user.id, "ci", token_hash=bytes([number])) for number in range(3)]
    await keep(store, *tokens)
    assert await listed(store, ApiToken, ada.user.id, ada.user.id) == tokens


async def test_a_parent_is_removed_with_its_contents_and_nothing_else(
    store: Store, ada: Household, eve: Household
) -> None:
    token = a_token(ada.user.id)
    await keep(store, token)
    async with committed(store) as uow:
        await uow.user_profiles.remove(ada.user)
    for gone in (ada.user, ada.workspace, ada.repo, ada.vault, token):
        with pytest.raises(NotFound):
            await found(store, gone, ada.user.id)
    async with store.reading() as repositories:
        assert await repositories.api_tokens.get_by_hash(token.token_hash) is None
    for kept in (eve.user, eve.workspace, eve.repo, eve.vault):
        assert await found(store, kept, eve.user.id) == kept


async def test_adding_to_an_unknown_parent_is_a_conflict(store: Store, ada: Household) -> None:
    for orphan in (a_workspace(), a_token(), a_repo(), a_vault(), a_machine()):
        with pytest.raises(TransactionConflict):
            await keep(store, orphan)


async def test_counters_start_at_zero_and_count_up_and_down(store: Store, ada: Household) -> None:
    user, workspace = ada.user.id, ada.workspace.id
    async with committed(store) as uow:
        assert await uow.user_profiles.count_workspaces(user, user) == 0
        assert await uow.user_profiles.count_workspaces(user, user, added=3) == 3
        assert await uow.user_profiles.count_workspaces(user, user, added=-1) == 2
        assert await uow.user_profiles.count_machines(user, user, added=2) == 2
        assert await uow.user_profiles.count_machines(user, user, added=-1) == 1
        counted = await uow.workspaces.count_contents(
            Reach(user), workspace, repo_count=2, vault_count=1
        )
        assert counted == WorkspaceStats(workspace, 2, 1)
        counted = await uow.workspaces.count_contents(Reach(user), workspace, repo_count=-1)
    assert counted == WorkspaceStats(workspace, 1, 1)
    async with store.reading() as repositories:
        assert await repositories.workspaces.stats(Reach(user), workspace) == counted
    assert counted.total_resources == 2


async def test_counting_changes_neither_version_nor_times(store: Store, ada: Household) -> None:
    async with committed(store) as uow:
        await uow.user_profiles.count_workspaces(ada.user.id, ada.user.id, added=1)
        await uow.workspaces.count_contents(Reach(ada.user.id), ada.workspace.id, repo_count=1)
    assert await found(store, ada.user, ada.user.id) == ada.user
    assert await found(store, ada.workspace, ada.user.id) == ada.workspace


async def test_a_saved_update_does_not_change_the_counters(store: Store, ada: Household) -> None:
    user, workspace = ada.user, ada.workspace
    async with committed(store) as uow:
        await uow.user_profiles.count_workspaces(user.id, user.id, added=1)
        await uow.workspaces.count_contents(
            Reach(user.id), workspace.id, repo_count=1, vault_count=2
        )
        await uow.user_profiles.save(user.updated({"preferences": {"a": 1}}))
        await uow.workspaces.save(workspace.updated({"name": "Other"}))
        assert await uow.user_profiles.count_workspaces(user.id, user.id) == 1
        stats = await uow.workspaces.stats(Reach(user.id), workspace.id)
    assert stats == WorkspaceStats(workspace.id, 1, 2)


async def test_another_users_counters_cannot_be_changed(
    store: Store, ada: Household, eve: Household
) -> None:
    async with store.unit_of_work() as uow:
        for owner_id, target in ((eve.user.id, ada), (new_id(), ada), (new_id(), eve)):
            with pytest.raises(NotFound):
                await uow.user_profiles.count_workspaces(owner_id, target.user.id, added=1)
            with pytest.raises(NotFound):
                await uow.workspaces.count_contents(
                    Reach(owner_id), target.workspace.id, repo_count=1
                )
            with pytest.raises(NotFound):
                await uow.workspaces.stats(Reach(owner_id), target.workspace.id)


def _maker(noun: type[Entity], home: Household) -> tuple[Callable[..., Entity], UUID]:
    makers: dict[type[Entity], tuple[Callable[..., Entity], UUID]] = {
        Workspace: (a_workspace, home.user.id),
        Repo: (a_repo, home.workspace.id),
        Vault: (a_vault, home.workspace.id),
        UserProfile: (a_profile, home.user.id),
    }
    return makers[noun]
