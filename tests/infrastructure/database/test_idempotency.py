"""The contract of idempotency keys, over every store: a request takes effect once."""

import asyncio
from dataclasses import fields, replace
from datetime import timedelta
from typing import cast

import pytest

from symphony.domain.base import Entity, utc_now
from symphony.domain.idempotency import (
    KEPT_FOR,
    LEAST_KEPT_BYTES,
    Creation,
    IdempotencyKey,
    KeyReused,
)
from symphony.domain.json_objects import JsonObject, compact
from symphony.domain.reach import Reach
from symphony.domain.unit_of_work import Store
from symphony.domain.workspaces import WorkspaceType
from symphony.infrastructure.database import idempotency
from symphony.infrastructure.database.engine import Engines
from symphony.infrastructure.database.entity_mapping import EntityMapping
from symphony.infrastructure.database.unit_of_work import SqlAlchemyStore
from tests.domain.examples import a_machine, a_profile, a_repo, a_token, a_vault, a_workspace
from tests.infrastructure.database.kept import Household, committed

TIME_LIMIT = 10  # seconds


def a_key(household: Household, name: str = "key") -> IdempotencyKey:
    return IdempotencyKey(Reach(household.user.id), name, b"fingerprint".ljust(32))


async def make(store: Store, key: IdempotencyKey, entity: Creation) -> Creation:
    """Return what was created under the key: the entity, or that of an earlier request."""
    async with committed(store) as uow:
        made_before = await uow.idempotency_keys.claim(key)
        if made_before is None:
            await uow.idempotency_keys.save(key, entity)
        return made_before or entity


async def test_a_retry_gets_the_entity_of_any_noun_as_it_was_created(
    store: Store, ada: Household
) -> None:
    things: list[Entity] = [
        a_workspace(ada.user.id, workspace_type=WorkspaceType.CLIENT, settings={"a": [1, 1.0]}),
        a_repo(ada.workspace.id, remote_url="ssh://git@example.org/x", metadata={"n": None}),
        a_vault(ada.workspace.id, metadata={"big": 10**1000 - 1, "deep": {"a": {}}, "-": -0.0}),
        a_profile("eve", preferences={"e": 1e300, "t": True}),
        a_token(ada.user.id, token_hash=bytes(range(256)), expires_at=utc_now()),
        a_machine(ada.user.id),
    ]
    assert {type(each).noun for each in things} == set(EntityMapping.by_noun)
    for thing in things:
        key = a_key(ada, thing.noun)
        assert await make(store, key, thing) is thing
        again = await make(store, key, a_repo(ada.workspace.id))
        assert again == thing
        assert type(again) is type(thing)
        for field in fields(thing):
            before, after = (getattr(each, field.name) for each in (thing, again))
            if isinstance(before, dict):  # as text: `==` takes 1, 1.0 and True for equal
                assert compact(after) == compact(cast("JsonObject", before))
            else:
                assert isinstance(after, type(before))


async def test_a_retry_gets_several_entities_in_their_order(store: Store, ada: Household) -> None:
    names = ("strings", "brass", "winds")
    things = [a_repo(ada.workspace.id, name, metadata={"n": name}) for name in names]
    assert await make(store, a_key(ada), things) is things
    assert await make(store, a_key(ada), [ada.repo]) == things
    await make(store, a_key(ada, "one"), things[:1])
    assert await make(store, a_key(ada, "one"), ada.vault) == things[:1]


async def is_kept(store: Store, household: Household, name: str) -> bool:
    async with store.reading() as repositories:
        return await repositories.idempotency_keys.created(a_key(household, name)) is not None


async def test_the_oldest_keys_of_a_user_are_removed_when_they_take_too_much(
    store: Store, ada: Household, eve: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(idempotency, "KEPT_BYTES", 4 * LEAST_KEPT_BYTES)
    await make(store, a_key(eve), eve.repo)
    for name in ("1", "2", "3", "4"):
        await make(store, a_key(ada, name), ada.repo)
    assert all([await is_kept(store, ada, name) for name in ("1", "2", "3", "4")])
    await make(store, a_key(ada, "5"), ada.repo)
    assert [await is_kept(store, ada, name) for name in ("1", "2", "5")] == [False, True, True]
    large = a_repo(ada.workspace.id, metadata={"n": "x" * 2 * LEAST_KEPT_BYTES})
    await make(store, a_key(ada, "large"), [large])
    kept = [name for name in ("2", "3", "4", "5", "large") if await is_kept(store, ada, name)]
    assert kept == ["5", "large"]
    assert await make(store, a_key(ada, "large"), [ada.repo]) == [large]
    assert await make(store, a_key(ada, "5"), ada.workspace) == ada.repo
    assert await is_kept(store, eve, "key")


async def test_an_entity_stored_by_an_older_version_gets_the_defaults_of_new_fields(
    store: Store, ada: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    to_json = idempotency.to_json

    def without_protection(entity: Entity) -> dict[str, object]:
        return {name: value for name, value in to_json(entity).items() if name != "protection"}

    monkeypatch.setattr(idempotency, "to_json", without_protection)
    vault = a_vault(ada.workspace.id)
    await make(store, a_key(ada), vault)
    assert await make(store, a_key(ada), ada.repo) == vault


async def test_a_key_that_was_not_committed_is_free(store: Store, ada: Household) -> None:
    async with store.unit_of_work() as uow:
        assert await uow.idempotency_keys.claim(a_key(ada)) is None
        await uow.idempotency_keys.save(a_key(ada), ada.repo)
    assert await make(store, a_key(ada), ada.vault) is ada.vault


async def test_a_key_is_for_one_request(store: Store, ada: Household) -> None:
    await make(store, a_key(ada), ada.repo)
    with pytest.raises(KeyReused):
        await make(store, replace(a_key(ada), fingerprint=b"other".ljust(32)), ada.repo)


async def test_each_user_has_keys_of_their_own(
    store: Store, ada: Household, eve: Household
) -> None:
    await make(store, a_key(ada), ada.repo)
    assert await make(store, a_key(eve), eve.repo) is eve.repo
    assert await make(store, a_key(ada), ada.vault) == ada.repo


async def test_a_second_request_with_the_key_waits_for_the_first(
    store: Store, ada: Household
) -> None:
    async with store.unit_of_work() as uow:
        assert await uow.idempotency_keys.claim(a_key(ada)) is None
        second = asyncio.create_task(make(store, a_key(ada), ada.vault))
        await asyncio.wait([second], timeout=0.1)
        assert not second.done()
        await uow.idempotency_keys.save(a_key(ada), ada.repo)
        await uow.commit()
    assert await asyncio.wait_for(second, TIME_LIMIT) == ada.repo


async def test_a_second_request_with_the_key_creates_the_entity_when_the_first_gives_up(
    store: Store, ada: Household
) -> None:
    async with store.unit_of_work() as uow:
        assert await uow.idempotency_keys.claim(a_key(ada)) is None
        second = asyncio.create_task(make(store, a_key(ada), ada.vault))
        await asyncio.wait([second], timeout=0.1)
    assert await asyncio.wait_for(second, TIME_LIMIT) is ada.vault


async def test_only_one_of_many_parallel_requests_creates_the_entity(
    store: Store, ada: Household
) -> None:
    made = await asyncio.gather(
        *(make(store, a_key(ada), a_repo(ada.workspace.id, f"r{number}")) for number in range(20))
    )
    assert all(thing == made[0] for thing in made)


async def test_a_key_is_kept_for_a_day(store: Store, engines: Engines, ada: Household) -> None:
    started = utc_now()
    await make(store, a_key(ada), ada.repo)
    within = SqlAlchemyStore(engines, clock=lambda: started + KEPT_FOR - timedelta(seconds=1))
    assert await make(within, a_key(ada), ada.vault) == ada.repo
    later = SqlAlchemyStore(engines, clock=lambda: utc_now() + KEPT_FOR + timedelta(seconds=1))
    assert await make(later, a_key(ada), ada.vault) is ada.vault


async def test_a_key_of_a_clock_that_was_days_ahead_expires(
    store: Store, engines: Engines, ada: Household
) -> None:
    def ahead(time: timedelta) -> Store:
        return SqlAlchemyStore(engines, clock=lambda: utc_now() + time)

    await make(ahead(KEPT_FOR - timedelta(minutes=1)), a_key(ada), ada.repo)
    assert await make(store, a_key(ada), ada.vault) == ada.repo  # a retry, by another clock
    await make(ahead(KEPT_FOR * 3), a_key(ada), ada.repo)
    assert await make(store, a_key(ada), ada.vault) is ada.vault


async def test_the_keys_of_a_user_are_removed_with_the_user(store: Store, ada: Household) -> None:
    await make(store, a_key(ada), ada.repo)
    async with committed(store) as uow:
        await uow.repos.remove(ada.repo)
        await uow.vaults.remove(ada.vault)
        await uow.workspaces.remove(ada.workspace)
        await uow.user_profiles.remove(ada.user)
    assert await make_for_nobody(store, a_key(ada)) is None


async def make_for_nobody(store: Store, key: IdempotencyKey) -> Creation | None:
    async with committed(store) as uow:
        return await uow.idempotency_keys.claim(key)


async def test_what_was_created_under_a_key_is_found_without_a_claim(
    store: Store, engines: Engines, ada: Household
) -> None:
    vault = a_vault(ada.workspace.id)
    key = a_key(ada)
    other = replace(key, fingerprint=b"other".ljust(32))

    async def found(store: Store, key: IdempotencyKey) -> tuple[Creation | None, Creation | None]:
        async with store.reading() as repositories:
            keys = repositories.idempotency_keys
            return await keys.created(key), await keys.replay(key)

    assert await found(store, key) == (None, None)
    await make(store, key, vault)
    assert await found(store, key) == (vault, vault)
    async with store.reading() as repositories:
        assert await repositories.idempotency_keys.created(other) == vault
        with pytest.raises(KeyReused):
            await repositories.idempotency_keys.replay(other)
    late = KEPT_FOR + timedelta(minutes=1)
    for step in (late, -late):
        later = SqlAlchemyStore(engines, clock=lambda step=step: utc_now() + step)
        assert await found(later, key) == (None, None)
