"""A confined token reaches its workspaces and their contents only, on every store."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import pytest
from sqlalchemy import text

from symphony.domain.api_tokens import ApiToken, hash_token
from symphony.domain.base import PageRequest
from symphony.domain.errors import NotFound
from symphony.domain.reach import Reach
from symphony.domain.unit_of_work import Repositories, Store
from symphony.domain.vaults.sessions import VaultCredentials
from symphony.infrastructure.database.engine import Engines
from tests.domain.examples import a_repo, a_token, a_vault, a_workspace
from tests.infrastructure.database.kept import Household, committed, keep

ALL = PageRequest(limit=100)


@dataclass(frozen=True, slots=True)
class Confined:
    """A token of ada's that is confined to `inside`, a second workspace of hers."""

    token: ApiToken
    inside: Household

    @property
    def reach(self) -> Reach:
        return self.token.reach


@pytest.fixture
async def confined(store: Store, ada: Household) -> Confined:
    workspace = a_workspace(ada.user.id, "Inside")
    inside = Household(ada.user, workspace, a_repo(workspace.id), a_vault(workspace.id))
    token = a_token(ada.user.id, workspace_ids=[workspace.id])
    await keep(store, inside.workspace, inside.repo, inside.vault, token)
    return Confined(token, inside)


def credentials(reach: Reach, home: Household) -> VaultCredentials:
    return VaultCredentials(reach, home.vault.id, b"t", None)


LOOK_UPS: dict[str, Callable[[Repositories, Reach, Household], Awaitable[object]]] = {
    "workspace": lambda all_, reach, home: all_.workspaces.get(reach, home.workspace.id),
    "stats": lambda all_, reach, home: all_.workspaces.stats(reach, home.workspace.id),
    "repos": lambda all_, reach, home: all_.repos.page(reach, home.workspace.id, ALL),
    "repos of user": lambda all_, reach, home: all_.repos.page_of_user(
        reach, home.user.id, ALL, workspace_id=home.workspace.id
    ),
    "registered": lambda all_, reach, home: all_.repos.registered(reach, home.workspace.id),
    "repo": lambda all_, reach, home: all_.repos.get(reach, home.repo.id),
    "vaults": lambda all_, reach, home: all_.vaults.page(reach, home.workspace.id, ALL),
    "vault": lambda all_, reach, home: all_.vaults.get(reach, home.vault.id),
    "access": lambda all_, reach, home: all_.vault_sessions.access(reach, home.vault.id, b"s"),
    "entry": lambda all_, reach, home: all_.vault_entries.read(
        credentials(reach, home), None, b"l", None
    ),
    "versions": lambda all_, reach, home: all_.vault_entries.versions(
        credentials(reach, home), None, b"l"
    ),
    "entries": lambda all_, reach, home: all_.vault_entries.all(credentials(reach, home), None),
}
WRITES: dict[str, Callable[[Repositories, Reach, Household], Awaitable[object]]] = {
    "workspace": lambda all_, reach, home: all_.workspaces.get_for_update(reach, home.workspace.id),
    "counters": lambda all_, reach, home: all_.workspaces.count_contents(reach, home.workspace.id),
    "repo": lambda all_, reach, home: all_.repos.get_for_update(reach, home.repo.id),
    "unmoved repo": lambda all_, reach, home: all_.repos.get_unmoved_for_update(reach, home.repo),
    "vault": lambda all_, reach, home: all_.vaults.get_for_update(reach, home.vault.id),
}


@pytest.mark.parametrize("look_up", LOOK_UPS.values(), ids=LOOK_UPS)
async def test_a_look_up_finds_what_is_inside_only(
    look_up: Callable[[Repositories, Reach, Household], Awaitable[object]],
    store: Store,
    ada: Household,
    confined: Confined,
) -> None:
    async with store.reading() as repositories:
        for home in (ada, confined.inside):
            await look_up(repositories, Reach(ada.user.id), home)
        await look_up(repositories, confined.reach, confined.inside)
        with pytest.raises(NotFound):
            await look_up(repositories, confined.reach, ada)


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
async def test_a_write_locks_what_is_inside_only(
    write: Callable[[Repositories, Reach, Household], Awaitable[object]],
    store: Store,
    ada: Household,
    confined: Confined,
) -> None:
    async with committed(store) as uow:
        await write(uow, confined.reach, confined.inside)
        with pytest.raises(NotFound):
            await write(uow, confined.reach, ada)


async def test_lists_over_all_workspaces_contain_what_is_inside_only(
    store: Store, ada: Household, confined: Confined
) -> None:
    user = ada.user.id
    async with store.reading() as all_:
        assert await all_.workspaces.ids(confined.reach) == {confined.inside.workspace.id}
        workspaces = await all_.workspaces.page(confined.reach, user, ALL)
        assert list(workspaces.items) == [confined.inside.workspace]
        repos = await all_.repos.page_of_user(confined.reach, user, ALL)
        assert list(repos.items) == [confined.inside.repo]
        facts = await all_.observations.board_facts(confined.reach, user, None)
        assert [each.id for each in facts.repos] == [confined.inside.repo.id]
        assert [each.id for each in facts.vaults] == [confined.inside.vault.id]
        outside = await all_.observations.board_facts(confined.reach, user, ada.workspace.id)
        assert (outside.repos, outside.vaults) == ([], [])
        assert await all_.vault_keys.find(confined.reach, ada.vault.id) is None
        assert await all_.remote_heads.of_repo(confined.reach, ada.repo.id) is None
        everything = await all_.repos.page_of_user(Reach(user), user, ALL)
        assert {each.id for each in everything.items} == {ada.repo.id, confined.inside.repo.id}


async def test_a_token_keeps_its_workspaces_until_they_are_deleted(
    store: Store, ada: Household, confined: Confined
) -> None:
    two = a_token(
        ada.user.id,
        token_hash=b"2",
        workspace_ids=[ada.workspace.id, confined.inside.workspace.id],
    )
    await keep(store, two, a_token(ada.user.id, token_hash=b"3"))

    async def stored() -> dict[bytes, tuple[object, ...] | None]:
        async with store.reading() as all_:
            tokens = await all_.api_tokens.page(Reach(ada.user.id), ada.user.id, ALL)
        return {each.id.bytes: each.workspace_ids for each in tokens.items}

    async def delete(home: Household) -> None:
        async with committed(store) as uow:
            await uow.workspaces.remove(home.workspace)

    before = await stored()
    assert before[two.id.bytes] == tuple(sorted([ada.workspace.id, confined.inside.workspace.id]))
    assert before[confined.token.id.bytes] == (confined.inside.workspace.id,)
    assert sorted(before.values(), key=str)[-1] is None
    await delete(confined.inside)
    after = await stored()
    assert after[two.id.bytes] == (ada.workspace.id,)
    assert after[confined.token.id.bytes] == ()
    async with store.reading() as all_:
        assert await all_.workspaces.ids(confined.reach) == frozenset()
        assert (await all_.repos.page_of_user(confined.reach, ada.user.id, ALL)).items == []


async def test_processes_of_the_previous_version_do_not_find_a_confined_token(
    store: Store, engines: Engines, ada: Household
) -> None:
    secret, other = hash_token("sym_confined"), hash_token("sym_other")
    confined = a_token(ada.user.id, token_hash=secret, workspace_ids=[ada.workspace.id])
    unconfined = a_token(ada.user.id, token_hash=other)
    await keep(store, confined, unconfined)
    async with engines.read.connect() as connection:
        found = await connection.execute(text("SELECT token_hash FROM api_tokens"))
        hashes = {bytes(each) for (each,) in found}
    assert other in hashes
    assert secret not in hashes
    async with store.reading() as all_:
        for token_hash, token in ((secret, confined), (other, unconfined)):
            by_hash = await all_.api_tokens.get_by_hash(token_hash)
            assert by_hash is not None
            assert by_hash.id == token.id
            assert by_hash.token_hash in hashes
            assert by_hash.workspace_ids == token.workspace_ids
        # What is stored is no token, and neither is its hash.
        for stored in hashes - {other}:
            assert await all_.api_tokens.get_by_hash(hash_token(stored.hex())) is None
