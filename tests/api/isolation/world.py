"""Two users with the same things each: inside and outside of what their confined tokens reach."""

import itertools
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from symphony.domain.base import new_id
from tests.api.isolation.cases import KEY, PASSPHRASE, Case, cases
from tests.api.isolation.kinds import Kind
from tests.support.api import User, created, sign_up

PEOPLE = ("ada", "eve")
WITHIN = ("inside", "outside")
_SOON = timedelta(days=5)


@dataclass(frozen=True, slots=True)
class Held:
    """A token of a kind, with its secret; without an id it is no API token."""

    kind: Kind
    user: User
    id: str | None = None


@dataclass(slots=True)
class World:
    """What there is, by person, place and parameter of a path."""

    git_root: Path
    people: dict[str, User]
    ids: dict[str, dict[str, dict[str, str]]]
    has_machines: bool
    numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    def name(self, owner: str, place: str) -> str:
        """A new name, by which an answer that shows it is recognised."""
        return f"{owner}-{place}-{next(self.numbers)}"

    def target(self, held: Held, case: Case, place: str) -> str:
        """The id that a request names; no other request deletes what has it."""
        owner = held.kind.owner
        if case.parameter is None:
            return "no id"
        if place == "unknown":
            return str(new_id())
        if place == "stranger":
            return self._first(_stranger(owner))[case.parameter]
        if case.parameter == "api_token_id" and place == "own":
            assert held.id is not None
            return held.id
        return self.ids[owner][place][case.parameter]

    def _first(self, person: str) -> dict[str, str]:
        places = self.ids[person]
        return {**places["other"], **places["inside"], **places["own"]}

    async def fresh(self, owner: str, place: str, parameter: str, *, protected: bool) -> str:
        """The id of a new thing at a place."""
        user = self.people[owner]
        if parameter == "user_profile_id":
            return user.id  # nothing in here deletes a profile
        name = self.name(owner, place)
        if parameter == "api_token_id":
            return (await user.api_token(name=name))["id"]
        if parameter == "machine_id":
            return created(await user.post("/machines", {"name": name}))["id"]
        if parameter == "workspace_id":
            return (await user.workspace(name))["id"]
        workspace_id = self.ids[owner][place]["workspace_id"]
        if parameter == "repo_id":
            return (await user.repo(workspace_id, name))["id"]
        secret = {"protection": "passphrase", "passphrase": PASSPHRASE} if protected else {}
        vault_id = (await user.vault(workspace_id, name, **secret))["id"]
        if not protected:
            await user.put(f"/vaults/{vault_id}/entries/{KEY}", {"content": name})
        return vault_id

    def hidden(self, kind: Kind) -> "re.Pattern[str]":
        """What no answer to a token of this kind may contain, unless the request names it."""
        places = {"other", *WITHIN} - kind.reached
        stranger = _stranger(kind.owner)
        names = [f"{stranger}-", *(f"{kind.owner}-{place}-" for place in sorted(places))]
        ids = [
            each
            for owner, place in [
                *((stranger, place) for place in self.ids[stranger]),
                *((kind.owner, place) for place in sorted(places)),
            ]
            for each in self.ids[owner].get(place, {}).values()
        ]
        return re.compile("|".join(map(re.escape, [*names, *ids])))

    async def state(self) -> dict[str, Any]:
        """Everything that both users can read, except when their tokens were used."""
        return {
            f"{person} {path}": _without_uses(await _read(user, path))
            for person, user in self.people.items()
            for path in [*self._paths_of_user(user), *self._paths_of_places(person)]
        }

    def _paths_of_user(self, user: User) -> list[str]:
        profile = f"/user-profiles/{user.id}"
        lists = [f"{profile}/workspaces?limit=200", f"{profile}/repos?limit=200", "/api-tokens"]
        return [profile, *lists, *(["/machines"] if self.has_machines else [])]

    def _paths_of_places(self, person: str) -> list[str]:
        return [
            path
            for place in WITHIN
            for ids in [self.ids[person][place]]
            for path in (
                f"/workspaces/{ids['workspace_id']}/stats",
                f"/workspaces/{ids['workspace_id']}/vaults",
                f"/vaults/{ids['vault_id']}/entries",
                f"/vaults/{ids['vault_id']}/entries/{KEY}",
            )
        ]


async def create_world(client: httpx.AsyncClient, git_root: Path) -> World:
    has_machines = any(each.path == "/machines" for each in cases())
    people = {name: await sign_up(client, name) for name in PEOPLE}
    world = World(git_root, people, {}, has_machines)
    for name, user in people.items():
        places = {place: await _place(world, name, place) for place in WITHIN}
        soon = (datetime.now(UTC) + _SOON).isoformat()
        other = await user.api_token(name=world.name(name, "other"), expires_at=soon)
        places["other"] = {"api_token_id": other["id"]}
        places["own"] = {"user_profile_id": user.id}
        for place in ("own", "other") if has_machines else ():
            body = {"name": world.name(name, place)}
            places[place]["machine_id"] = created(await user.post("/machines", body))["id"]
        world.ids[name] = places
    return world


async def _place(world: World, owner: str, place: str) -> dict[str, str]:
    user = world.people[owner]
    workspace_id = (await user.workspace(world.name(owner, place)))["id"]
    name = world.name(owner, place)
    repo = await user.repo(workspace_id, name, path=str(world.git_root / name))
    world.ids[owner] = {**world.ids.get(owner, {}), place: {"workspace_id": workspace_id}}
    vault_id = await world.fresh(owner, place, "vault_id", protected=False)
    return {"workspace_id": workspace_id, "repo_id": repo["id"], "vault_id": vault_id}


def _stranger(owner: str) -> str:
    return next(each for each in PEOPLE if each != owner)


async def _read(user: User, path: str) -> Any:
    answer = await user.get(path)
    assert answer.status_code == 200, answer.text
    return answer.json()


def _without_uses(value: Mapping[str, Any]) -> dict[str, Any]:
    items = value.get("items")
    if not isinstance(items, list):
        return dict(value)
    return {**value, "items": [{**each, "last_used_at": None} for each in items]}  # pyright: ignore[reportUnknownVariableType]
