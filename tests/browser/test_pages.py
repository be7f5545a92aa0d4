"""The pages of the service in a real browser that has no other network.

The browser resolves no host but 127.0.0.1. A request to another host, or a message in the console,
fails the test (`page` in conftest.py).
"""

import json
from typing import Any, Literal

import httpx
import pytest
from playwright.async_api import Locator, Page, expect

from tests.support.api import API, PASSWORD, sign_up

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.xdist_group("browser"),  # all tests share one server and one browser
]

COLOURS: tuple[Literal["light", "dark"], ...] = ("light", "dark")
READABLE = 4.5  # contrast of text, WCAG 2.2, success criterion 1.4.3
# The relative luminance (WCAG 2.2) of the text of an element and of its background.
LUMINANCES = """element => {
  const luminance = colour => {
    const [red, green, blue] = colour.match(/[0-9.]+/g).map(value => {
      const part = value / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const clear = colour => colour === "rgba(0, 0, 0, 0)";
  const ground = place => {
    const colour = getComputedStyle(place).backgroundColor;
    if (!clear(colour)) return colour;
    return place.parentElement ? ground(place.parentElement) : "rgb(255, 255, 255)";
  };
  return [luminance(getComputedStyle(element).color), luminance(ground(element))];
}"""


async def test_the_docs_show_every_operation_under_its_tag(
    page: Page, client: httpx.AsyncClient
) -> None:
    document = (await client.get(f"{API}/openapi.json")).json()
    described: dict[str, set[str]] = {}
    for operations in document["paths"].values():
        for operation in operations.values():
            for tag in operation["tags"]:
                described.setdefault(tag, set()).add(operation["operationId"])
    assert sum(map(len, described.values())) > 25

    await _open_docs(page)
    shown: dict[str, set[str]] = {}
    for section in await page.locator(".opblock-tag-section").all():
        tag = await section.locator("[data-tag]").get_attribute("data-tag") or ""
        before = f"operations-{tag.replace(' ', '_')}-"
        blocks = await section.locator(".opblock:visible").all()
        shown[tag] = {
            (await each.get_attribute("id") or "").removeprefix(before) for each in blocks
        }
    assert shown == described


async def test_a_reader_signs_in_and_tries_operations(
    page: Page, client: httpx.AsyncClient
) -> None:
    ada = await sign_up(client, "ada")
    await _open_docs(page)
    await page.get_by_role("button", name="Authorize").click()
    dialog = page.locator(".dialog-ux")
    # Only user name and password, and separately a token.
    fields = dialog.locator("input:visible, select:visible")
    assert await fields.evaluate_all("fields => fields.map(field => field.id)") == [
        "oauth_username",
        "oauth_password",
        "auth-bearer-value",
    ]
    await expect(dialog.get_by_label("username:")).to_be_focused()
    await page.keyboard.type(ada.name)
    await dialog.get_by_label("password:").fill(PASSWORD)
    await dialog.get_by_role("button", name="Apply given OAuth2 credentials").click()
    await expect(dialog.get_by_text("Authorized", exact=True)).to_be_visible()
    await dialog.locator(".close-modal").click()

    status, profile = await _execute(await _to_try(page, "get", "/user-profiles/me"))
    assert (status, profile["username"]) == ("200", ada.name)

    creation = await _to_try(page, "post", "/user-profiles/{user_profile_id}/workspaces")
    await creation.get_by_placeholder("user_profile_id").fill(ada.id)
    status, workspace = await _execute(creation)  # with the example as the body
    assert status == "201"
    assert (await ada.get(f"/workspaces/{workspace['id']}")).json() == workspace

    listing = await _to_try(page, "get", "/user-profiles/{user_profile_id}/workspaces")
    await listing.get_by_placeholder("user_profile_id").fill(ada.id)
    status, listed = await _execute(listing)  # with the required fields only
    assert (status, listed["items"]) == ("200", [workspace])


async def test_a_reader_can_use_an_api_token(page: Page, client: httpx.AsyncClient) -> None:
    eve = await sign_up(client, "eve")
    await _open_docs(page)
    await page.get_by_role("button", name="Authorize").click()
    dialog = page.locator(".dialog-ux")
    await dialog.get_by_label("auth-bearer-value").fill((await eve.api_token("read"))["token"])
    await dialog.get_by_role("button", name="Apply credentials").click()
    await dialog.locator(".close-modal").click()
    status, profile = await _execute(await _to_try(page, "get", "/user-profiles/me"))
    assert (status, profile["username"]) == ("200", eve.name)


async def test_the_boxes_of_inline_code_do_not_cover_the_line_above(page: Page) -> None:
    await page.set_viewport_size({"width": 390, "height": 800})
    await _open_docs(page)
    boxes = await page.locator(".info .renderedMarkdown code").evaluate_all(
        """codes => codes.map(code => [
          code.getClientRects()[0].height,
          parseFloat(getComputedStyle(code.closest("p")).lineHeight),
        ])"""
    )
    assert len(boxes) > 10
    assert all(height <= line for height, line in boxes)


async def test_descriptions_use_the_width_of_a_phone(page: Page) -> None:
    await page.set_viewport_size({"width": 390, "height": 800})
    block = await _open_operation(page, "get", "/workspaces/{workspace_id}/repos")
    for place in (".parameters-col_description", ".response-col_description"):
        description = block.locator(f"tbody td{place}").first
        await expect(description).to_be_visible()
        width = await description.evaluate("cell => cell.getBoundingClientRect().width")
        assert width >= 250, place


async def test_the_list_of_problems_fits_on_a_phone(page: Page) -> None:
    await page.set_viewport_size({"width": 390, "height": 800})
    await page.goto("/problems")
    hidden = await page.locator(".wide").evaluate("table => table.scrollWidth - table.clientWidth")
    assert hidden == 0


async def test_errors_are_one_line_each_until_they_are_opened(page: Page) -> None:
    block = await _open_operation(page, "get", "/workspaces/{workspace_id}/repos")
    assert await block.locator(".responses-table .response").count() == 1
    error = block.get_by_role("button", name="workspace-not-found")
    await expect(error).to_have_attribute("aria-expanded", "false")
    await error.click()
    example = block.locator(".responses-table .response[data-code='404'] pre.example")
    await expect(example).to_contain_text('"code": "workspace-not-found"')
    await expect(example).to_contain_text("/repos")
    await error.click()
    assert await block.locator(".responses-table .response").count() == 1


async def test_the_reference_shows_and_finds_operations(page: Page) -> None:
    await page.goto("/redoc")
    menu = page.locator(".menu-content")
    await expect(menu.get_by_text("vault entries")).to_be_visible()
    await expect(page.get_by_role("heading", name="Create a repo")).to_be_attached()
    await page.get_by_placeholder("Search").fill("passphrase")
    await expect(page.locator("[data-role='search:results'] li").first).to_be_visible()


async def test_the_list_of_guides_links_to_them(page: Page) -> None:
    await page.goto("/guides")
    await page.get_by_role("link", name="Getting started").click()
    await expect(page).to_have_title("Getting started · Symphony")
    await page.get_by_role("main").get_by_role("link", name="configuration").first.click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Configuration")


async def test_the_docs_follow_the_color_scheme(page: Page) -> None:
    await _open_docs(page)
    for colours in reversed(COLOURS):
        await page.emulate_media(color_scheme=colours)
        await expect(page.locator("html")).to_have_class("dark-mode" if colours == "dark" else "")
        words, ground = await page.locator(".info p").first.evaluate(LUMINANCES)
        assert (words > ground) == (colours == "dark")


async def test_the_type_of_a_problem_is_a_page_that_explains_it(
    page: Page, client: httpx.AsyncClient
) -> None:
    problem = (await client.get(f"{API}/user-profiles/me")).json()
    await page.goto(problem["type"])
    await expect(page).to_have_title(f"{problem['title']} · Symphony")
    await expect(page.get_by_role("heading", level=1)).to_have_text(problem["title"])
    text = await page.get_by_role("main").inner_text()
    assert f"{problem['status']} Unauthorized" in text
    assert problem["code"] in text
    await _follow_to_the_docs(page)


async def test_the_list_of_guides_links_to_the_docs(page: Page) -> None:
    await page.goto("/guides")
    await expect(page).to_have_title("Guides · Symphony")
    await _follow_to_the_docs(page)


@pytest.mark.parametrize(
    "path", ["/guides", "/problems", "/problems/unsupported-media-type", "/guides/vaults"]
)
async def test_own_pages_have_enough_contrast(page: Page, path: str) -> None:
    await page.set_viewport_size({"width": 320, "height": 640})  # a small phone
    await page.goto(path)
    assert await page.evaluate("document.documentElement.lang") == "en"
    assert await page.evaluate("document.documentElement.scrollWidth") == 320
    elements = await page.get_by_role("main").locator("*").all()
    assert len(elements) > 5
    for colours in COLOURS:
        await page.emulate_media(color_scheme=colours)
        for element in elements:
            words, ground = await element.evaluate(LUMINANCES)
            assert (words > ground) == (colours == "dark")
            assert (max(words, ground) + 0.05) / (min(words, ground) + 0.05) >= READABLE


async def _open_operation(page: Page, method: str, path: str) -> Locator:
    await _open_docs(page)
    heading = page.locator(
        f".opblock-summary-{method}", has=page.locator(f"[data-path='{API}{path}']")
    )
    await heading.locator(".opblock-summary-control").click()
    return page.locator(".opblock", has=heading)


async def _open_docs(page: Page) -> None:
    await page.goto("/docs")
    await expect(page).to_have_title("Symphony API")
    await expect(page.locator(".opblock").first).to_be_visible()


async def _follow_to_the_docs(page: Page) -> None:
    await page.get_by_role("link", name="API documentation").first.click()
    await expect(page.locator(".opblock").first).to_be_visible()
    assert page.url.endswith("/docs")


async def _to_try(page: Page, method: str, path: str) -> Locator:
    """The opened block of an operation with editable fields."""
    heading = page.locator(
        f".opblock-summary-{method}", has=page.locator(f"[data-path='{API}{path}']")
    )
    block = page.locator(".opblock", has=heading)
    await heading.locator(".opblock-summary-control").click()
    await block.get_by_role("button", name="Try it out").click()
    return block


async def _execute(block: Locator) -> tuple[str, dict[str, Any]]:
    """The status and body of the response on the page."""
    await block.get_by_role("button", name="Execute").click()
    answer = block.locator(".live-responses-table .response")
    status = await answer.locator(".response-col_status").inner_text()
    body = await answer.locator(".highlight-code pre").first.inner_text()
    return status.strip(), json.loads(body)
