"""OPTIONS says which methods a path has, and what a PATCH of it may contain."""

import httpx
import pytest
from starlette.types import Message

from symphony.config.settings import Settings
from symphony.main import create_app
from tests.api.problems.test_problems import ALLOWED
from tests.support.api import API, User, code, running_api
from tests.support.hashing import CHEAP

pytestmark = pytest.mark.parametrize("store_kind", ["sqlite-memory"])  # no store is used
ACCEPT_PATCH = "application/merge-patch+json, application/json"


async def test_options_lists_the_methods_of_every_path(client: httpx.AsyncClient) -> None:
    for path, allowed in ALLOWED:
        answer = await client.options(path)
        assert (answer.status_code, answer.content) == (204, b""), path
        assert answer.headers["allow"] == allowed, path
        assert answer.headers.get("accept-patch") == (ACCEPT_PATCH if "PATCH" in allowed else None)
        assert answer.headers["x-request-id"]


async def test_options_of_an_unknown_path_is_a_404(client: httpx.AsyncClient) -> None:
    for path in ("/nothing", f"{API}/nothing", f"{API}/workspaces/", "/docs/nothing"):
        assert code(await client.options(path)) == "404 route-not-found"


async def test_options_ignores_body_query_and_token(ada: User) -> None:
    for user in (ada, ada.using("nonsense")):
        answer = await user.request("OPTIONS", "/repos/x?colour=1", content=b"{")
        assert answer.status_code == 204


async def test_options_of_another_origin_are_answered_with_cors_headers(settings: Settings) -> None:
    origin = "https://app.example.org"
    async with running_api(settings.model_copy(update={"cors_origins": (origin,)})) as client:
        answer = await client.options(f"{API}/repos/x", headers={"Origin": origin})
        assert answer.status_code == 204
        assert answer.headers["access-control-allow-origin"] == origin
        exposed = set(answer.headers["access-control-expose-headers"].split(", "))
        assert {"Allow", "Accept-Patch", "WWW-Authenticate"} <= exposed


async def test_a_refused_media_type_of_a_patch_says_which_are_accepted(ada: User) -> None:
    text = {"Content-Type": "text/plain"}
    workspace = (await ada.workspace())["id"]
    for path in (
        f"/workspaces/{workspace}",
        f"/repos/{workspace}",
        f"/vaults/{workspace}",
        f"/machines/{workspace}",
        f"/user-profiles/{ada.id}",
    ):
        answer = await ada.request("PATCH", path, content=b"{}", headers=text)
        assert code(answer) == "415 unsupported-media-type"
        assert answer.headers["accept-patch"] == ACCEPT_PATCH
    answer = await ada.request("POST", "/api-tokens", content=b"{}", headers=text)
    assert code(answer) == "415 unsupported-media-type"
    assert "accept-patch" not in answer.headers


async def test_options_of_the_whole_service_succeed(settings: Settings) -> None:
    app = create_app(settings, costs=CHEAP)
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b""}

    async def send(message: Message) -> None:
        sent.append(message)

    # As uvicorn passes it on; no client library sends it.
    scope = {"type": "http", "method": "OPTIONS", "path": "*", "raw_path": b"*"}
    await app({**scope, "query_string": b"", "headers": [(b"host", b"localhost")]}, receive, send)
    assert sent[0]["status"] == 204
