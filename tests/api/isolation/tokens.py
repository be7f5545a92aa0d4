"""How the tokens of each kind come into being."""

import sys
from collections.abc import Awaitable, Callable, Generator, Iterable
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

from symphony.domain.base import utc_now
from tests.api.isolation.kinds import Kind
from tests.api.isolation.world import Held, World
from tests.support.api import PASSWORD, User, created, sign_in

_LONG_AGO = timedelta(days=2)

Maker = Callable[[World, Kind, User], Awaitable[Held]]


async def hold(world: World, kind: Kind) -> Held:
    """A new token of a kind."""
    return await _MAKERS[kind.origin](world, kind, world.people[kind.owner])


async def hold_for(world: World, kind: Kind, workspace_id: str) -> Held:
    """A token of a kind, which reaches this workspace instead of the one inside."""
    if not kind.is_confined:
        return await hold(world, kind)
    return await _confined_to(world, kind, world.people[kind.owner], [workspace_id])


async def _none(world: World, kind: Kind, user: User) -> Held:
    del world
    return Held(kind, user.using(""))


async def _sign_in(world: World, kind: Kind, user: User) -> Held:
    del world
    return Held(kind, user)


async def _generation_before(world: World, kind: Kind, user: User) -> Held:
    """The access token of a sign-in before the password was changed."""
    before = user.token
    body = {"password": PASSWORD + "!", "current_password": PASSWORD}
    assert (await user.patch(f"/user-profiles/{user.id}", body)).status_code == 200
    again = user.using(await sign_in(user.client, user.name, PASSWORD + "!"))
    body = {"password": PASSWORD, "current_password": PASSWORD + "!"}
    assert (await again.patch(f"/user-profiles/{user.id}", body)).status_code == 200
    world.people[kind.owner] = user.using(await sign_in(user.client, user.name))
    return Held(kind, user.using(before))


async def _created(world: World, kind: Kind, user: User, **fields: Any) -> Held:
    name = world.name(kind.owner, "own")
    return _held(kind, user, await user.api_token(*sorted(kind.scopes), name=name, **fields))


async def _created_by_token(world: World, kind: Kind, user: User) -> Held:
    creator = await _created(world, kind, user)
    return await _created(world, kind, creator.user)


async def _confined_to(world: World, kind: Kind, user: User, workspace_ids: Iterable[str]) -> Held:
    return await _created(world, kind, user, workspace_ids=list(workspace_ids))


async def _confined(world: World, kind: Kind, user: User) -> Held:
    return await _confined_to(world, kind, user, [world.ids[kind.owner]["inside"]["workspace_id"]])


async def _confined_to_deleted(world: World, kind: Kind, user: User) -> Held:
    workspace = await user.workspace(world.name(kind.owner, "outside"))
    held = await _confined_to(world, kind, user, [workspace["id"]])
    assert (await user.delete(f"/workspaces/{workspace['id']}")).status_code == 204
    return held


async def _report(world: World, kind: Kind, user: User) -> Held:
    machine_id = world.ids[kind.owner]["own"]["machine_id"]
    return await _created(world, kind, user, machine_id=machine_id)


def _expired(maker: Maker) -> Maker:
    async def make(world: World, kind: Kind, user: User) -> Held:
        past = datetime.now(UTC) - timedelta(days=1)
        with _clock_of_long_ago():
            if maker is _confined:
                inside = world.ids[kind.owner]["inside"]["workspace_id"]
                options: dict[str, Any] = {"workspace_ids": [inside]}
            else:
                options = {}
            return await _created(world, kind, user, expires_at=past.isoformat(), **options)

    return make


def _revoked(maker: Maker) -> Maker:
    async def make(world: World, kind: Kind, user: User) -> Held:
        held = await maker(world, kind, user)
        assert (await user.delete(f"/api-tokens/{held.id}")).status_code == 204
        return held

    return make


async def _revoked_with_creator(world: World, kind: Kind, user: User) -> Held:
    creator = await _created(world, kind, user)
    held = await _created(world, kind, creator.user)
    assert (await user.delete(f"/api-tokens/{creator.id}")).status_code == 204
    return held


def _predecessor(maker: Maker, overlap: int) -> Maker:
    async def make(world: World, kind: Kind, user: User) -> Held:
        held = await maker(world, kind, user)
        await _rotate(held, overlap)
        return held

    return make


def _successor(maker: Maker) -> Maker:
    async def make(world: World, kind: Kind, user: User) -> Held:
        return _held(kind, user, await _rotate(await maker(world, kind, user), 0))

    return make


async def _rotated_before(world: World, kind: Kind, user: User) -> Held:
    """A token whose overlap is over."""
    held = await _created(world, kind, user)
    with _clock_of_long_ago():
        await _rotate(held, 60)
    return held


async def _rotate(held: Held, overlap: int) -> dict[str, Any]:
    path = f"/api-tokens/{held.id}/rotate"
    return created(await held.user.post(path, {"overlap_seconds": overlap}))


def _held(kind: Kind, user: User, token: dict[str, Any]) -> Held:
    return Held(kind, user.using(token["token"]), token["id"])


@contextmanager
def _clock_of_long_ago() -> Generator[None]:
    """The domain takes it for two days ago, so that a token ends in the past."""
    with ExitStack() as stack:
        for name, module in [*sys.modules.items()]:
            if name.startswith("symphony.domain.") and hasattr(module, "utc_now"):
                stack.enter_context(patch.object(module, "utc_now", lambda: utc_now() - _LONG_AGO))
        yield


_MAKERS: dict[str, Maker] = {
    "none": _none,
    "sign-in": _sign_in,
    "generation before": _generation_before,
    "created": _created,
    "created by a token": _created_by_token,
    "confined": _confined,
    "confined to a deleted workspace": _confined_to_deleted,
    "report": _report,
    "expired": _expired(_created),
    "confined, expired": _expired(_confined),
    "revoked": _revoked(_created),
    "confined, revoked": _revoked(_confined),
    "revoked with its creator": _revoked_with_creator,
    "rotated at once": _predecessor(_created, 0),
    "rotated just now": _predecessor(_created, 3600),
    "rotated before": _rotated_before,
    "confined, rotated": _predecessor(_confined, 3600),
    "successor": _successor(_created),
    "confined successor": _successor(_confined),
}
