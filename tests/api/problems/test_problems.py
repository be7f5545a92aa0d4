"""All errors are problems, also those of the framework."""

import json
from typing import Any

import httpx
import pytest

from symphony.api.problems.catalogue import PROBLEMS
from tests.support.api import API, User, code, faults

JSON = {"Content-Type": "application/json"}
# Every path with its methods.
ALLOWED = (
    ("/", "GET, HEAD, OPTIONS"),
    ("/docs", "GET, HEAD, OPTIONS"),
    ("/docs/assets/swagger-ui.css", "GET, HEAD, OPTIONS"),
    ("/health/live", "GET, HEAD, OPTIONS"),
    ("/problems/vault-locked", "GET, HEAD, OPTIONS"),
    (f"{API}/openapi.json", "GET, HEAD, OPTIONS"),
    (f"{API}/auth/token", "OPTIONS, POST"),
    (f"{API}/api-tokens", "GET, HEAD, OPTIONS, POST"),
    (f"{API}/api-tokens/x", "DELETE, OPTIONS"),
    (f"{API}/user-profiles", "OPTIONS, POST"),
    (f"{API}/user-profiles/x", "DELETE, GET, HEAD, OPTIONS, PATCH"),
    (f"{API}/user-profiles/x/workspaces", "GET, HEAD, OPTIONS, POST"),
    (f"{API}/workspaces/x", "DELETE, GET, HEAD, OPTIONS, PATCH"),
    (f"{API}/workspaces/x/stats", "GET, HEAD, OPTIONS"),
    (f"{API}/workspaces/x/repos", "GET, HEAD, OPTIONS, POST"),
    (f"{API}/workspaces/x/repos/import", "OPTIONS, POST"),
    (f"{API}/workspaces/x/discoveries", "OPTIONS, POST"),
    (f"{API}/repos/x", "DELETE, GET, HEAD, OPTIONS, PATCH"),
    (f"{API}/repos/x/status", "GET, HEAD, OPTIONS"),
    (f"{API}/repos/x/sync", "OPTIONS, POST"),
    (f"{API}/workspaces/x/vaults", "GET, HEAD, OPTIONS, POST"),
    (f"{API}/vaults/x", "DELETE, GET, HEAD, OPTIONS, PATCH"),
    (f"{API}/vaults/x/lock", "OPTIONS, POST"),
    (f"{API}/vaults/x/unlock", "OPTIONS, POST"),
)


async def test_every_problem_has_the_same_members(ada: User) -> None:
    for answer in (
        await ada.client.get("/nothing"),
        await ada.client.get(f"{API}/nothing"),
        await ada.client.delete("/"),
        await ada.client.get(f"{API}/user-profiles/me"),
        await ada.get(f"/workspaces/{ada.id}"),
        await ada.get("/workspaces/x"),
        await ada.post("/api-tokens", {}),
        await ada.request("POST", "/api-tokens", content=b"{", headers=JSON),
        await ada.request("POST", "/api-tokens", content=b"<x/>"),
        await ada.get("/api-tokens?cursor=x"),
        await ada.get("/api-tokens?limit=0"),
    ):
        problem = answer.json()
        kind = PROBLEMS[problem["code"]]
        assert code(answer) == f"{kind.status} {problem['code']}"
        members = {"type", "title", "status", "detail", "instance", "code", "request_id"}
        assert set(problem) - {"errors"} == members
        assert ("errors" in problem) == (answer.status_code == 422)
        assert problem["title"] == kind.title
        assert problem["instance"] == answer.request.url.path
        assert all(isinstance(problem[name], str) for name in members - {"status"})
        assert (await ada.client.get(problem["type"])).status_code == 200


async def test_unknown_routes_are_problems_too(ada: User) -> None:
    for path in (
        "/nothing",
        "/api",
        "/api/v1",
        "/api/v1/",
        "/api/v2/user-profiles/me",
        "/api/v1/user-profiles/me/",
        "/api/v1/USER-PROFILES/me",
        f"/api/v1/workspaces/{ada.id}/nothing",
        f"/api/v1/workspaces/{ada.id}/",
        "/api/v1//workspaces",
        "/docs/assets/nothing.js",
        "/docs/assets/../main.py",
        "/docs/assets/%2e%2e/%2e%2e/main.py",
        "/docs/assets/",
        "/problems/nothing",
        "/problems/nothing/",
        "/%00",
        "/%ff",
        "/.env",
        "/" + "x" * 5000,
    ):
        for user in (ada, ada.using("")):
            answer = await ada.client.get(path, headers=user.headers)
            assert code(answer) == "404 route-not-found", path


@pytest.mark.long
@pytest.mark.parametrize("store_kind", ["sqlite-memory"])  # no store is used
async def test_a_405_lists_all_methods_of_the_path(client: httpx.AsyncClient) -> None:
    methods = {"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "BREW"}
    for path, allowed in ALLOWED:
        for method in sorted(methods - set(allowed.split(", "))):
            answer = await client.request(method, path)
            assert code(answer) == "405 method-not-allowed", (method, path)
            assert sorted(answer.headers["allow"].split(", ")) == allowed.split(", "), path


async def test_pointers_lead_to_the_invalid_fields(ada: User) -> None:
    path = f"/user-profiles/{ada.id}/workspaces"
    refused: tuple[tuple[Any, list[tuple[str, str]]], ...] = (
        ({}, [("/name", "missing")]),
        ({"name": 1}, [("/name", "string-expected")]),
        ({"name": "a", "colour": 1}, [("/colour", "unknown-field")]),
        ({"name": "", "settings": []}, [("/name", "too-short"), ("/settings", "object-expected")]),
        ({"name": "a", "workspace_type": "x"}, [("/workspace_type", "unknown-value")]),
        ({"name": "a", "description": "x" * 10_001}, [("/description", "too-long")]),
        ([], [("", "object-expected")]),
        ("name", [("", "object-expected")]),
        (None, [("", "object-expected")]),
    )
    for body, expected in refused:
        content = json.dumps(body).encode()
        answer = await ada.request("POST", path, content=content, headers=JSON)
        assert faults(answer) == expected, body
    for body, expected in (
        (b'{"name": "a", "name": "b"}', ("/name", "duplicate-field")),
        (
            b'{"name": "a", "settings": {"b": [0, {"c": 1, "c": 1}]}}',
            ("/settings/b/1/c", "duplicate-field"),
        ),
    ):
        answer = await ada.request("POST", path, content=body, headers=JSON)
        assert faults(answer) == [expected]
    for where, parameter in (
        (f"{path}?limit=x", "limit"),
        (f"{path}?sort=x", "sort"),
        (f"{path}?type=x", "type"),
        ("/user-profiles/x/workspaces", "user_profile_id"),
        ("/workspaces/x", "workspace_id"),
        ("/repos/x", "repo_id"),
        ("/vaults/x", "vault_id"),
    ):
        assert [place for place, _ in faults(await ada.get(where))] == [parameter]
    answer = await ada.delete("/api-tokens/x")
    assert faults(answer) == [("api_token_id", "uuid-expected")]
