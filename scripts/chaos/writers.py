"""Clients that write at random, and record what was acknowledged."""

import asyncio
import random
from asyncio import Event
from collections.abc import Generator
from contextlib import contextmanager, suppress
from typing import cast

from scripts.chaos.calls import Calls, NotSent, Unanswered, Violation
from scripts.chaos.model import Creation, Fate, Model, Thing, User, Value, flat, patch_of
from scripts.chaos.vaults import Vaults

WRITERS = 8
_PAUSE = 0.25  # seconds after a request without an answer, or with a 503
_OF_ENTRIES = 0.3  # of all writes
_TRIES = 20  # to find a random resource that can be written
_CHILDREN = ("repo", "repo", "vault")
_FIELDS = {
    "workspace": ("name", "description", "settings/a", "settings/b", "settings/c"),
    "repo": ("name", "path", "remote_url", "metadata/a", "metadata/b"),
    "vault": ("name", "path", "metadata/a", "metadata/b"),
}


class Writers:
    """Eight clients of one service, which share a model of it.

    Parallel requests never update the same field of a resource, so that the model knows the
    result; but they do update different fields of one resource, and different resources of one
    workspace.
    """

    def __init__(self, model: Model, vaults: Vaults, calls: Calls, chance: random.Random) -> None:
        self._model = model
        self._vaults = vaults
        self._calls = calls
        self._chance = chance

    async def write(self, stopped: Event) -> None:
        """Write until `stopped` is set. Raises: Violation, in a group."""
        async with asyncio.TaskGroup() as group:
            for _ in range(WRITERS):
                group.create_task(self._write(stopped))

    async def _write(self, stopped: Event) -> None:
        while not stopped.is_set():
            try:
                await self._write_something()
            except (Unanswered, NotSent):
                with suppress(TimeoutError):
                    await asyncio.wait_for(stopped.wait(), _PAUSE)

    async def _write_something(self) -> None:
        if self._chance.random() < _OF_ENTRIES:
            await self._vaults.write_something()
            return
        dice = self._chance.random()
        if dice < 0.1 or not self._model.things:
            await self._create("workspace", self._chance.choice(self._model.users))
        elif dice < 0.5:
            if workspace := self._usable("workspace"):
                await self._create(self._chance.choice(_CHILDREN), workspace)
        elif dice < 0.8:
            if thing := self._usable():
                await self._patch(thing)
        elif dice < 0.88:
            if vault := self._usable("vault"):
                await self._lock(vault)
        elif dice < 0.97:
            if thing := self._usable("repo", "vault"):
                await self._delete(thing)
        elif workspace := self._usable("workspace"):
            await self._delete(workspace)

    async def _create(self, noun: str, parent: User | Thing) -> None:
        body = {"name": str(self._new("name"))}
        if noun != "workspace":
            body["path"] = str(self._new("path"))
        key = str(self._new("key")) if self._chance.random() < 0.5 else None
        creation = Creation(noun, parent, body, key)
        with self._busy(parent):
            try:
                answer = await self._calls.send(
                    "POST",
                    creation.path,
                    ("201", "404 workspace-not-found"),
                    json=body,
                    headers=creation.headers,
                )
            except Unanswered:
                self._model.unanswered.append(creation)
                self._model.in_doubt += 1
                raise
        if answer.status_code == 201:
            self._model.acknowledge(self._model.add(creation, answer.json()))
        elif isinstance(parent, User) or parent.fate is Fate.STAYS:
            raise Violation(f"POST {creation.path}: 404, but it exists")

    async def _patch(self, thing: Thing) -> None:
        name = self._chance.choice(_FIELDS[thing.noun])
        await self._change(thing, name, self._new(name))

    async def _lock(self, vault: Thing) -> None:
        await self._change(vault, "is_locked", self._chance.random() < 0.5)

    async def _change(self, thing: Thing, name: str, value: Value) -> None:
        if name in thing.held or name in thing.in_doubt:
            return
        method, path, body, expected = "PATCH", thing.path, patch_of(name, value), ["200"]
        if name == "is_locked":
            method, path, body = "POST", f"{path}/{'lock' if value else 'unlock'}", None
        elif thing.noun == "vault":
            expected.append("423 vault-locked")
        version = thing.version
        thing.held.add(name)
        with self._busy(thing):
            try:
                answer = await self._calls.send(
                    method, path, expected, json=body, headers=thing.user.headers
                )
            except Unanswered:
                thing.in_doubt[name] = value
                self._model.doubt(thing)
                raise
            finally:
                thing.held.remove(name)
        self._model.touched.add(thing)
        if answer.status_code == 423:
            return
        changed = flat(answer.json())
        if changed.get(name) != value or cast("int", changed["version"]) < version:
            raise Violation(f"{method} {path}: the answer lacks the update, or is older")
        thing.acknowledge(name, changed)
        self._model.acknowledge(thing)

    async def _delete(self, thing: Thing) -> None:
        force = self._chance.random() < 0.5
        if thing.noun == "workspace" and not force:
            may_race = not thing.held  # with creations: one of both is refused
        else:
            has_creations_in_doubt = any(each.parent is thing for each in self._model.unanswered)
            may_race = thing.is_idle and not has_creations_in_doubt
        if not may_race:
            return  # the result would not be known
        thing.fate = Fate.LEAVING
        refusals = {"workspace": ["409 workspace-not-empty"], "vault": ["423 vault-locked"]}
        try:
            answer = await self._calls.send(
                "DELETE",
                thing.path,
                ["204", *([] if force else refusals.get(thing.noun, []))],
                headers=thing.user.headers,
                params={"force": "true"} if force and thing.noun != "repo" else None,
            )
        except Unanswered:
            thing.fate = Fate.IN_DOUBT
            self._model.doubt(thing)
            raise
        except NotSent:
            thing.fate = Fate.STAYS
            raise
        if answer.status_code != 204:
            thing.fate = Fate.STAYS
            self._model.touched.add(thing)
            return
        if not force and any(each.fate is Fate.STAYS for each in thing.children):
            raise Violation(f"DELETE {thing.path}: 204, but its content was acknowledged")
        self._model.remove(thing)
        self._model.acknowledge(thing)

    def _usable(self, *nouns: str) -> Thing | None:
        """A random resource that can be written; None when none is found within some tries."""
        for _ in range(_TRIES):
            thing = self._chance.choice(self._model.things)
            if thing.is_usable and (not nouns or thing.noun in nouns):
                return thing
        return None

    def _new(self, what: str) -> Value:
        """A unique value."""
        value = f"{what.replace('/', '-')}-{next(self._model.numbers)}"
        return {"path": f"~/{value}", "remote_url": f"https://git.example.org/{value}"}.get(
            what, value
        )

    @contextmanager
    def _busy(self, thing: User | Thing) -> Generator[None]:
        if isinstance(thing, User):
            yield
            return
        thing.busy += 1
        try:
            yield
        finally:
            thing.busy -= 1
