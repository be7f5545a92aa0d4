"""Random users, tokens, moves and deletions: each token sees what a simple model says it sees."""

import random
from collections.abc import Callable, Coroutine
from typing import Any

import httpx
import pytest

from tests.api.isolation.reach_model import REPO, VAULT, WORKSPACE, Reached, Thing, Token
from tests.support.api import User, code, created, faults, sign_up

_STEPS = 40
_NAMES = ("atlas", "engine", "fugue", "loom", "Overture")
_UNKNOWN = "01a1e37b-26ef-731b-8503-ff0b607988c0"


@pytest.mark.long
@pytest.mark.parametrize("seed", range(12))
async def test_each_token_sees_what_the_model_says(client: httpx.AsyncClient, seed: int) -> None:
    client.event_hooks["response"] = []  # the matrix compares them with the document
    play = Play(client, random.Random(seed))  # noqa: S311 - the same steps in each run
    for name in ("ada", "eve"):
        await play.join(name)
    for step in range(_STEPS):
        await play.act()
        if step % 20 == 19:
            for token in play.model.tokens:
                await play.compare(token)


class Play:
    """The service and its model, to which the same happens."""

    def __init__(self, client: httpx.AsyncClient, chance: random.Random) -> None:
        self.model = Reached()
        self._client = client
        self._chance = chance
        self._users: dict[str, User] = {}
        self._number = 0

    async def join(self, name: str) -> None:
        user = await sign_up(self._client, name)
        self._users[name] = user
        self.model.tokens.append(Token(name, user.token, None))
        for _ in range(3):
            await self._create_workspace()
        for _ in range(2):
            await self._create_token()

    async def act(self) -> None:
        actions: list[Callable[[], Coroutine[Any, Any, None]]] = [
            *[self._create_child] * 6,
            *[self._move] * 6,
            *[self._rename] * 2,
            *[self._remove] * 2,
            self._create_workspace,
            self._create_token,
            self._remove_workspace,
            self._revoke_token,
        ]
        await self._chance.choice(actions)()

    async def compare(self, token: Token) -> None:
        """Require each list and look-up of a token to have what the model says."""
        user = self._using(token)
        profile = f"/user-profiles/{user.id}"
        seen = self.model.seen
        assert await _ids(user, f"{profile}/workspaces") == seen(token, WORKSPACE)
        assert await _ids(user, f"{profile}/repos") == seen(token, REPO)
        name = self._chance.choice(_NAMES)
        for noun, path in ((WORKSPACE, "workspaces"), (REPO, "repos")):
            named = {each for each in seen(token, noun) if name in self.model.things[each].name}
            assert await _ids(user, f"{profile}/{path}?q={name}") == named
        await self._compare_board(token, f"{profile}/attention?fresh=false")
        for thing in [*self.model.things.values()]:
            answer = await user.get(thing.path)
            if self.model.sees(token, thing.id):
                assert answer.json()["name"] == thing.name
                if thing.noun == WORKSPACE:
                    await self._compare_workspace(token, thing.id)
            else:
                assert code(answer) == f"404 {thing.noun}-not-found"
                if thing.noun == WORKSPACE:
                    await self._compare_hidden_workspace(token, thing.id)

    async def _compare_board(self, token: Token, path: str) -> None:
        user = self._using(token)
        shown = (await user.get(path)).json()["items"]
        vaults = {each["id"] for each in shown if each["kind"] == VAULT}
        assert vaults == self.model.seen(token, VAULT)
        assert {each["id"] for each in shown if each["kind"] == REPO} <= self.model.seen(
            token, REPO
        )

    async def _compare_workspace(self, token: Token, workspace_id: str) -> None:
        user = self._using(token)
        repos, vaults = (self.model.seen(token, noun, workspace_id) for noun in (REPO, VAULT))
        workspace = f"/workspaces/{workspace_id}"
        assert await _ids(user, f"{workspace}/repos") == repos
        assert await _ids(user, f"{workspace}/vaults") == vaults
        filtered = f"/user-profiles/{user.id}/repos?workspace_id={workspace_id}"
        assert await _ids(user, filtered) == repos
        stats = (await user.get(f"{workspace}/stats")).json()
        assert (stats["repo_count"], stats["vault_count"]) == (len(repos), len(vaults))

    async def _compare_hidden_workspace(self, token: Token, workspace_id: str) -> None:
        user = self._using(token)
        for path in (
            f"/workspaces/{workspace_id}/repos",
            f"/workspaces/{workspace_id}/vaults",
            f"/workspaces/{workspace_id}/stats",
            f"/user-profiles/{user.id}/repos?workspace_id={workspace_id}",
            f"/user-profiles/{user.id}/attention?fresh=false&workspace_id={workspace_id}",
        ):
            hidden = await user.get(path)
            unknown = await user.get(path.replace(workspace_id, _UNKNOWN))
            assert hidden.status_code == unknown.status_code
            if hidden.status_code == 200:
                assert hidden.json()["items"] == unknown.json()["items"] == []
            else:
                assert code(hidden) == code(unknown) == "404 workspace-not-found"

    async def _create_workspace(self) -> None:
        owner = self._chance.choice([*self._users])
        name = f"{self._chance.choice(_NAMES)} {self._next()}"
        made = await self._users[owner].workspace(name)
        self.model.things[made["id"]] = Thing(made["id"], WORKSPACE, owner, name, made["id"])

    async def _create_token(self) -> None:
        owner = self._chance.choice([*self._users])
        own = [each for each in self._present(WORKSPACE) if each.owner == owner]
        if not own:
            return
        chosen = self._chance.sample(own, self._chance.randint(1, min(3, len(own))))
        ids = [each.id for each in chosen]
        made = await self._users[owner].api_token("read", "write", workspace_ids=ids)
        self.model.tokens.append(Token(owner, made["token"], frozenset(ids)))

    async def _create_child(self) -> None:
        token = self._chance.choice(self.model.tokens)
        workspace = self._chance.choice(self._all(WORKSPACE))
        noun, name = self._chance.choice((REPO, VAULT)), self._chance.choice(_NAMES)
        answer = await self._using(token).post(
            f"/workspaces/{workspace.id}/{noun}s", {"name": name, "path": f"/{name}"}
        )
        if not self.model.sees(token, workspace.id):
            assert code(answer) == "404 workspace-not-found"
        elif self.model.is_taken(noun, workspace.id, name):
            assert code(answer) == f"409 {noun}-name-taken"
        else:
            made = created(answer)["id"]
            self.model.things[made] = Thing(made, noun, token.owner, name, workspace.id)

    async def _move(self) -> None:
        token, thing = self._chance.choice(self.model.tokens), self._child()
        target = self._chance.choice(self._all(WORKSPACE))
        if thing is None:
            return
        answer = await self._using(token).patch(thing.path, {"workspace_id": target.id})
        if not self.model.sees(token, target.id):
            assert faults(answer) == [("/workspace_id", "workspace-not-found")]
        elif not self.model.sees(token, thing.id):
            assert code(answer) == f"404 {thing.noun}-not-found"
        elif target.id != thing.workspace_id and self._is_taken(thing, target.id, thing.name):
            assert code(answer) == f"409 {thing.noun}-name-taken"
        else:
            assert answer.status_code == 200
            thing.workspace_id = target.id

    async def _rename(self) -> None:
        token, thing = self._chance.choice(self.model.tokens), self._child()
        if thing is None:
            return
        name = self._chance.choice(_NAMES)
        answer = await self._using(token).patch(thing.path, {"name": name})
        if not self.model.sees(token, thing.id):
            assert code(answer) == f"404 {thing.noun}-not-found"
        elif name != thing.name and self._is_taken(thing, thing.workspace_id, name):
            assert code(answer) == f"409 {thing.noun}-name-taken"
        else:
            assert answer.status_code == 200
            thing.name = name

    async def _remove(self) -> None:
        token, thing = self._chance.choice(self.model.tokens), self._child()
        if thing is not None:
            await self._remove_by(token, thing, "")

    async def _remove_workspace(self) -> None:
        token = self._chance.choice(self.model.tokens)
        await self._remove_by(token, self._chance.choice(self._all(WORKSPACE)), "?force=true")

    async def _remove_by(self, token: Token, thing: Thing, query: str) -> None:
        answer = await self._using(token).delete(thing.path + query)
        if self.model.sees(token, thing.id):
            assert answer.status_code == 204
            self.model.remove(thing)
        else:
            assert code(answer) == f"404 {thing.noun}-not-found"

    async def _revoke_token(self) -> None:
        confined = [each for each in self.model.tokens if each.workspace_ids is not None]
        if len(confined) < 4:
            return
        token = self._chance.choice(confined)
        user = self._users[token.owner]
        listed = (await user.get("/api-tokens?limit=200")).json()["items"]
        inside = {each for each in token.workspace_ids or () if not self.model.things[each].is_gone}
        mine = [each for each in listed if set(each["workspace_ids"]) == inside]
        shown = {frozenset(each["workspace_ids"]) for each in listed}
        assert inside in shown
        assert (await user.delete(f"/api-tokens/{mine[0]['id']}")).status_code == 204
        alive = [each for each in self.model.tokens if await self._is_alive(each)]
        (gone,) = (each for each in self.model.tokens if each not in alive)
        assert self._left(gone) == frozenset(inside)
        self.model.tokens = alive

    def _left(self, token: Token) -> frozenset[str]:
        ids = token.workspace_ids or frozenset()
        return frozenset(each for each in ids if not self.model.things[each].is_gone)

    async def _is_alive(self, token: Token) -> bool:
        user = self._using(token)
        return (await user.get(f"/user-profiles/{user.id}/repos")).status_code == 200

    def _is_taken(self, thing: Thing, workspace_id: str, name: str) -> bool:
        return self.model.is_taken(thing.noun, workspace_id, name)

    def _using(self, token: Token) -> User:
        return self._users[token.owner].using(token.secret)

    def _all(self, *nouns: str) -> list[Thing]:
        return [each for each in self.model.things.values() if each.noun in nouns]

    def _present(self, noun: str) -> list[Thing]:
        return [each for each in self._all(noun) if not each.is_gone]

    def _child(self) -> Thing | None:
        children = self._all(REPO, VAULT)
        return self._chance.choice(children) if children else None

    def _next(self) -> int:
        self._number += 1
        return self._number


async def _ids(user: User, path: str) -> set[str]:
    """The ids of all pages of a list."""
    found: set[str] = set()
    page = f"{path}{'&' if '?' in path else '?'}limit=3"
    cursor = ""
    while True:
        answer = await user.get(page + cursor)
        assert answer.status_code == 200, answer.text
        items = [each["id"] for each in answer.json()["items"]]
        assert not found & set(items)
        found |= set(items)
        if answer.json()["next_cursor"] is None:
            return found
        cursor = f"&cursor={answer.json()['next_cursor']}"
