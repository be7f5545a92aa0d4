"""The pages for browsers, and the OpenAPI document."""

import re
from html import escape
from typing import Any

import httpx
import pytest

from symphony.api.guides import GUIDES
from symphony.api.problems.catalogue import PROBLEMS
from tests.support.api import API, User, code
from tests.support.checkout import TOP

# Pages do not use the store.
pytestmark = pytest.mark.parametrize("store_kind", ["sqlite-memory"])
# The header Accept of Firefox and Chromium.
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
METHODS = {"get", "post", "patch", "delete", "put", "head", "options", "trace"}


async def _document(client: httpx.AsyncClient) -> dict[str, Any]:
    answer = await client.get(f"{API}/openapi.json")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    return answer.json()


def _operations(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        f"{method.upper()} {path}": operation
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        if method in METHODS
    }


@pytest.mark.long
async def test_programs_get_the_name_of_the_service_and_links(client: httpx.AsyncClient) -> None:
    answer = await client.get("/")
    assert answer.status_code == 200
    start = answer.json()
    assert set(start) == {"name", "version", "registration", "links"}
    assert (start["name"], start["registration"]) == ("Symphony", "open")
    assert re.fullmatch(r"\d+\.\d+\.\d+.*", start["version"])
    for link in start["links"].values():
        assert (await client.get(link)).status_code == 200


async def test_clients_that_prefer_html_get_the_application(client: httpx.AsyncClient) -> None:
    for accept, is_page in (
        (BROWSER, True),
        ("Text/HTML", True),
        ("text/html;q=0.9,application/json;q=0.8", True),
        ("application/json;q=0.8 , text/html; q=0.9", True),
        ("text/html;q=0.8,application/json;q=0.9", False),
        ("text/html,application/json", False),
        ("text/html;q=0", False),
        ("text/html;q=x", False),
        ("text/htmlx,application/xhtml+xml", False),
        ("application/json", False),
        ("*/*", False),
        ("", False),
    ):
        answer = await client.get("/", headers={"Accept": accept})
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/html") == is_page, accept
        assert answer.headers["vary"].split(", ")[0] == "Accept"
        assert ('<script type="module"' in answer.text) == is_page


async def test_the_list_of_guides_links_to_all_documentation(client: httpx.AsyncClient) -> None:
    links = (await client.get("/")).json()["links"]
    page = await client.get("/guides")
    found = re.findall('<a href="(.*?)">', page.text)
    assert set(found) == {"/", *links.values()} - {"/guides"} | {
        f"/guides/{name}" for name in GUIDES
    }


@pytest.mark.long
async def test_every_guide_is_a_page_whose_links_lead_to_a_heading(
    client: httpx.AsyncClient,
) -> None:
    written = {file.stem for file in (TOP / "docs").glob("*.md")}
    assert set(GUIDES) == written
    pages = {name: (await client.get(f"/guides/{name}")).text for name in GUIDES}
    links = 0
    for name, page in pages.items():
        assert page.count("<h1") == 1
        assert f"<title>{escape(GUIDES[name])} · Symphony</title>" in page
        for target in re.findall(r'<a href="([^"]*)"', page):
            if target.startswith("https://") or target == "/guides":
                continue
            guide, _, anchor = target.partition("#")
            page_of_link = pages[guide.removeprefix("/guides/") or name]
            assert not anchor or f'id="{anchor}"' in page_of_link, target
            links += 1
    assert links > 50
    assert '<div class="wide"><table>' in pages["configuration"]
    assert "<script" not in "".join(pages.values())


async def test_a_guide_that_does_not_exist_is_not_found(client: httpx.AsyncClient) -> None:
    for name in ("nothing", "..%2FREADME", "decisions"):
        assert code(await client.get(f"/guides/{name}")) == "404 route-not-found"


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("/docs/", "/docs"),
        ("/redoc/", "/redoc"),
        ("/problems/", "/problems"),
        ("/guides/", "/guides"),
    ],
)
async def test_a_path_that_people_type_leads_to_its_page(
    client: httpx.AsyncClient, path: str, target: str
) -> None:
    answer = await client.get(path)
    assert answer.status_code == 308
    assert answer.url.join(answer.headers["location"]).path == target
    page = await client.get(target, headers={"Accept": BROWSER})
    assert page.status_code == 200


async def test_the_list_of_problems_links_to_a_page_for_each(client: httpx.AsyncClient) -> None:
    page = await client.get("/problems")
    assert re.findall(r'href="/problems/(.*?)"', page.text) == sorted(
        PROBLEMS, key=lambda each: (PROBLEMS[each].status, each)
    )


@pytest.mark.long
@pytest.mark.parametrize(
    "path",
    ["/", "/docs", "/redoc", "/problems", "/problems/vault-locked", "/guides", "/guides/api"],
)
async def test_pages_load_nothing_from_other_hosts(client: httpx.AsyncClient, path: str) -> None:
    page = await client.get(path, headers={"Accept": BROWSER})
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    assets = [
        each
        for each in re.findall(r'(?:src|href)="([^"#]*)', page.text)
        if each and not each.startswith("https://")  # a link that a reader may follow
    ]
    assert len(assets) >= 3
    for asset in assets:
        assert re.match(r"/(?!/)", asset), asset
        answer = await client.get(asset)
        assert answer.status_code == 200, asset
        assert answer.content
    assert not re.search(r'(?:src=|<link[^>]*href=)"(?:https?:)?//', page.text)
    # This policy blocks inline scripts and styles.
    policy = page.headers["content-security-policy"]
    assert "script-src 'self'" in policy
    allowed = " 'unsafe-inline'" if path == "/redoc" else ""  # for styles
    assert f"style-src 'self'{allowed};" in policy
    assert not re.search(r"https?:|\*|unsafe", policy.replace(allowed, ""))
    assert not re.search(r"<script>|<style|\sstyle=|\son\w+=", page.text)


async def test_the_docs_load_the_document_of_the_service(client: httpx.AsyncClient) -> None:
    page = await client.get("/docs")
    assert f'<div id="docs" data-openapi="{API}/openapi.json">' in page.text
    script = await client.get("/docs/assets/docs.js")
    assert script.status_code == 200
    assert "javascript" in script.headers["content-type"]
    assert 'url: document.getElementById("docs").dataset.openapi' in script.text


async def test_every_problem_has_a_page(client: httpx.AsyncClient) -> None:
    for problem, kind in PROBLEMS.items():
        page = await client.get(f"/problems/{problem}")
        assert page.status_code == 200
        assert page.headers["content-type"].startswith("text/html")
        assert f"<code>{problem}</code>" in page.text
        assert f"<strong>{kind.status} " in page.text
        assert f"<h1>{escape(kind.title)}</h1>" in page.text
        assert escape(kind.remedy.partition("`")[0]) in page.text
        assert '<a href="/docs">' in page.text
        assert "`" not in page.text
    for unknown in ("nothing", "VAULT-LOCKED", "vault-locked%00", "%3Cscript%3E"):
        answer = await client.get(f"/problems/{unknown}")
        assert code(answer) == "404 route-not-found"
        assert "<script>" not in answer.text


@pytest.mark.long
async def test_the_document_is_openapi_3_1_and_describes_every_operation(
    client: httpx.AsyncClient,
) -> None:
    document = await _document(client)
    assert document["openapi"].startswith("3.1.")
    operations = _operations(document)
    assert set(operations) >= {
        f"POST {API}/auth/token",
        f"POST {API}/api-tokens",
        f"GET {API}/api-tokens",
        f"DELETE {API}/api-tokens/{{api_token_id}}",
        f"POST {API}/user-profiles",
        f"GET {API}/user-profiles/me",
        f"GET {API}/user-profiles/{{user_profile_id}}",
        f"PATCH {API}/user-profiles/{{user_profile_id}}",
        f"DELETE {API}/user-profiles/{{user_profile_id}}",
        f"POST {API}/user-profiles/{{user_profile_id}}/workspaces",
        f"GET {API}/user-profiles/{{user_profile_id}}/workspaces",
        f"GET {API}/workspaces/{{workspace_id}}",
        f"PATCH {API}/workspaces/{{workspace_id}}",
        f"DELETE {API}/workspaces/{{workspace_id}}",
        f"GET {API}/workspaces/{{workspace_id}}/stats",
        f"POST {API}/workspaces/{{workspace_id}}/repos",
        f"GET {API}/workspaces/{{workspace_id}}/repos",
        f"GET {API}/repos/{{repo_id}}",
        f"PATCH {API}/repos/{{repo_id}}",
        f"DELETE {API}/repos/{{repo_id}}",
        f"POST {API}/workspaces/{{workspace_id}}/vaults",
        f"GET {API}/workspaces/{{workspace_id}}/vaults",
        f"GET {API}/vaults/{{vault_id}}",
        f"PATCH {API}/vaults/{{vault_id}}",
        f"DELETE {API}/vaults/{{vault_id}}",
        f"POST {API}/vaults/{{vault_id}}/lock",
        f"POST {API}/vaults/{{vault_id}}/unlock",
    }
    for name, operation in operations.items():
        for member in ("summary", "description", "operationId", "tags"):
            assert operation.get(member), f"{name} has no {member}"
    ids = [operation["operationId"] for operation in operations.values()]
    assert len(set(ids)) == len(ids)


@pytest.mark.long
async def test_every_operation_documents_its_errors_as_problems(client: httpx.AsyncClient) -> None:
    document = await _document(client)
    assert "Problem" in document["components"]["schemas"]
    for name, operation in _operations(document).items():
        if API not in name:
            continue
        errors = {
            status: answer for status, answer in operation["responses"].items() if status >= "400"
        }
        for status, answer in errors.items():
            assert set(answer["content"]) == {"application/problem+json"}, (name, status)
        if "POST /api/v1/auth/token" not in name and name != f"POST {API}/user-profiles":
            assert "401" in errors, name
        if "{" in name:
            assert {"404", "422"} <= set(errors), name
        if "requestBody" in operation:
            assert {"400", "413", "415", "422"} <= set(errors), name


@pytest.mark.long
async def test_every_reference_in_the_document_exists(client: httpx.AsyncClient) -> None:
    document = await _document(client)
    references = set(re.findall(r"'\$ref': '#/([^']*)'", str(document)))
    assert references
    for reference in references:
        place: Any = document
        for step in reference.split("/"):
            place = place[step]


@pytest.mark.long
async def test_all_responses_have_security_headers(ada: User) -> None:
    workspace = await ada.workspace()
    for answer in (
        await ada.client.get("/"),
        await ada.client.get("/docs"),
        await ada.client.get("/docs/assets/docs.js"),
        await ada.client.get("/docs/assets/swagger-ui.css"),
        await ada.client.get("/health/live"),
        await ada.client.get("/health/ready"),
        await ada.client.get("/problems/vault-locked"),
        await ada.client.get(f"{API}/openapi.json"),
        await ada.client.get("/nothing"),
        await ada.client.delete("/"),
        await ada.client.get(f"{API}/user-profiles/me"),
        await ada.get("/user-profiles/me"),
        await ada.get("/user-profiles/me", headers={"If-None-Match": "*"}),
        await ada.get("/workspaces/x"),
        await ada.post("/api-tokens", {"name": "laptop", "scopes": ["read"]}),
        await ada.delete(f"/workspaces/{workspace['id']}"),
    ):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["cache-control"]
        assert answer.headers["x-request-id"]
        assert "server" not in answer.headers
        assert "access-control-allow-origin" not in answer.headers
