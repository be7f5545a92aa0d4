"""The pages in a real browser, below a path of a proxy that keeps it in the requests."""

from collections.abc import AsyncGenerator

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from tests.browser.conftest import CHROMIUM
from tests.support.api import API, PASSWORD
from tests.support.prerequisites import missing
from tests.support.server import Server, running_server

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.xdist_group("browser"),
]
PREFIX = "/symphony"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Server]:
    if CHROMIUM is None:
        missing("chromium is not on the path: apt-get install chromium")
    data = tmp_path_factory.mktemp("browser") / "data"
    async with running_server(data, "--root-path", PREFIX) as server:
        yield server


async def test_a_reader_signs_in_and_sends_requests_below_the_prefix(
    page: Page, server: Server
) -> None:
    requested: list[str] = []
    page.on("request", lambda request: requested.append(request.url))
    body = {"username": "ada", "email": "ada@example.org", "password": PASSWORD}
    async with server.client() as client:
        assert (await client.post(f"{API}/user-profiles", json=body)).status_code == 201
    await page.goto(PREFIX)  # the application, which knows where it is
    await page.get_by_label("User name or e-mail address").fill("ada")
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Sign in", exact=True).click()
    await expect(page.get_by_role("heading", name="How to begin")).to_be_visible()
    # This service inspects nothing, so there is no folder to import.
    await expect(page.get_by_role("button", name="Add repos")).to_be_visible()
    await expect(page.get_by_text("symphony report --root ~/dev")).to_be_visible()
    await page.get_by_role("link", name="Help").click()
    await expect(page.get_by_role("main").get_by_role("code")).to_have_text(server.address + PREFIX)
    await page.get_by_role("link", name="API documentation, to try in the browser").click()
    await expect(page.locator(".opblock").first).to_be_visible()
    await page.get_by_role("button", name="Authorize").click()
    dialog = page.locator(".dialog-ux")
    await dialog.get_by_label("username:").fill("ada")
    await dialog.get_by_label("password:").fill(PASSWORD)
    await dialog.get_by_role("button", name="Apply given OAuth2 credentials").click()
    await expect(dialog.get_by_text("Authorized", exact=True)).to_be_visible()
    await dialog.locator(".close-modal").click()
    path = page.locator(f"[data-path='{API}/user-profiles/me']")
    block = page.locator(".opblock", has=path)
    await block.locator(".opblock-summary-control").click()
    await block.get_by_role("button", name="Try it out").click()
    await block.get_by_role("button", name="Execute").click()
    answer = block.locator(".live-responses-table .response")
    await expect(answer.locator(".response-col_status")).to_contain_text("200")
    prefix = f"{server.address}{PREFIX}"
    assert {f"{prefix}{API}/auth/token", f"{prefix}{API}/user-profiles/me"} <= set(requested)
    assert [url for url in requested if not url.startswith((prefix, "data:"))] == []
