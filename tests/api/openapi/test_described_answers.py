"""The responses of every operation match the OpenAPI document.

The client checks every response of every test in this folder; these tests call all operations.
"""

import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from symphony.config.settings import Settings
from tests.support.api import User, code
from tests.support.openapi import Operation, check, operations

# The document does not depend on the store.
pytestmark = pytest.mark.parametrize("store_kind", ["sqlite-memory"])
FORM = "application/x-www-form-urlencoded"
# All operations, in an order in which each succeeds.
STORY = (
    *("live", "ready", "create_user_profile", "create_access_token"),
    *("get_own_user_profile", "get_user_profile", "update_user_profile"),
    *("create_machine", "list_machines", "get_machine", "update_machine", "put_report"),
    *("list_machine_checkouts", "delete_machine"),
    *("create_api_token", "list_api_tokens", "get_current_api_token"),
    *("rotate_api_token", "revoke_api_token"),
    *("create_workspace", "list_workspaces", "get_workspace", "update_workspace"),
    *("create_repo", "list_repos", "list_repos_of_user", "get_repo", "get_repo_status"),
    *("get_repo_disposal", "list_repo_checkouts", "update_repo"),
    *("create_vault", "list_vaults", "get_vault", "unlock_vault", "update_vault"),
    *("put_entry", "list_entries", "get_entry", "restore_entry", "list_entry_versions"),
    *("delete_entry", "lock_vault", "update_passphrase"),
    *("get_workspace_stats", "get_attention", "delete_repo", "delete_vault"),
    *("discover_repos", "import_repos", "delete_repo"),
    *("delete_workspace", "delete_user_profile"),
)

# The remote of the example does not exist; test_repo_sync checks the responses.
NEEDS_A_REMOTE = "sync_repo"
NEEDS_AN_API_TOKEN = "get_current_api_token"

Request = dict[str, Any]


def example_request(operation: Operation, ids: dict[str, str], token: str) -> Request:
    """The request of the example in the document, with existing ids."""
    asked: Request = {
        "method": operation.method,
        "url": operation.path.format(**ids),
        "headers": {"Authorization": f"Bearer {token}"} if operation.needs_token else {},
    }
    if operation.media_types:
        asked["headers"]["Content-Type"] = operation.media_types[0]
        encode = urlencode if operation.media_types == (FORM,) else json.dumps
        asked["content"] = encode(operation.example).encode()
    return asked


@pytest.mark.long
@pytest.mark.usefixtures("git_root")
async def test_the_example_of_every_operation_succeeds_as_documented(
    client: httpx.AsyncClient, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert {*STORY, NEEDS_A_REMOTE} == set(operations())
    assert client.event_hooks["response"] == [check]
    (home,) = settings.git_roots
    monkeypatch.setenv("HOME", str(home))
    (home / "dev").mkdir()  # the folder of the example
    ids: dict[str, str] = {}
    token, api_token, session = "", "", ""
    for operation in (operations()[each] for each in STORY):
        sent = api_token if operation.id == NEEDS_AN_API_TOKEN else token
        asked = example_request(operation, ids, sent)
        asked["headers"]["Vault-Session"] = session
        if operation.id == "delete_vault":
            asked["params"] = {"force": "true"}  # it is locked
        answer = await client.request(**asked)
        assert answer.status_code in operation.successes, answer.text
        for content in operation.answers[answer.status_code].get("content", {}).values():
            assert answer.json().keys() == content["example"].keys()
            token = answer.json().get("access_token", token)
            api_token = answer.json().get("token", api_token)
            ids |= {"key": "clients/acme/db"}
            session = answer.json().get("session", session)
            if answer.status_code == 201 and operation.id != "put_entry":
                noun = re.sub("create_|import_|rotate_|s$", "", operation.id)
                (made,) = answer.json().get("items", [answer.json()])
                ids[f"{noun}_id"] = made["id"]
        for media_type in operation.media_types[1:]:
            asked["headers"]["Content-Type"] = media_type
            assert (await client.request(**asked)).status_code in operation.successes


@pytest.fixture
async def ids(ada: User) -> dict[str, str]:
    """A resource of ada's for every parameter that takes an id."""
    workspace = (await ada.workspace())["id"]
    vault = (await ada.vault(workspace))["id"]
    await ada.put(f"/vaults/{vault}/entries/clients/acme/db", {"content": "kept"})
    return {
        "user_profile_id": ada.id,
        "workspace_id": workspace,
        "repo_id": (await ada.repo(workspace))["id"],
        "vault_id": vault,
        "machine_id": (await ada.machine())["id"],
        "api_token_id": (await ada.api_token())["id"],
        "key": "clients/acme/db",
    }


def with_header(name: str, value: str) -> Callable[[Request], Request]:
    return lambda asked: asked | {"headers": asked["headers"] | {name: value}}


# For each code, a function that turns a valid request into one with this problem.
INVALIDATED: dict[str, Callable[[Request], Request]] = {
    "malformed-request": lambda asked: asked | {"content": b"\xff"},
    "invalid-cursor": lambda asked: asked | {"params": {"cursor": "x"}},
    "unauthenticated": with_header("Authorization", "Bearer nothing"),
    "invalid-credentials": lambda asked: asked | {"content": b"username=eve&password=unknown"},
    "method-not-allowed": lambda asked: asked | {"method": "DELETE"},
    "precondition-failed": with_header("If-Match", '"stale"'),
    "payload-too-large": lambda asked: asked | {"content": bytes(2**22 + 1)},
    "unsupported-media-type": with_header("Content-Type", "text/plain"),
    "validation-error": lambda asked: asked | {"params": {"colour": "blue"}},
    "idempotency-key-reused": with_header("Idempotency-Key", "used"),
}


@pytest.mark.long
async def test_every_operation_fails_as_documented(ada: User, ids: dict[str, str]) -> None:
    used = {"Idempotency-Key": "used"}
    await ada.post(f"/user-profiles/{ada.id}/workspaces", {"name": "used"}, headers=used)
    for operation in operations().values():
        described = {code for status in operation.answers for code in operation.codes(status)}
        invalidated = INVALIDATED.keys() & described
        assert invalidated, operation.id
        for problem in invalidated:
            asked = INVALIDATED[problem](example_request(operation, ids, ada.token))
            answered = code(await ada.client.request(**asked)).partition(" ")[2]
            assert (operation.id, answered) == (operation.id, problem)


SCOPE_SETS = (
    {"read"},
    {"write"},
    {"read", "write"},
    {"read", "secrets"},
    {"write", "secrets"},
    {"report"},
)


async def test_every_operation_requires_the_documented_scopes(
    ada: User, ids: dict[str, str]
) -> None:
    machine = {"machine_id": ids["machine_id"]}
    tokens = [
        (scopes, await ada.api_token(*scopes, **machine if "report" in scopes else {}))
        for scopes in SCOPE_SETS
    ]
    for operation in operations().values():
        security = operation.described["security"]
        sufficient = [set(each["bearer"]) for each in security if "bearer" in each]
        for scopes, token in tokens:
            if operation.needs_token and not any(each <= scopes for each in sufficient):
                answer = await ada.client.request(**example_request(operation, ids, token["token"]))
                assert (operation.id, code(answer)) == (operation.id, "403 insufficient-scope")


@pytest.mark.long
async def test_an_unchanged_resource_is_a_304(ada: User, ids: dict[str, str]) -> None:
    conditional = [each for each in operations().values() if 304 in each.answers]
    assert len(conditional) == 11
    api_token = (await ada.api_token())["token"]
    for operation in conditional:
        token = api_token if operation.id == NEEDS_AN_API_TOKEN else ada.token
        asked = with_header("If-None-Match", "*")(example_request(operation, ids, token))
        assert (await ada.client.request(**asked)).status_code == 304
