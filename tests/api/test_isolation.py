"""A resource of another user has the same responses as one that does not exist."""

from typing import Any

import httpx
import pytest

from symphony.domain.base import new_id
from tests.support.api import API, User, code

# A fixed request id, so that whole responses can be compared.
ALWAYS = {"X-Request-ID": "the-same"}
VARIANTS: tuple[dict[str, str], ...] = (
    {},
    {"If-Match": "*"},
    {"If-Match": '"stale"'},
    {"If-None-Match": "*"},
    {"Idempotency-Key": "some-key"},
)
_CHILD = {"name": "new", "path": "/new"}
_BODIES: dict[tuple[str, str], dict[str, Any]] = {
    ("POST", "/user-profiles/{user_profile_id}/workspaces"): {"name": "new"},
    ("POST", "/workspaces/{workspace_id}/repos"): _CHILD,
    ("POST", "/workspaces/{workspace_id}/vaults"): _CHILD,
    ("POST", "/workspaces/{workspace_id}/repos/import"): {"items": [_CHILD]},
    ("POST", "/workspaces/{workspace_id}/discoveries"): {"root": "/"},
    ("PATCH", "/user-profiles/{user_profile_id}"): {"preferences": {"new": True}},
    ("PATCH", "/workspaces/{workspace_id}"): {"name": "new"},
    ("PATCH", "/repos/{repo_id}"): {"name": "new"},
    ("PATCH", "/vaults/{vault_id}"): {"name": "new"},
    ("PATCH", "/machines/{machine_id}"): {"name": "new"},
    ("PUT", "/vaults/{vault_id}/passphrase"): {
        "old": "correct horse battery",
        "new": "another one entirely",
    },
    ("PUT", "/vaults/{vault_id}/entries/{key}"): {"content": "new"},
    ("POST", "/vaults/{vault_id}/restore/{key}"): {"version": 1},
    ("POST", "/api-tokens/{api_token_id}/rotate"): {"overlap_seconds": 0},
}


@pytest.fixture
async def ids(ada: User) -> dict[str, str]:
    """One resource of ada's for each parameter that takes an id, by the name of the parameter."""
    workspace = await ada.workspace()
    vault = await ada.vault(workspace["id"])
    await ada.put(f"/vaults/{vault['id']}/entries/a/b", {"content": "ada's"})
    return {
        "user_profile_id": ada.id,
        "workspace_id": workspace["id"],
        "repo_id": (await ada.repo(workspace["id"]))["id"],
        "vault_id": vault["id"],
        "machine_id": (await ada.machine())["id"],
        "api_token_id": (await ada.api_token())["id"],
    }


async def _operations(client: httpx.AsyncClient) -> list[tuple[str, str]]:
    """The method and path (without the prefix) of every operation with an id in its path."""
    document = (await client.get(f"{API}/openapi.json")).json()
    return [
        (method.upper(), path.removeprefix(API))
        for path, operations in document["paths"].items()
        if "{" in path and path.startswith(API)
        for method in operations
        if method != "parameters"
    ]


async def _everything(user: User, ids: dict[str, str]) -> list[Any]:
    workspace = f"/workspaces/{ids['workspace_id']}"
    paths = (
        "/user-profiles/me",
        workspace,
        f"{workspace}/stats",
        f"{workspace}/repos",
        f"{workspace}/vaults",
        f"/vaults/{ids['vault_id']}/entries/a/b",
        "/api-tokens",
        "/machines",
    )
    return [(await user.get(path)).json() for path in paths]


@pytest.mark.usefixtures("git_root")
async def test_the_id_of_another_user_has_the_response_of_an_unknown_id(
    ada: User, eve: User, ids: dict[str, str]
) -> None:
    before = await _everything(ada, ids)
    operations = await _operations(ada.client)
    assert len(operations) >= 28
    for method, template in operations:
        parameter = template.partition("{")[2].partition("}")[0]
        body = _BODIES.get((method, template))
        for path, variant in [
            *((template, headers) for headers in VARIANTS),
            (f"{template}?force=true", {}),
            (f"{template}?limit=0", {}),
            (f"{template}?cursor=x", {}),
        ]:
            answers: list[tuple[int, str, dict[str, str]]] = []
            for asked in (ids[parameter], str(new_id())):
                answer = await eve.request(
                    method,
                    path.replace(f"{{{parameter}}}", asked).replace("{key}", "a/b"),
                    json=body,
                    headers=ALWAYS | variant,
                )
                assert answer.status_code in {404, 400, 422}, (method, path)
                if path == template:
                    noun = parameter.removesuffix("_id").replace("_", "-")
                    assert code(answer) == f"404 {noun}-not-found", (method, path)
                headers = {name: value for name, value in answer.headers.items() if name != "date"}
                answers.append((answer.status_code, answer.text.replace(asked, "{id}"), headers))
            assert answers[0] == answers[1], (method, path)
    assert await _everything(ada, ids) == before


async def test_an_invalid_body_for_another_users_resource_has_the_response_of_an_unknown_id(
    ada: User, eve: User, ids: dict[str, str]
) -> None:
    for (method, template), body in _BODIES.items():
        parameter = template.partition("{")[2].partition("}")[0]
        bodies: tuple[Any, ...] = ({"colour": 1}, dict.fromkeys(body), [], body | {"id": ada.id})
        for bad in bodies:
            answers = [
                (answer.status_code, answer.text.replace(asked, "{id}"))
                for asked in (ids[parameter], str(new_id()))
                for answer in [
                    await eve.request(
                        method,
                        template.replace(f"{{{parameter}}}", asked),
                        json=bad,
                        headers=ALWAYS,
                    )
                ]
            ]
            assert answers[0] == answers[1], (method, template, bad)


async def test_without_a_token_no_response_tells_whether_a_resource_exists(
    ada: User, ids: dict[str, str]
) -> None:
    for method, template in await _operations(ada.client):
        parameter = template.partition("{")[2].partition("}")[0]
        answers: list[tuple[str, str]] = []
        for asked in (ids[parameter], str(new_id()), "not-a-uuid"):
            path = API + template.replace(f"{{{parameter}}}", asked)
            answer = await ada.client.request(method, path, headers=ALWAYS, content=b"{")
            assert code(answer) == "401 unauthenticated"
            answers.append((method, answer.text.replace(asked, "{id}")))
        assert answers[0] == answers[1] == answers[2]


async def test_lists_contain_only_resources_of_the_caller(ada: User, eve: User) -> None:
    await ada.workspace("shared name")
    await ada.api_token()
    assert (await eve.get(f"/user-profiles/{eve.id}/workspaces")).json()["items"] == []
    assert (await eve.get("/api-tokens")).json()["items"] == []
    hers = await eve.workspace("shared name")
    listed = (await eve.get(f"/user-profiles/{eve.id}/workspaces")).json()["items"]
    assert [each["id"] for each in listed] == [hers["id"]]
