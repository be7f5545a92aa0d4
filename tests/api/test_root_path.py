"""The service under a path prefix, which a proxy removes from requests or keeps in them."""

import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from html import escape
from typing import Any

import httpx
import pytest

from symphony import main
from symphony.config.settings import Settings
from symphony.main import create_app
from tests.support.api import API, PASSWORD, created, sign_in
from tests.support.hashing import CHEAP
from tests.support.openapi import generated_once

PREFIX = "/symphony"


@pytest.fixture
def store_kind() -> str:
    """A store that two services can open one after the other."""
    return "sqlite-file"


@dataclass(frozen=True)
class Way:
    """How requests come from a proxy."""

    setting: str
    """The prefix in the settings; without it, the ASGI server has it as `root_path`."""
    sent: str
    """What the path of each request begins with: the proxy removes the prefix, or keeps it."""


@pytest.fixture(params=[(PREFIX, ""), (PREFIX, PREFIX), ("", PREFIX)], ids=str)
def way(request: pytest.FixtureRequest) -> Way:
    return Way(*request.param)


@pytest.fixture
def sent(way: Way) -> str:
    return way.sent


@pytest.fixture
async def client(settings: Settings, way: Way) -> AsyncGenerator[httpx.AsyncClient]:
    of_server = "" if way.setting else PREFIX
    async with _running(settings, way.setting, of_server) as client:
        yield client


@pytest.fixture(autouse=True)
def one_document(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(main, "OpenApiDocuments", generated_once)


@asynccontextmanager
async def _running(
    settings: Settings, of_setting: str, of_server: str = ""
) -> AsyncGenerator[httpx.AsyncClient]:
    app = create_app(settings.model_copy(update={"root_path": of_setting}), costs=CHEAP)
    transport = httpx.ASGITransport(app, root_path=of_server, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client,
    ):
        yield client


async def _sign_up(client: httpx.AsyncClient) -> dict[str, Any]:
    body = {"username": "ada", "email": "ada@example.org", "password": PASSWORD}
    profile = created(await client.post(f"{API}/user-profiles", json=body))
    client.headers["Authorization"] = f"Bearer {await sign_in(client, 'ada')}"
    return profile


async def test_location_and_link_lead_to_resources_below_the_prefix(
    client: httpx.AsyncClient, sent: str
) -> None:
    profile = await _sign_up(client)
    workspaces = f"{sent}{API}/user-profiles/{profile['id']}/workspaces"
    for name in ("a", "b"):
        answer = await client.post(workspaces, json={"name": name})
        location = answer.headers["location"]
        assert location == f"{PREFIX}{API}/workspaces/{answer.json()['id']}"
        for path in (location, location.removeprefix(PREFIX)):
            assert (await client.get(path)).json() == answer.json()
    page = await client.get(workspaces, params={"limit": 1})
    found = re.fullmatch('<(.+)>; rel="next"', page.headers["link"])
    assert found
    assert found[1].startswith(f"{PREFIX}{API}/user-profiles/")
    # A cursor belongs to the list, however the request for it arrives.
    for link in (found[1], found[1].removeprefix(PREFIX)):
        following = await client.get(link)
        assert [each["name"] for each in following.json()["items"]] == ["b"]


async def test_a_replay_has_the_location_for_its_client(client: httpx.AsyncClient) -> None:
    profile = await _sign_up(client)
    path = f"{API}/user-profiles/{profile['id']}/workspaces"
    headers = {"Idempotency-Key": "once"}
    first = await client.post(path, json={"name": "a"}, headers=headers)
    again = await client.post(PREFIX + path, json={"name": "a"}, headers=headers)
    assert again.headers["idempotency-replayed"] == "true"
    assert again.headers["location"] == first.headers["location"]
    assert again.headers["location"].startswith(f"{PREFIX}{API}/")


async def test_a_replay_after_the_prefix_was_changed_has_the_new_one(settings: Settings) -> None:
    prefixes = ("/old", "/new", "")
    answers: list[httpx.Response] = []
    for prefix in prefixes:
        async with _running(settings, prefix) as client:
            if answers:
                client.headers["Authorization"] = answers[0].request.headers["authorization"]
            else:
                await _sign_up(client)
            me = (await client.get(f"{API}/user-profiles/me")).json()["id"]
            path = f"{API}/user-profiles/{me}/workspaces"
            headers = {"Idempotency-Key": "once"}
            answers.append(await client.post(path, json={"name": "a"}, headers=headers))
    paths = [f"{prefix}{API}/workspaces/{answers[0].json()['id']}" for prefix in prefixes]
    assert [answer.headers["location"] for answer in answers] == paths


async def test_a_problem_leads_to_its_page(client: httpx.AsyncClient, sent: str) -> None:
    for path in ("/nothing", f"{API}/user-profiles/me", f"{API}/a%20b/%C3%A9", "/docs/assets/none"):
        problem = (await client.get(f"{sent}{path}?secret=1")).json()
        assert problem["type"] == f"{PREFIX}/problems/{problem['code']}"
        assert problem["instance"] == PREFIX + path
        assert (await client.get(problem["type"])).status_code == 200
    problem = (await client.put(f"{sent}/docs")).json()
    assert problem["code"] == "method-not-allowed"
    assert problem["instance"] == f"{PREFIX}/docs"


@pytest.mark.long
async def test_pages_link_below_the_prefix_only(client: httpx.AsyncClient, sent: str) -> None:
    for path in ("/", "/docs", "/problems/vault-locked"):
        page = await client.get(sent + path, headers={"Accept": "text/html"})
        links = re.findall(r'(?:src|href|data-\w+)="([^"]*)"', page.text)
        assert len(links) >= 3
        for link in links:
            assert link.startswith(f"{PREFIX}/"), link
            assert (await client.get(link)).status_code == 200, link
    start = (await client.get(f"{sent}/")).json()
    for link in start["links"].values():
        assert link.startswith(f"{PREFIX}/"), link
        assert (await client.get(link)).status_code == 200, link


async def test_the_prefix_alone_is_the_start_page(client: httpx.AsyncClient) -> None:
    for path in (PREFIX, f"{PREFIX}/", "/"):
        answer = await client.get(path)
        assert (answer.status_code, answer.json()["name"]) == (200, "Symphony"), path


async def test_the_openapi_document_names_the_prefix(client: httpx.AsyncClient, sent: str) -> None:
    published = (await client.get(f"{sent}{API}/openapi.json")).json()
    assert [each["url"] for each in published["servers"]] == [PREFIX]
    flows = published["components"]["securitySchemes"]["password"]["flows"]
    assert flows["password"]["tokenUrl"] == f"{PREFIX}{API}/auth/token"
    assert all(path.startswith((API, "/health")) for path in published["paths"])


async def test_only_whole_segments_are_a_prefix(client: httpx.AsyncClient) -> None:
    for path in ("/symphonyx/docs", "/symphon/docs", "/Symphony/docs", "/x/symphony/docs"):
        problem = (await client.get(path)).json()
        assert problem["code"] == "route-not-found"
        assert problem["instance"] == PREFIX + path


async def test_metrics_know_templates_without_the_prefix(
    client: httpx.AsyncClient, sent: str
) -> None:
    await client.get(f"{sent}/problems/vault-locked")
    metrics = (await client.get(f"{sent}/metrics")).text
    assert 'route="/problems/{code}"' in metrics
    assert PREFIX not in metrics


@pytest.mark.parametrize("prefix", ["/api", "/api/v1", "/docs", "/a-1._~!$&'()*+,;=:@/b"])
async def test_a_prefix_may_begin_like_a_path_of_the_service(
    settings: Settings, prefix: str
) -> None:
    async with _running(settings, prefix) as client:
        for sent in ("", prefix):
            page = await client.get(f"{sent}/problems/vault-locked")
            assert f'"{escape(prefix)}/docs"' in page.text
            script = await client.get(f"{sent}/docs/assets/docs.js")
            assert script.status_code == 200
            problem = (await client.get(f"{sent}{API}/user-profiles/me")).json()
            assert problem["instance"] == f"{prefix}{API}/user-profiles/me"
        assert (await client.get(f"{prefix}/")).status_code == 200
