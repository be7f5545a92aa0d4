"""The contract of idempotency keys, over every store: one request makes one thing."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from symphony.domain.base import Entity, utc_now
from symphony.domain.idempotency import KEPT_FOR, Creation, IdempotencyKey, KeyReused
from symphony.domain.unit_of_work import Store
from symphony.domain.workspaces import WorkspaceType
from symphony.infrastructure.database import idempotency
from tests.domain.examples import a_repo, a_vault, a_workspace
from tests.infrastructure.database.kept import Household, committed

TIME_LIMIT = 10  # seconds


def a_key(household: Household, name: str = "key") -> IdempotencyKey:
    return IdempotencyKey(household.user.id, name, b"fingerprint".ljust(32))


async def make(store: Store, key: IdempotencyKey, entity: Creation) -> Creation:
    """What was made under the key: the entity, or something else at an earlier time."""
    async with committed(store) as uow:
        made_before = await uow.idempotency_keys.claim(key)
        if made_before is None:
            await uow.idempotency_keys.save(key, entity)
        return made_before or entity


async def test_what_was_made_under_a_key_comes_back_as_it_was(store: Store, ada: Household) -> None:
    things: list[Entity] = [
        a_workspace(ada.user.id, workspace_type=WorkspaceType.CLIENT, settings={"a": [1, 1.0]}),
        a_repo(ada.workspace.id, remote_url="ssh://git@example.org/x", metadata={"n": None}),
        a_vault(ada.workspace.id, metadata={"big": 10**30, "deep": {"a": {}}}),
    ]
    for thing in things:
        key = a_key(ada, thing.noun)
        assert await make(store, key, thing) is thing
        again = await make(store, key, a_repo(ada.workspace.id))
        assert again == thing
        assert type(again) is type(thing)


async def test_several_things_that_were_made_under_one_key_come_back_in_their_order(
    store: Store, ada: Household
) -> None:
    names = ("strings", "brass", "winds")
    things = [a_repo(ada.workspace.id, name, metadata={"n": name}) for name in names]
    assert await make(store, a_key(ada), things) is things
    assert await make(store, a_key(ada), [ada.repo]) == things
    await make(store, a_key(ada, "one"), things[:1])
    assert await make(store, a_key(ada, "one"), ada.vault) == things[:1]


async def test_what_an_older_version_has_kept_comes_back_with_what_has_come_since(
    store: Store, ada: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    to_json = idempotency._to_json  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - as it was then

    def without_protection(entity: Entity) -> dict[str, object]:
        return {name: value for name, value in to_json(entity).items() if name != "protection"}

    monkeypatch.setattr(idempotency, "_to_json", without_protection)
    vault = a_vault(ada.workspace.id)
    await make(store, a_key(ada), vault)
    assert await make(store, a_key(ada), ada.repo) == vault


async def test_a_key_that_was_not_committed_is_free_again(store: Store, ada: Household) -> None:
    async with store.unit_of_work() as uow:
        assert await uow.idempotency_keys.claim(a_key(ada)) is None
        await uow.idempotency_keys.save(a_key(ada), ada.repo)
    assert await make(store, a_key(ada), ada.vault) is ada.vault


async def test_a_key_is_for_one_request(store: Store, ada: Household) -> None:
    await make(store, a_key(ada), ada.repo)
    with pytest.raises(KeyReused):
        await make(store, replace(a_key(ada), fingerprint=b"other".ljust(32)), ada.repo)


async def test_a_key_belongs_to_its_user(store: Store, ada: Household, eve: Household) -> None:
    await make(store, a_key(ada), ada.repo)
    assert await make(store, a_key(eve), eve.repo) is eve.repo
    assert await make(store, a_key(ada), ada.vault) == ada.repo


async def test_whoever_comes_second_waits_for_the_first(store: Store, ada: Household) -> None:
    async with store.unit_of_work() as uow:
        assert await uow.idempotency_keys.claim(a_key(ada)) is None
        second = asyncio.create_task(make(store, a_key(ada), ada.vault))
        await asyncio.wait([second], timeout=0.1)
        assert not second.done()
        await uow.idempotency_keys.save(a_key(ada), ada.repo)
        await uow.commit()
    assert await asyncio.wait_for(second, TIME_LIMIT) == ada.repo


async def test_whoever_comes_second_goes_first_when_the_first_gives_up(
    store: Store, ada: Household
) -> None:
    async with store.unit_of_work() as uow:
        assert await uow.idempotency_keys.claim(a_key(ada)) is None
        second = asyncio.create_task(make(store, a_key(ada), ada.vault))
        await asyncio.wait([second], timeout=0.1)
    assert await asyncio.wait_for(second, TIME_LIMIT) is ada.vault


async def test_of_many_at_once_one_makes_the_thing(store: Store, ada: Household) -> None:
    made = await asyncio.gather(
        *(make(store, a_key(ada), a_repo(ada.workspace.id, f"r{number}")) for number in range(20))
    )
    assert all(thing == made[0] for thing in made)


async def test_a_key_is_kept_for_a_day(
    store: Store, ada: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = utc_now()
    await make(store, a_key(ada), ada.repo)
    monkeypatch.setattr(idempotency, "utc_now", lambda: begun + KEPT_FOR - timedelta(seconds=1))
    assert await make(store, a_key(ada), ada.vault) == ada.repo
    monkeypatch.setattr(idempotency, "utc_now", lambda: utc_now() + KEPT_FOR + timedelta(seconds=1))
    assert await make(store, a_key(ada), ada.vault) is ada.vault


async def test_the_keys_of_a_user_go_with_the_user(store: Store, ada: Household) -> None:
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
