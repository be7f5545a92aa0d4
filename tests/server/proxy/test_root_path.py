"""The service below a path behind a real nginx, with the recipes of docs/production.md."""

import re
from collections.abc import AsyncGenerator

import httpx
import pytest
import pytest_asyncio

from symphony.serving.request_head import MAX_FIELDS
from tests.server.proxy.nginx import running_nginx
from tests.support.api import API, PASSWORD, created
from tests.support.checkout import TOP
from tests.support.documents import blocks
from tests.support.server import running_server

pytestmark = [
    pytest.mark.long,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.xdist_group("root path"),  # all tests share two servers
]
PREFIX = "/symphony"
RECIPES = {
    "removed" if "8000/;" in block else "kept": block
    for block in blocks((TOP / "docs" / "production.md").read_text("utf-8"), "nginx")
    if f"location {PREFIX}/" in block
}


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["kept", "removed"])
async def client(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncGenerator[httpx.AsyncClient]:
    """A client of nginx, which keeps the prefix in requests or removes it."""
    tmp_path = tmp_path_factory.mktemp("root-path")
    async with running_server(tmp_path / "data", "--root-path", PREFIX) as server:
        recipe = RECIPES[request.param].replace("127.0.0.1:8000", f"127.0.0.1:{server.port}")
        async with (
            running_nginx(tmp_path / "nginx", recipe) as address,
            httpx.AsyncClient(base_url=address, timeout=60) as client,
        ):
            yield client


async def test_every_address_in_an_answer_leads_through_nginx(client: httpx.AsyncClient) -> None:
    document = (await client.get(f"{PREFIX}{API}/openapi.json")).json()
    (server,) = document["servers"]
    assert server["url"] == PREFIX
    api = server["url"] + API
    body = {"username": "ada", "email": "ada@example.org", "password": PASSWORD}
    profile = await client.post(f"{api}/user-profiles", json=body)
    flow = document["components"]["securitySchemes"]["password"]["flows"]["password"]
    form = {"username": "ada", "password": PASSWORD}
    token = (await client.post(flow["tokenUrl"], data=form)).json()["access_token"]
    client.headers["Authorization"] = f"Bearer {token}"
    location = profile.headers["location"]
    assert (await client.get(location)).json() == profile.json()
    for name in ("a", "b"):
        made = await client.post(f"{location}/workspaces", json={"name": name})
        workspace = created(made)
        assert (await client.get(made.headers["location"])).json() == workspace
    page = await client.get(f"{location}/workspaces", params={"limit": 1})
    link = re.fullmatch('<(.+)>; rel="next"', page.headers["link"])
    assert link
    following = (await client.get(link[1])).json()
    assert [each["name"] for each in following["items"]] == ["b"]
    await _entry_with_a_difficult_key(client, api, made.headers["location"])


async def _entry_with_a_difficult_key(client: httpx.AsyncClient, api: str, workspace: str) -> None:
    body = {"name": "keys", "path": "/keys"}
    vault = created(await client.post(f"{workspace}/vaults", json=body))
    key = "50%25 of/caf%C3%A9%3F%23"
    path = f"{api}/vaults/{vault['id']}/entries/{key}"
    put = await client.put(path, json={"content": "secret"})
    assert created(put)["key"] == "50% of/café?#"
    read = await client.get(put.headers["location"])
    assert read.json()["content"] == "secret"


async def test_pages_and_problems_work_below_the_prefix(client: httpx.AsyncClient) -> None:
    for path in ("", "docs", "problems/vault-locked"):
        page = await client.get(f"{PREFIX}/{path}", headers={"Accept": "text/html"})
        assert page.status_code == 200
        links = re.findall(r'(?:src|href|data-\w+)="([^"]*)"', page.text)
        assert len(links) >= 3
        for link in links:
            # The metrics are not for the public.
            expected = 403 if link.endswith("/metrics") else 200
            assert (await client.get(link)).status_code == expected, link
    start = await client.get(PREFIX, follow_redirects=True)
    assert start.json()["name"] == "Symphony"
    problem = await client.get(f"{PREFIX}{API}/user-profiles/me?secret=1")
    assert problem.json()["instance"] == f"{PREFIX}{API}/user-profiles/me"
    assert (await client.get(problem.json()["type"])).status_code == 200
    fields = {f"X-{number}": "y" for number in range(MAX_FIELDS)}
    refused = (await client.get(f"{PREFIX}/", headers=fields)).json()  # before it is routed
    assert refused["code"] == "header-fields-too-large"
    assert (await client.get(refused["type"])).status_code == 200
    for other in ("/", "/docs", API, "/symphonyx/docs"):
        assert (await client.get(other)).status_code == 404, other


async def test_the_metrics_are_denied_in_every_form(client: httpx.AsyncClient) -> None:
    for path in (
        "metrics",
        "symphony/metrics",
        "%6detrics",
        "./metrics",
        "/metrics",
        "x/../metrics",
    ):
        answer = await client.get(f"{PREFIX}/{path}")
        assert answer.status_code in {403, 404}, path
        assert "symphony_build_info" not in answer.text


async def test_a_compressed_answer_comes_through_with_its_strong_etag(
    client: httpx.AsyncClient,
) -> None:
    path = f"{PREFIX}{API}/openapi.json"
    answer = await client.get(path)
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["etag"].endswith('-gzip"')
    assert answer.headers["etag"].startswith('"')
    known = {"If-None-Match": answer.headers["etag"]}
    assert (await client.get(path, headers=known)).status_code == 304
