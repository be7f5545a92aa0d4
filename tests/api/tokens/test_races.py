"""Rotations, revocations and requests at the same time: each token is valid exactly until its end.

Tokens are in slots: a rotation replaces the token of a slot by its successor. The tokens of a slot
are created by that of another one, and are revoked with it. A token that was rotated and revoked
was rotated first, since a revoked token has no successor: so the answers alone determine which
tokens are left.
"""

import asyncio
import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.support.api import User, code

REFUSALS = {
    "401 unauthenticated",
    "404 api-token-not-found",
    "409 api-token-rotated",
    "409 api-token-limit-reached",
}


@dataclass(slots=True, eq=False)
class Slot:
    parent: "Slot | None" = None
    is_revoked: bool = False

    @property
    def is_gone(self) -> bool:
        """Whether a slot was revoked on which this one depends."""
        return self.parent is not None and (self.parent.is_revoked or self.parent.is_gone)


@dataclass(slots=True, eq=False)
class Token:
    slot: Slot
    id: str
    secret: str
    successors: int = 0
    rotations: int = 0
    """How many rotations of it are being answered."""
    is_removed: bool = False
    """Whether its revocation, or its rotation without an overlap, was acknowledged."""

    def end_slot(self) -> None:
        """Mark the slot as revoked, if this token was its last one when it was revoked."""
        self.slot.is_revoked |= self.is_removed and not self.successors and not self.rotations

    @property
    def has_ended(self) -> bool:
        return self.is_removed or self.slot.is_gone


@dataclass(slots=True)
class Load:
    user: User
    seed: int
    tokens: list[Token] = field(default_factory=list[Token])
    counted: Counter[str] = field(default_factory=Counter[str])

    async def create(self, creator: Token | None = None) -> Token:
        user = self.user if creator is None else self.user.using(creator.secret)
        slot = Slot(creator.slot if creator else None)
        return self.keep(slot, await user.api_token())

    def keep(self, slot: Slot, created: dict[str, Any]) -> Token:
        token = Token(slot, created["id"], created["token"])
        self.tokens.append(token)
        return token

    async def run(self, number: int, steps: int) -> None:
        chance = random.Random(f"{self.seed}-{number}")  # noqa: S311 - not a secret
        for _ in range(steps):
            newest = [each for each in self.tokens if not each.successors][-30:]
            token = chance.choice(newest if chance.random() < 0.7 else self.tokens)
            act = chance.choices((self.request, self.rotate, self.revoke), (5, 4, 1))[0]
            self.counted[f"{act.__name__} {await act(token, chance)}"] += 1

    async def request(self, token: Token, _: random.Random) -> str:
        had_ended = token.has_ended
        answer = await self.user.using(token.secret).get("/api-tokens/current")
        if answer.status_code == 200:
            assert not had_ended, "a token was accepted after its revocation was acknowledged"
            assert answer.json()["id"] == token.id
            return "200"
        assert code(answer) == "401 unauthenticated"
        return "401"

    async def rotate(self, token: Token, chance: random.Random) -> str:
        by_itself, overlap = chance.random() < 0.5, chance.choice((0, 0, 600))
        had_ended = token.has_ended
        user = self.user.using(token.secret) if by_itself else self.user
        path = f"/api-tokens/{token.id}/rotate"
        token.rotations += 1
        answer = await user.post(path, {"overlap_seconds": overlap})
        token.rotations -= 1
        if answer.status_code != 201:
            assert code(answer) in REFUSALS
            token.end_slot()
            return str(answer.status_code)
        assert not had_ended, "a token was rotated after its revocation was acknowledged"
        token.successors += 1
        token.is_removed |= overlap == 0
        self.keep(token.slot, answer.json())
        return "201"

    async def revoke(self, token: Token, _: random.Random) -> str:
        had_ended = token.has_ended
        answer = await self.user.delete(f"/api-tokens/{token.id}")
        if answer.status_code != 204:
            assert code(answer) == "404 api-token-not-found"
            return "404"
        assert not had_ended, "a token was revoked after its revocation was acknowledged"
        token.is_removed = True
        token.end_slot()
        return "204"

    async def check(self) -> None:
        for token in self.tokens:
            assert token.successors <= 1
        for slot in {token.slot for token in self.tokens}:
            (last,) = (each for each in self.tokens if each.slot is slot and not each.successors)
            assert slot.is_revoked is last.is_removed
        left = {token.id for token in self.tokens if not token.has_ended}
        page = (await self.user.get("/api-tokens?limit=200")).json()
        assert {each["id"] for each in page["items"]} == left
        for token in self.tokens:
            accepted = await self.request(token, random.Random()) == "200"  # noqa: S311
            assert accepted is (token.id in left)


async def _mixed(user: User, *, slots: int, workers: int, steps: int) -> Counter[str]:
    load = Load(user, seed=slots)
    roots = [await load.create() for _ in range(slots // 2)]
    for root in roots:
        await load.create(root)
    await asyncio.gather(*(load.run(number, steps) for number in range(workers)))
    counted = load.counted.copy()
    await load.check()
    assert counted["rotate 201"] > slots, counted
    assert counted["revoke 204"] > 0, counted
    return counted


@pytest.mark.long
@pytest.mark.every_store
async def test_rotations_revocations_and_requests_at_once_leave_exactly_the_valid_tokens(
    ada: User,
) -> None:
    await _mixed(ada, slots=20, workers=16, steps=10)


@pytest.mark.long
@pytest.mark.every_store
async def test_1500_rotations_revocations_and_requests_of_50_clients(ada: User) -> None:
    counted = await _mixed(ada, slots=40, workers=50, steps=30)
    assert counted.total() == 1500
