"""Signing in, up and out, with passwords and API tokens, and when a sign-in expires."""

import re
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from playwright.async_api import BrowserContext, Page, expect

from scripts.support.git_repository import Repository
from tests.browser.web.steps import dialog, open_page, press, press_in_dialog, sign_in
from tests.support.api import PASSWORD, User
from tests.support.server import running_server

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.xdist_group("browser"),
]
NEW_PASSWORD = "a staple, a battery and a horse"


async def test_a_new_reader_signs_up_and_finds_out_how_to_begin(
    page: Page, names: Callable[[], str], root: Path, refusals: set[int]
) -> None:
    refusals.add(422)
    await page.goto("/")
    await press(page, "Create an account")
    name = page.get_by_label("User name")
    password = page.get_by_label("Password")
    # What password managers need.
    assert await name.get_attribute("autocomplete") == "username"
    assert await password.get_attribute("autocomplete") == "new-password"
    assert await password.evaluate("input => input.form.method") == "post"

    email = page.get_by_label("E-mail address")
    await name.fill("a")
    await password.fill("short")
    await press(page, "Create an account")
    await expect(email).to_be_focused()
    await expect(email).to_have_accessible_description(re.compile("E-mail address is required.$"))
    await email.fill("not an address")
    await press(page, "Create an account")
    await expect(name).to_have_accessible_description(
        "3 to 64 letters, digits and _, a letter first. Must have 3 to 64 ASCII letters, digits"
        " or _, and start with a letter."
    )
    await expect(name).to_be_focused()
    await expect(name).to_have_attribute("aria-invalid", "true")
    await expect(name).to_have_value("a")
    await expect(password).to_have_value("short")

    reader = names()
    await name.fill(reader)
    await email.fill(f"{reader}@example.org")
    await password.fill(PASSWORD)
    await press(page, "Create an account")
    await expect(page.get_by_role("heading", name="How to begin")).to_be_visible()
    await expect(page.get_by_label("Folder")).to_be_focused()
    await expect(page.get_by_role("banner")).to_contain_text(reader)
    await expect(page.get_by_role("button", name="Refresh")).not_to_have_attribute(
        "aria-disabled", "true"
    )
    await expect(page.locator(".board-status")).to_be_empty()  # nothing was observed
    steps = page.locator(".first-steps")
    await expect(steps.locator(".command").first).to_be_hidden()
    await page.get_by_text("Only for other computers").click()
    assert await steps.locator(".command code").all_inner_texts() == [
        f"symphony login {page.url.partition('/#')[0]}",
        "symphony import ~/dev",
        "symphony report --root ~/dev",
    ]
    # The first step creates what it needs.
    Repository.with_commits(root / reader / "engine", "first")
    await page.get_by_label("Folder").fill("/etc")
    await page.keyboard.press("Enter")
    await expect(page.get_by_label("Folder")).to_have_attribute("aria-invalid", "true")
    await page.get_by_label("Folder").fill(str(root / reader))
    await page.keyboard.press("Enter")
    await press(page, "Import 1 repo")
    await expect(page.locator(".item h3")).to_have_text("engine")
    await expect(page.get_by_role("heading", name="How to begin")).to_be_hidden()
    await open_page(page, "#/workspaces", "Workspaces")
    await expect(page.locator(".cards h2")).to_have_text(["Projects"])


async def test_the_address_of_the_sign_up_leads_to_the_form(
    page: Page, names: Callable[[], str]
) -> None:
    reader = names()
    await page.goto("/#/sign-up")
    await expect(page.get_by_role("heading", name="Create an account")).to_be_visible()
    await expect(page.get_by_label("User name")).to_be_focused()
    for text in (reader, f"{reader}@example.org", PASSWORD):
        await page.keyboard.type(text)
        if text != PASSWORD:
            await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", level=1, name="Board")).to_be_visible()
    assert page.url.endswith("#/board")


async def test_a_password_can_be_shown_until_the_form_is_sent(
    page: Page, ada: User, refusals: set[int]
) -> None:
    refusals.add(401)
    await page.goto("/")
    await page.get_by_label("User name or e-mail address").fill(ada.name)
    password = page.get_by_label("Password")
    show = page.get_by_role("button", name="Show")
    await expect(show).to_have_accessible_description("Password")
    await password.fill("wrong password")
    await expect(show).to_have_attribute("aria-pressed", "false")
    await show.click()
    await expect(show).to_have_attribute("aria-pressed", "true")
    await expect(password).to_have_attribute("type", "text")
    # What is shown goes to no spelling service, and stays a password for password managers.
    await expect(password).to_have_attribute("spellcheck", "false")
    await expect(password).to_have_attribute("autocomplete", "current-password")
    await password.press("Enter")
    await expect(page.get_by_role("alert")).to_have_text("The user name or the password is wrong.")
    await expect(password).to_have_attribute("type", "password")
    await expect(show).to_have_attribute("aria-pressed", "false")
    await expect(password).to_have_value("wrong password")


async def test_a_taken_name_is_said_at_its_field(page: Page, ada: User, refusals: set[int]) -> None:
    refusals.add(409)
    await page.goto("/")
    await press(page, "Create an account")
    name = page.get_by_label("User name")
    await name.fill(ada.name.upper())
    await page.get_by_label("E-mail address").fill("other@example.org")
    await page.get_by_label("Password").fill(PASSWORD)
    await press(page, "Create an account")
    await expect(name).to_be_focused()
    await expect(name).to_have_attribute("aria-invalid", "true")


async def test_a_wrong_password_says_so_and_keeps_what_was_typed(
    page: Page, ada: User, refusals: set[int]
) -> None:
    refusals.add(401)
    await page.goto("/")
    await page.get_by_label("User name or e-mail address").fill(ada.name)
    await page.get_by_label("Password").fill("wrong password")
    await press(page, "Sign in")
    await expect(page.get_by_role("alert")).to_have_text("The user name or the password is wrong.")
    await expect(page.get_by_label("User name or e-mail address")).to_have_value(ada.name)


async def test_a_service_without_sign_ups_offers_none(
    context: BrowserContext, tmp_path: Path
) -> None:
    async with (
        running_server(tmp_path / "data", REGISTRATION="closed") as closed,
        await context.browser.new_context(base_url=closed.address) as readers,  # pyright: ignore[reportOptionalMemberAccess]
    ):
        page = await readers.new_page()
        async with page.expect_response(lambda answer: answer.request.resource_type == "fetch"):
            await page.goto("/")
        await expect(page.get_by_role("button", name="Sign in", exact=True)).to_be_visible()
        await expect(page.get_by_role("button", name="Create an account")).to_be_hidden()
        other = await readers.new_page()
        async with other.expect_response(lambda answer: answer.request.resource_type == "fetch"):
            await other.goto("/#/sign-up")
        await expect(other.get_by_role("heading", level=1, name="Sign in")).to_be_visible()
        await expect(other.get_by_role("button", name="Create an account")).to_be_hidden()


async def test_no_token_or_password_is_in_the_address_or_in_any_storage(
    page: Page, ada: User
) -> None:
    await sign_in(page, ada)
    kept = await page.evaluate(
        """async () => JSON.stringify([
          location.href, {...localStorage}, {...sessionStorage}, document.cookie,
          await indexedDB.databases(), await caches.keys(), history.state, window.name,
        ])"""
    )
    assert "eyJ" not in kept
    assert PASSWORD not in kept
    assert '{},{},"",[],[],null,""' in kept
    assert PASSWORD not in await page.content()


async def test_signing_out_leaves_nothing_on_the_page(page: Page, ada: User) -> None:
    workspace = await ada.workspace("Confidential")
    await sign_in(page, ada, f"/#/workspaces/{workspace['id']}")
    await expect(page.get_by_role("heading", name="Confidential")).to_be_visible()
    await open_page(page, "#/help", "Help")
    await press(page, "Sign out")
    await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    await page.go_back()
    await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    assert "Confidential" not in await page.content()


async def test_the_address_survives_the_sign_in(page: Page, ada: User) -> None:
    workspace = await ada.workspace("Thesis")
    await sign_in(page, ada, f"/#/workspaces/{workspace['id']}")
    await expect(page.get_by_role("heading", level=1, name="Thesis")).to_be_visible()


async def _expire(client: httpx.AsyncClient, ada: User) -> None:
    """End all access tokens of a user at once, as an expiry does."""
    change = {"password": NEW_PASSWORD, "current_password": PASSWORD}
    assert (await ada.patch(f"/user-profiles/{ada.id}", change)).status_code == 200


async def test_an_expiry_in_the_middle_of_typing_loses_nothing(
    page: Page, client: httpx.AsyncClient, ada: User, refusals: set[int]
) -> None:
    refusals.add(401)
    await sign_in(page, ada, "/#/workspaces")
    await press(page, "Create workspace")
    form = dialog(page)
    await form.get_by_label("Name").fill("Thesis")
    await form.get_by_label("Description").fill("Typed for an hour")
    await _expire(client, ada)
    await press_in_dialog(page, "Create workspace")

    again = page.get_by_role("dialog", name="Sign in again")
    await expect(again.get_by_label("User name")).to_have_value(ada.name)
    await expect(again.get_by_label("Password")).to_be_focused()
    await again.get_by_label("Password").fill("wrong password")
    await again.get_by_role("button", name="Sign in").click()
    await expect(again.get_by_role("alert")).to_contain_text("password is wrong")
    await again.get_by_label("Password").fill(NEW_PASSWORD)
    await again.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("heading", level=1, name="Thesis")).to_be_visible()
    await expect(page.get_by_text("Typed for an hour")).to_be_visible()


async def test_a_reader_who_does_not_sign_in_again_keeps_the_form(
    page: Page, client: httpx.AsyncClient, ada: User, refusals: set[int]
) -> None:
    refusals.add(401)
    await sign_in(page, ada, "/#/workspaces")
    await press(page, "Create workspace")
    await dialog(page).get_by_label("Name").fill("Thesis")
    await _expire(client, ada)
    await press_in_dialog(page, "Create workspace")
    await expect(page.get_by_role("dialog", name="Sign in again")).to_be_visible()
    await page.keyboard.press("Escape")
    form = page.get_by_role("dialog", name="Create workspace")
    await expect(form.get_by_role("alert")).to_contain_text("You are signed out.")
    await expect(form.get_by_label("Name")).to_have_value("Thesis")


async def _sign_in_with_token(page: Page, token: str) -> None:
    await page.goto("/")
    await press(page, "Use an API token instead")
    await page.get_by_label("API token").fill(token)
    await press(page, "Sign in")


async def test_a_token_that_only_reads_shows_no_buttons_that_change_something(
    page: Page, ada: User
) -> None:
    await ada.workspace("Thesis")
    await _sign_in_with_token(page, (await ada.api_token("read"))["token"])
    await expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    await open_page(page, "#/workspaces", "Workspaces")
    await page.get_by_role("link", name="Thesis").click()
    await expect(page.get_by_role("heading", level=1, name="Thesis")).to_be_visible()
    await expect(page.get_by_role("main").get_by_role("button")).to_have_count(0)


async def test_a_confined_token_shows_its_workspaces_and_no_machines(page: Page, ada: User) -> None:
    inside = await ada.workspace("Inside")
    await ada.workspace("Outside")
    token = await ada.api_token("read", "write", workspace_ids=[inside["id"]])
    await _sign_in_with_token(page, token["token"])
    await expect(page.get_by_role("heading", level=1, name="Board")).to_be_visible()
    await open_page(page, "#/workspaces", "Workspaces")
    await expect(page.get_by_role("main").get_by_role("link")).to_have_text(["Inside"])
    await expect(page.get_by_role("button", name="Create workspace")).to_have_count(0)
    await expect(page.get_by_role("navigation").get_by_role("link")).to_have_text(
        ["Board", "Workspaces", "Vaults"]
    )


async def test_a_token_that_cannot_read_and_an_invalid_one_are_refused_with_a_reason(
    page: Page, ada: User, refusals: set[int]
) -> None:
    refusals.add(401)
    machine = await ada.machine()
    token = (await ada.api_token("report", machine_id=machine["id"]))["token"]
    await _sign_in_with_token(page, token)
    await expect(page.get_by_role("alert")).to_contain_text("This token cannot read.")
    await page.get_by_label("API token").fill("sym_nothing")
    await press(page, "Sign in")
    await expect(page.get_by_role("alert")).to_contain_text("not valid")
