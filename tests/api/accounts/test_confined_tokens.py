"""API tokens that are confined to workspaces: nothing else exists for them."""

from typing import Any

import pytest

from symphony.domain.base import new_id
from tests.support.api import User, code, created, faults

ALWAYS = {"X-Request-ID": "the-same"}


class Clients:
    """A user with two workspaces, each with a repo and an unlocked vault, and an agent for one."""

    def __init__(self, user: User, inside: dict[str, Any], outside: dict[str, Any]) -> None:
        self.user = user
        self.inside = inside
        self.outside = outside
        self.agent = user

    async def repo_of(self, workspace: dict[str, Any]) -> dict[str, Any]:
        (repo,) = (await self.user.get(f"/workspaces/{workspace['id']}/repos")).json()["items"]
        return repo


@pytest.fixture
async def clients(ada: User) -> Clients:
    workspaces = [await ada.workspace(name) for name in ("Acme", "Globex")]
    for workspace in workspaces:
        await ada.repo(workspace["id"], f"engine of {workspace['name']}")
        await ada.vault(workspace["id"])
    clients = Clients(ada, *workspaces)
    token = await ada.api_token(workspace_ids=[clients.inside["id"]])
    clients.agent = ada.using(token["token"])
    return clients


async def items(user: User, path: str) -> list[dict[str, Any]]:
    return (await user.get(path)).json()["items"]


async def test_the_workspaces_of_a_token_are_returned_with_it(ada: User) -> None:
    one, two = [(await ada.workspace(name))["id"] for name in ("one", "two")]
    token = await ada.api_token(workspace_ids=[two, one, two])
    assert token["workspace_ids"] == [one, two]
    assert (await ada.api_token(workspace_ids=None))["workspace_ids"] is None
    assert [each["workspace_ids"] for each in await items(ada, "/api-tokens")] == [[one, two], None]
    await ada.delete(f"/workspaces/{one}")
    assert [each["workspace_ids"] for each in await items(ada, "/api-tokens")] == [[two], None]
    await ada.delete(f"/workspaces/{two}")
    assert [each["workspace_ids"] for each in await items(ada, "/api-tokens")] == [[], None]
    agent = ada.using(token["token"])
    assert await items(agent, f"/user-profiles/{ada.id}/workspaces") == []
    assert await items(agent, f"/user-profiles/{ada.id}/repos") == []


@pytest.mark.long
async def test_the_workspaces_of_a_token_are_validated(ada: User, eve: User) -> None:
    own, foreign = (await ada.workspace())["id"], (await eve.workspace())["id"]

    async def refusal(ids: Any) -> list[tuple[str, str]]:
        body = {"name": "agent", "scopes": ["read"], "workspace_ids": ids}
        return faults(await ada.post("/api-tokens", body))

    assert await refusal([]) == [("/workspace_ids", "too-short")]
    assert await refusal([own] * 51) == [("/workspace_ids", "too-long")]
    assert await refusal("all") == [("/workspace_ids", "list-expected")]
    assert await refusal([own, "x"]) == [("/workspace_ids/1", "uuid-expected")]
    answers = list[str]()
    for unknown in (foreign, str(new_id())):
        body = {"name": "agent", "scopes": ["read"], "workspace_ids": [own, unknown]}
        answer = await ada.post("/api-tokens", body, headers=ALWAYS)
        assert faults(answer) == [("/workspace_ids/1", "workspace-not-found")]
        answers.append(answer.text)
    assert answers[0] == answers[1]


async def test_the_scopes_of_a_token_fit_together(ada: User) -> None:
    async def refusal(*scopes: str, **fields: Any) -> list[tuple[str, str]]:
        return faults(await ada.post("/api-tokens", {"name": "x", "scopes": scopes, **fields}))

    assert await refusal("secrets") == [("/scopes", "secrets-alone")]
    assert await refusal("report", "read") == [("/scopes", "report-not-alone")]
    assert await refusal("report") == [("/machine_id", "missing")]
    assert await refusal("read", machine_id=str(new_id())) == [("/machine_id", "unknown-field")]


async def test_a_confined_token_lists_what_is_inside_only(clients: Clients) -> None:
    agent, profile = clients.agent, f"/user-profiles/{clients.user.id}"
    inside = clients.inside["id"]
    assert [each["id"] for each in await items(agent, f"{profile}/workspaces")] == [inside]
    assert {each["workspace_id"] for each in await items(agent, f"{profile}/repos")} == {inside}
    assert await items(agent, f"{profile}/repos?q=globex") == []
    board = await items(agent, f"{profile}/attention?fresh=false")
    assert [(each["kind"], each["workspace_id"]) for each in board] == [("vault", inside)]
    everything = await items(clients.user, f"{profile}/attention?fresh=false")
    assert len(everything) == 2
    stats = (await agent.get(f"/workspaces/{inside}/stats")).json()
    assert stats["total_resources"] == 2
    later = await clients.user.workspace("Later")
    assert code(await agent.get(f"/workspaces/{later['id']}")) == "404 workspace-not-found"
    cursor = (await clients.user.get(f"{profile}/workspaces?limit=1")).json()["next_cursor"]
    assert await items(agent, f"{profile}/workspaces?limit=1&cursor={cursor}") == []


@pytest.mark.long
async def test_what_is_outside_has_the_answers_of_what_does_not_exist(clients: Clients) -> None:
    agent, outside = clients.agent, clients.outside["id"]
    repo = (await clients.repo_of(clients.outside))["id"]
    new = {"name": "new", "path": "/new"}
    profile = f"/user-profiles/{clients.user.id}"
    asked: list[tuple[str, str, str, Any]] = [
        ("GET", "/workspaces/{}", outside, None),
        ("PATCH", "/workspaces/{}", outside, {"name": "new"}),
        ("DELETE", "/workspaces/{}?force=true", outside, None),
        ("GET", "/workspaces/{}/stats", outside, None),
        ("POST", "/workspaces/{}/repos", outside, new),
        ("POST", "/workspaces/{}/repos/import", outside, {"items": [new]}),
        ("GET", "/repos/{}", repo, None),
        ("PATCH", "/repos/{}", repo, {"name": "new"}),
        ("DELETE", "/repos/{}", repo, None),
        ("GET", profile + "/repos?workspace_id={}", outside, None),
        ("GET", profile + "/attention?workspace_id={}", outside, None),
    ]
    for method, path, existing, body in asked:
        for more in ({}, {"Idempotency-Key": "k"}, {"If-Match": '"stale"'}):
            answers = list[tuple[int, str]]()
            for each in (existing, str(new_id())):
                headers = ALWAYS | more
                answer = await agent.request(method, path.format(each), json=body, headers=headers)
                answers.append((answer.status_code, answer.text.replace(each, "{id}")))
            assert answers[0] == answers[1], (method, path)
            assert answers[0][0] == 404, (method, path)
    assert (await clients.repo_of(clients.outside))["version"] == 1


async def test_nothing_is_moved_outside(clients: Clients) -> None:
    repo = (await clients.repo_of(clients.inside))["id"]
    answers = list[str]()
    for target in (clients.outside["id"], str(new_id())):
        move = {"workspace_id": target}
        answer = await clients.agent.patch(f"/repos/{repo}", move, headers=ALWAYS)
        assert faults(answer) == [("/workspace_id", "workspace-not-found")]
        answers.append(answer.text)
    assert answers[0] == answers[1]


async def test_what_concerns_the_user_as_a_whole_is_refused(clients: Clients) -> None:
    agent, profile = clients.agent, f"/user-profiles/{clients.user.id}"
    asked: list[tuple[str, str, Any]] = [
        ("GET", "/user-profiles/me", None),
        ("GET", profile, None),
        ("GET", f"/user-profiles/{new_id()}", None),
        ("PATCH", profile, {"preferences": {}}),
        ("PATCH", profile, {"unknown": "field"}),
        ("DELETE", profile, None),
        ("POST", f"{profile}/workspaces", {"name": "More"}),
        ("POST", "/api-tokens", {"name": "child", "scopes": ["read"]}),
        ("GET", "/api-tokens", None),
        ("DELETE", f"/api-tokens/{new_id()}", None),
    ]
    for method, path, body in asked:
        refused = await agent.request(method, path, json=body)
        assert code(refused) == "403 insufficient-scope", (method, path)
        assert "not confined to workspaces" in refused.json()["detail"]
    (token,) = await items(clients.user, "/api-tokens")
    other = await clients.user.api_token()
    refused = await agent.delete(f"/api-tokens/{other['id']}")
    assert code(refused) == "403 insufficient-scope"
    assert (await agent.delete(f"/api-tokens/{token['id']}")).status_code == 204
    assert code(await agent.get(f"/workspaces/{clients.inside['id']}")) == "401 unauthenticated"


async def test_a_retry_of_another_token_is_another_request(clients: Clients) -> None:
    user, agent, key = clients.user, clients.agent, {"Idempotency-Key": "k"}
    new = {"name": "new", "path": "/new"}
    outside = f"/workspaces/{clients.outside['id']}/repos"
    created(await user.post(outside, new, headers=key))
    assert code(await agent.post(outside, new, headers=key)) == "404 workspace-not-found"
    inside = f"/workspaces/{clients.inside['id']}/repos"
    first = created(await agent.post(inside, new, headers=key))
    again = await agent.post(inside, new, headers=key)
    assert (created(again), again.headers["idempotency-replayed"]) == (first, "true")
    await user.patch(f"/repos/{first['id']}", {"workspace_id": clients.outside["id"], "name": "b"})
    gone = await agent.post(inside, new, headers=key)
    assert code(gone) == "422 idempotency-key-reused"


async def test_entries_are_for_tokens_with_secrets(ada: User) -> None:
    workspace = (await ada.workspace())["id"]
    vault = f"/vaults/{(await ada.vault(workspace))['id']}"
    tokens = {
        scopes: ada.using((await ada.api_token(*scopes.split()))["token"])
        for scopes in ("read", "write", "read write", "read secrets", "write secrets")
    }
    requests: tuple[tuple[str, str, Any, str], ...] = (
        ("PUT", f"{vault}/entries/a", {"content": "1"}, "write secrets"),
        ("PUT", f"{vault}/entries/a", {"content": "2"}, "write secrets"),
        ("GET", f"{vault}/entries", None, "read secrets"),
        ("GET", f"{vault}/entries/a", None, "read secrets"),
        ("GET", f"{vault}/versions/a", None, "read secrets"),
        ("POST", f"{vault}/restore/a", {"version": 1}, "write secrets"),
        ("POST", f"{vault}/unlock", None, "read secrets"),
        ("POST", f"{vault}/unlock", None, "write secrets"),
        ("DELETE", f"{vault}/entries/a", None, "write secrets"),
    )
    for method, path, body, needed in requests:
        for scopes, user in tokens.items():
            is_enough = "secrets" in scopes if path.endswith("unlock") else scopes == needed
            if not is_enough:
                refused = await user.request(method, path, json=body)
                assert code(refused) == "403 insufficient-scope", (method, path, scopes)
        assert (await tokens[needed].request(method, path, json=body)).is_success, (method, path)
    refused = await tokens["read"].get(f"{vault}/entries/a")
    assert refused.json()["detail"] == (
        "This request requires a token with the scopes `read` and `secrets`."
    )
    assert refused.headers["www-authenticate"] == (
        'Bearer error="insufficient_scope", scope="read secrets"'
    )
    writer = tokens["write"]
    for method, path in (("POST", f"{vault}/lock"), ("DELETE", f"{vault}?force=true")):
        assert (await writer.request(method, path)).is_success
    protected = {"name": "p", "path": "/p", "protection": "passphrase", "passphrase": "x" * 12}
    created(await writer.post(f"/workspaces/{workspace}/vaults", protected))
