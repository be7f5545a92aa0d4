"""API tokens that API tokens create: their rights, their expiry, and their revocation."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from symphony.application.api_tokens import (
    CreateApiToken,
    ListApiTokens,
    RevokeApiToken,
    create_api_token,
    list_api_tokens,
    revoke_api_token,
)
from symphony.application.app import Application
from symphony.domain import api_tokens
from symphony.domain.api_tokens import (
    MAX_TOKENS,
    ApiToken,
    InsufficientScope,
    Scope,
    TokenRefused,
    TokenRevoked,
    new_api_token,
)
from symphony.domain.base import PageRequest, new_id, utc_now
from symphony.domain.errors import FieldError, Invalid, LimitReached, NotFound
from symphony.domain.reach import Reach
from tests.domain.examples import a_token

BOTH = (Scope.READ, Scope.WRITE)
DAY = timedelta(days=1)

# Creations and revocations wait for each other in the database, which removes what was created.
in_the_database = pytest.mark.every_store


async def create(
    app: Application, user: UUID, creator: ApiToken | None = None, **values: Any
) -> ApiToken:
    known: dict[str, Any] = {"name": "ci", "scopes": BOTH, "creator_id": creator and creator.id}
    command = CreateApiToken(actor=user, token=new_api_token(), **{**known, **values})
    return await app.run(create_api_token, command)


async def revoke(app: Application, user: UUID, token: ApiToken) -> None:
    await app.run(revoke_api_token, RevokeApiToken(Reach(user), token.id))


async def stored(app: Application, user: UUID) -> set[UUID]:
    page = await app.ask(list_api_tokens, ListApiTokens(user, PageRequest(limit=1000)))
    return {each.id for each in page.items}


async def test_a_token_creates_none_with_a_scope_that_it_lacks(app: Application, ada: UUID) -> None:
    for scope, other in (BOTH, BOTH[::-1]):
        creator = await create(app, ada, scopes=(scope,))
        assert (await create(app, ada, creator, scopes=(scope,))).scopes == (scope,)
        for wider in ((other,), BOTH):
            with pytest.raises(InsufficientScope):
                await create(app, ada, creator, scopes=wider)


async def test_a_token_creates_none_that_expires_later(app: Application, ada: UUID) -> None:
    end = utc_now() + DAY
    creator = await create(app, ada, expires_at=end)
    with pytest.raises(InsufficientScope):
        await create(app, ada, creator, expires_at=end + timedelta(microseconds=1))
    for earlier in (end, end - timedelta(hours=1)):
        assert (await create(app, ada, creator, expires_at=earlier)).expires_at == earlier
    inherited = await create(app, ada, creator)
    assert inherited.expires_at == end
    assert (await create(app, ada, inherited)).expires_at == end


async def test_a_token_without_an_expiry_creates_tokens_with_and_without_one(
    app: Application, ada: UUID
) -> None:
    creator = await create(app, ada)
    assert (await create(app, ada, creator)).expires_at is None
    end = utc_now() + DAY
    assert (await create(app, ada, creator, expires_at=end)).expires_at == end


async def test_an_expiry_in_the_past_is_refused(app: Application, ada: UUID) -> None:
    creator = await create(app, ada, expires_at=utc_now() + DAY)
    for token in (None, creator):
        for past in (timedelta(0), timedelta(microseconds=1), 400 * DAY):
            with pytest.raises(Invalid) as refused:
                await create(app, ada, token, expires_at=utc_now() - past)
            fault = FieldError("expires_at", "in-the-past", "Must be in the future.")
            assert refused.value.errors == (fault,)
    assert await stored(app, ada) == {creator.id}


async def test_a_token_that_expires_or_is_revoked_during_a_request_creates_none(
    app: Application, ada: UUID, eve: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    expiring = await create(app, ada, expires_at=utc_now() + DAY)
    revoked = await create(app, ada)
    await revoke(app, ada, revoked)
    with pytest.raises(TokenRevoked):
        await create(app, ada, revoked)
    with pytest.raises(TokenRevoked):
        await create(app, ada, creator_id=new_id())
    with pytest.raises(TokenRevoked):
        await create(app, ada, await create(app, eve))
    monkeypatch.setattr(api_tokens, "utc_now", lambda: utc_now() + 2 * DAY)
    with pytest.raises(TokenRefused):
        await create(app, ada, expiring)
    assert await stored(app, ada) == {expiring.id}


@in_the_database
async def test_a_revoked_token_takes_what_it_created_with_it_and_nothing_else(
    app: Application, ada: UUID, eve: UUID
) -> None:
    root = await create(app, ada)
    branches = [await create(app, ada, root) for _ in range(2)]
    for branch in branches:
        leaf = await create(app, ada, branch)
        await create(app, ada, leaf)
    sibling, foreign = await create(app, ada), await create(app, eve)
    with pytest.raises(NotFound):
        await revoke(app, eve, root)
    await revoke(app, ada, branches[0])
    assert len(await stored(app, ada)) == 5
    await revoke(app, ada, root)
    assert await stored(app, ada) == {sibling.id}
    assert await stored(app, eve) == {foreign.id}


@in_the_database
async def test_a_chain_of_as_many_tokens_as_possible_is_revoked_at_once(
    app: Application, ada: UUID
) -> None:
    chain = [a_token(ada, token_hash=bytes([0]))]
    for number in range(1, MAX_TOKENS):
        chain.append(a_token(ada, token_hash=bytes([number]), creator_id=chain[-1].id))
    async with app.store.unit_of_work() as uow:
        for token in chain:
            await uow.api_tokens.add(token)
        await uow.commit()
    await revoke(app, ada, chain[1])
    assert await stored(app, ada) == {chain[0].id}


@pytest.mark.long
@in_the_database
async def test_no_token_survives_a_creator_that_is_revoked_at_the_same_time(
    app: Application, ada: UUID
) -> None:
    for _ in range(3):
        root = await create(app, ada)
        middle = await create(app, ada, root)
        creations = [create(app, ada, creator) for creator in (root, middle) * 10]
        results = await asyncio.gather(
            *creations[:10], revoke(app, ada, root), *creations[10:], return_exceptions=True
        )
        failed = [each for each in results if isinstance(each, Exception)]
        assert all(isinstance(each, TokenRevoked) for each in failed), failed
        assert await stored(app, ada) == set()


@in_the_database
async def test_parallel_revocations_of_a_token_and_its_creator_both_succeed_or_find_nothing(
    app: Application, ada: UUID
) -> None:
    for _ in range(3):
        tokens = [await create(app, ada)]
        for _ in range(4):
            tokens.append(await create(app, ada, tokens[-1]))
        results = await asyncio.gather(
            *(revoke(app, ada, token) for token in (*tokens, *reversed(tokens))),
            return_exceptions=True,
        )
        failed = [each for each in results if isinstance(each, Exception)]
        assert all(isinstance(each, NotFound) for each in failed), failed
        assert await stored(app, ada) == set()


@in_the_database
async def test_a_user_has_at_most_100_tokens_also_after_parallel_creations(
    app: Application, ada: UUID, eve: UUID
) -> None:
    tokens = [a_token(ada, token_hash=bytes([number])) for number in range(MAX_TOKENS - 5)]
    async with app.store.unit_of_work() as uow:
        for token in tokens:
            await uow.api_tokens.add(token)
        await uow.commit()
    results = await asyncio.gather(*(create(app, ada) for _ in range(20)), return_exceptions=True)
    refused = [each for each in results if isinstance(each, LimitReached)]
    assert len(refused) == 15
    assert (refused[0].slug, refused[0].limit, refused[0].used) == (
        "api-token-limit-reached",
        *(MAX_TOKENS, MAX_TOKENS),
    )
    assert len(await stored(app, ada)) == MAX_TOKENS
    await create(app, eve)
    await revoke(app, ada, tokens[1])
    await create(app, ada)
