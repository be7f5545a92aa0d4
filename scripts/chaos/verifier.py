"""Compares what the service has stored with what it has acknowledged."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, TypeVar

from scripts.chaos.calls import Calls, Violation
from scripts.chaos.model import Creation, Fate, Fields, Model, Thing, User, flat

CONCURRENCY = 16  # requests at the same time
REPORTED = 10  # faults at most
_CHILDREN = {"user": ("workspace",), "workspace": ("repo", "vault")}
ItemT = TypeVar("ItemT")


class Verifier:
    """Settles all doubts by requests; there must be no writes in the meantime."""

    def __init__(self, model: Model, calls: Calls) -> None:
        self._model = model
        self._calls = calls
        self._faults: list[str] = []

    async def verify(self) -> int:
        """Verify what was written since the last time; returns how many resources that were.

        Raises: Violation, with the faults.
        """
        unanswered, self._model.unanswered = self._model.unanswered, []
        await self._each(self._settle_creation, unanswered)
        touched = self._model.touched
        await self._each(self._settle_deletion, [e for e in touched if e.fate is Fate.IN_DOUBT])
        touched |= {each.parent for each in touched if isinstance(each.parent, Thing)}
        await self._each(self._verify_thing, list(touched))
        workspaces = [e for e in touched if e.noun == "workspace" and e.fate is Fate.STAYS]
        await self._each(self._verify_workspace, workspaces)
        await self._each(self._verify_lists, {each.user for each in touched})
        if self._faults:
            more = "" if len(self._faults) <= REPORTED else f"\n… {len(self._faults)} in all"
            raise Violation("\n".join(self._faults[:REPORTED]) + more)
        self._model.touched = set()
        return len(touched)

    async def verify_everything(self) -> int:
        """Verify all resources that were ever created; returns their number. Raises: Violation."""
        self._model.touched = set(self._model.things)
        return await self.verify()

    async def _settle_creation(self, creation: Creation) -> None:
        if creation.key is None:
            created = await self._find(creation)
        else:
            created = await self._retry(creation)
        if created is not None:
            self._model.add(creation, created)

    async def _find(self, creation: Creation) -> dict[str, Any] | None:
        name: str = creation.body["name"]
        listed = await self._listed(creation.parent, creation.noun, q=name)
        same = [each for each in listed if each["name"] == name]  # q finds parts of names too
        if len(same) > 1:
            raise Violation(f"{creation.path}: {name} was created {len(same)} times")
        self._model.done_in_doubt += len(same)
        return same[0] if same else None

    async def _retry(self, creation: Creation) -> dict[str, Any] | None:
        """Send it twice at the same time: both must return the same resource, old or new."""
        answers = await asyncio.gather(
            *(
                self._calls.settle(
                    "POST",
                    creation.path,
                    ("201", "404 workspace-not-found"),
                    json=creation.body,
                    headers=creation.headers,
                )
                for _ in range(2)
            )
        )
        if all(each.status_code == 404 for each in answers):
            self._expect_gone(creation.parent, f"POST {creation.path}")
            return None
        one, other = (each.json() for each in answers)
        if one != other:
            self._faults.append(f"POST {creation.path}: one key has created {one} and {other}")
        replayed = ["Idempotency-Replayed" in each.headers for each in answers]
        if not any(replayed):
            self._faults.append(f"POST {creation.path}: neither of two with one key is a replay")
        self._model.done_in_doubt += all(replayed)
        return one

    async def _settle_deletion(self, thing: Thing) -> None:
        answer = await self._read(thing)
        if answer is None:
            self._model.done_in_doubt += 1
            self._model.remove(thing)
        else:
            thing.fate = Fate.STAYS
            self._model.touched.update(thing.children)

    async def _verify_thing(self, thing: Thing) -> None:
        read = await self._read(thing)
        if thing.fate is Fate.GONE:
            if read is not None:
                self._faults.append(f"{thing.path}: its deletion was acknowledged, but it exists")
        elif read is None:
            self._faults.append(f"{thing.path}: acknowledged and lost")
        elif contradiction := thing.contradiction(read):
            self._faults.append(f"{thing.path}: {contradiction}")
        else:
            self._model.done_in_doubt += thing.adopt(read)

    async def _verify_workspace(self, workspace: Thing) -> None:
        await self._verify_lists(workspace)
        answer = await self._calls.settle(
            "GET", f"{workspace.path}/stats", ("200",), headers=workspace.user.headers
        )
        counted = {
            noun: sum(each.noun == noun for each in workspace.living) for noun in ("repo", "vault")
        }
        expected = {
            "workspace_id": workspace.fields["id"],
            "repo_count": counted["repo"],
            "vault_count": counted["vault"],
            "total_resources": sum(counted.values()),
        }
        if answer.json() != expected:
            self._faults.append(f"{workspace.path}/stats: {answer.json()}, there are {counted}")

    async def _verify_lists(self, parent: User | Thing) -> None:
        """Check that its lists contain exactly its children, with all fields."""
        for noun in _CHILDREN["user" if isinstance(parent, User) else parent.noun]:
            listed = {each["id"]: flat(each) for each in await self._listed(parent, noun)}
            living = {each.fields["id"]: each.fields for each in parent.living if each.noun == noun}
            where = f"{parent.path}/{noun}s"
            for unknown in listed.keys() - living.keys():
                self._faults.append(f"{where}: {unknown} exists, and no request has created it")
            for lost in living.keys() - listed.keys():
                self._faults.append(f"{where}: {lost} is not listed")
            for listed_id in listed.keys() & living.keys():
                if listed[listed_id] != living[listed_id]:
                    self._faults.append(
                        f"{where}: {listed_id} is listed with other fields than it has"
                    )

    async def _read(self, thing: Thing) -> Fields | None:
        answer = await self._calls.settle(
            "GET", thing.path, ("200", f"404 {thing.noun}-not-found"), headers=thing.user.headers
        )
        return flat(answer.json()) if answer.status_code == 200 else None

    async def _listed(
        self, parent: User | Thing, noun: str, **parameters: str
    ) -> list[dict[str, Any]]:
        """All items of a list; none where its parent is deleted."""
        path, items = f"{parent.path}/{noun}s", list[dict[str, Any]]()
        parameters |= {"limit": "200"}
        while True:
            answer = await self._calls.settle(
                "GET",
                path,
                ("200", "404 workspace-not-found"),
                headers=parent.user.headers,
                params=parameters,
            )
            if answer.status_code == 404:
                self._expect_gone(parent, f"GET {path}")
                return []
            page = answer.json()
            items += page["items"]
            if page["next_cursor"] is None:
                return items
            parameters["cursor"] = page["next_cursor"]

    def _expect_gone(self, parent: User | Thing, what: str) -> None:
        if isinstance(parent, User) or parent.fate is Fate.STAYS:
            self._faults.append(f"{what}: 404, but it exists")

    async def _each(self, work: Callable[[ItemT], Awaitable[None]], items: Iterable[ItemT]) -> None:
        """Process items, several at the same time."""
        waiting = iter(items)

        async def one_after_another() -> None:
            for item in waiting:
                await work(item)

        async with asyncio.TaskGroup() as group:
            for _ in range(CONCURRENCY):
                group.create_task(one_after_another())
