"""What only operators read and write of accounts, over every store."""

from symphony.domain.base import new_id
from symphony.domain.unit_of_work import Store
from symphony.domain.user_profiles import PasswordChange, UserSummary
from symphony.infrastructure.database.engine import Engines
from tests.domain.examples import a_profile, a_token
from tests.infrastructure.database.kept import Household, committed, found, keep
from tests.infrastructure.database.test_plans import assert_indexed, plan, recorded


async def summaries(store: Store, after: str, limit: int) -> list[UserSummary]:
    async with store.reading() as repositories:
        return list(await repositories.user_profiles.summaries(after, limit))


async def test_users_are_listed_by_name_without_regard_to_case(store: Store) -> None:
    names = ["dora", "Ada", "eve", "Bob", "charles", "ada_", "ada1"]
    profiles = [a_profile(name) for name in names]
    await keep(store, *profiles)
    async with committed(store) as uow:
        await uow.user_profiles.count_workspaces(profiles[0].id, profiles[0].id, added=3)
    everyone = await summaries(store, "", 100)
    assert [each.username for each in everyone] == [
        *("Ada", "ada1", "ada_", "Bob", "charles", "dora", "eve")
    ]
    assert [each.workspace_count for each in everyone] == [0, 0, 0, 0, 0, 3, 0]
    assert everyone[0] == UserSummary(
        "Ada", "Ada@example.org", profiles[1].created_at, workspace_count=0
    )
    walked, after = list[UserSummary](), ""
    while page := await summaries(store, after, 3):
        assert len(page) <= 3
        walked += page
        after = page[-1].username
    assert walked == everyone
    assert await summaries(store, "ADA", 2) == everyone[1:3]


async def test_a_page_of_users_is_read_from_an_index(store: Store, engines: Engines) -> None:
    with recorded() as statements:
        await summaries(store, "ada", 10)
    assert_indexed(await plan(engines, statements[-1]))


async def test_the_owner_of_a_token_is_found_by_its_id(store: Store, ada: Household) -> None:
    token = a_token(ada.user.id)
    await keep(store, token)
    async with store.reading() as repositories:
        assert await repositories.api_tokens.owner(token.id) == ada.user.id
        assert await repositories.api_tokens.owner(new_id()) is None


async def test_workspaces_are_counted_without_a_lock(store: Store, ada: Household) -> None:
    async with committed(store) as uow:
        await uow.user_profiles.count_workspaces(ada.user.id, ada.user.id, added=2)
    async with store.reading() as repositories:
        assert await repositories.user_profiles.workspace_count(ada.user.id) == 2
        assert await repositories.user_profiles.workspace_count(new_id()) == 0


async def test_a_hash_is_replaced_only_while_it_is_the_stored_one(
    store: Store, ada: Household, eve: Household
) -> None:
    user = ada.user
    for old, new, stored in (
        ("another hash", "too late", user.password_hash),
        (user.password_hash, "new hash", "new hash"),
    ):
        async with committed(store) as uow:
            await uow.user_profiles.replace_password_hash(user.id, PasswordChange(old, new))
        kept = await found(store, user, user.id)
        assert (kept.password_hash, kept.version) == (stored, user.version)
    assert await found(store, eve.user, eve.user.id) == eve.user
