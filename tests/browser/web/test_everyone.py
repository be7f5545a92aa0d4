"""The application for everyone: screen readers, keyboards, phones, dark rooms.

Each page and dialog is checked with axe-core in both themes, and on a phone for its width.
"""

import re
from pathlib import Path
from typing import Literal

import pytest
import pytest_asyncio
from playwright.async_api import BrowserContext, Page, expect

from scripts.support.git_repository import Repository
from tests.browser.web.axe import violations
from tests.browser.web.steps import dialog, open_page, press, sign_in
from tests.support.api import PASSWORD, User
from tests.support.machines.reports import checkout_body, put_report, report_body

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.xdist_group("browser"),
]
THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
WIDTHS = (320, 390, 1400, 2560)


async def _check(page: Page, name: str) -> None:
    for theme in THEMES:
        await page.emulate_media(color_scheme=theme)
        assert await violations(page) == [], (name, theme)
    for width in WIDTHS:
        await page.set_viewport_size({"width": width, "height": 900})
        assert await page.evaluate("document.documentElement.scrollWidth") == width, (name, width)
    await page.set_viewport_size({"width": 1280, "height": 720})


async def test_the_check_finds_a_field_without_a_label(page: Page) -> None:
    await page.goto("/")
    await expect(page.get_by_label("Password")).to_be_visible()
    await page.evaluate("document.querySelector('label').remove()")
    found = await violations(page)
    assert [each for each in found if each.startswith("label:")], found


async def test_the_pages_before_the_sign_in_have_no_violations(page: Page) -> None:
    await page.goto("/")
    await expect(page.get_by_role("button", name="Create an account")).to_be_visible()
    await _check(page, "sign in")
    await press(page, "Create an account")
    await _check(page, "sign up")
    await press(page, "Sign in")
    await press(page, "Use an API token instead")
    await _check(page, "token")


@pytest_asyncio.fixture(loop_scope="module")
async def world(ada: User, root: Path) -> dict[str, str]:
    """A user with one of everything; returns the ids."""
    directory = root / ada.name / "a directory with a long name" / ("engine-" * 12)
    Repository.with_commits(directory, "first").write("notes")
    workspace = await ada.workspace("Thesis", description="For the degree,\nuntil summer.")
    repo = await ada.repo(
        workspace["id"], path=str(directory), remote_url="https://git.example.org/ada/engine.git"
    )
    vault = await ada.vault(workspace["id"])
    filled = await ada.vault(workspace["id"], "filled")
    entry = await ada.put(f"/vaults/{filled['id']}/entries/key", {"content": "secret"})
    assert entry.status_code == 201
    locked = await ada.vault(
        workspace["id"], "locked", protection="passphrase", passphrase=PASSWORD
    )
    machine = await ada.machine()
    other = checkout_body("/home/ada/dev/other", remotes=[], root_commits=[])
    report = report_body(
        other, checkout_body(status={"state": "dirty", "modified": 2, "at_risk": True})
    )
    assert (await put_report(ada, machine["id"], report)).status_code == 200
    await ada.api_token("read", name="report")
    return {
        "workspace": workspace["id"],
        "repo": repo["id"],
        "vault": vault["id"],
        "filled": filled["id"],
        "locked": locked["id"],
        "machine": machine["id"],
    }


async def test_no_page_has_a_violation_or_is_wider_than_a_phone(
    page: Page, ada: User, world: dict[str, str]
) -> None:
    await sign_in(page, ada)
    await expect(page.locator(".item")).not_to_have_count(0)
    await expect(page.get_by_text("Inspecting every repository")).to_be_hidden()
    await _check(page, "board")
    workspace = f"#/workspaces/{world['workspace']}"
    for address, heading in (
        ("#/workspaces", "Workspaces"),
        (workspace, "Thesis"),
        (f"{workspace}/import", "Import a folder"),
        ("#/vaults", "Vaults"),
        ("#/machines", "Machines"),
        (f"#/machines/{world['machine']}", "laptop"),
        (f"#/vaults/{world['vault']}", "keys"),
        ("#/tokens", "API tokens"),
        ("#/profile", "Profile"),
        ("#/help", "Help"),
        ("#/nothing", "No such page"),
    ):
        await open_page(page, address, heading)
        await _check(page, address)
    await open_page(page, f"#/repos/{world['repo']}", "engine")
    await press(page, "Check")
    await expect(page.get_by_text("No. Something would be lost")).to_be_visible()
    await expect(page.get_by_role("main").locator(".loading")).to_have_count(0)
    await _check(page, "repo")


async def test_no_page_of_a_reader_without_anything_has_a_violation(page: Page, ada: User) -> None:
    await sign_in(page, ada)
    await expect(page.get_by_role("heading", name="How to begin")).to_be_visible()
    await _check(page, "how to begin")
    for address, heading, text in (
        ("#/workspaces", "Workspaces", "You have no workspace yet."),
        ("#/vaults", "Vaults", "Your first vault"),
    ):
        await open_page(page, address, heading)
        await expect(page.get_by_text(text)).to_be_visible()
        await _check(page, address)


async def test_no_dialog_has_a_violation(page: Page, ada: User, world: dict[str, str]) -> None:
    await sign_in(page, ada, "/#/help")
    for address, heading, button in (
        ("#/workspaces", "Workspaces", "Create workspace"),
        (f"#/workspaces/{world['workspace']}", "Thesis", "Edit"),
        (f"#/workspaces/{world['workspace']}", "Thesis", "Delete"),
        (f"#/repos/{world['repo']}", "engine", "Edit"),
        (f"#/workspaces/{world['workspace']}", "Thesis", "Add vault"),
        ("#/vaults", "Vaults", "Add vault"),
        (f"#/vaults/{world['filled']}", "filled", "Add entry"),
        (f"#/vaults/{world['vault']}", "keys", "Upload file"),
        (f"#/vaults/{world['locked']}", "locked", "Change passphrase"),
        ("#/machines", "Machines", "New token: laptop"),
        ("#/tokens", "API tokens", "Create token"),
        ("#/tokens", "API tokens", "Rotate: report"),
        ("#/profile", "Profile", "Edit"),
        ("#/profile", "Profile", "Edit preferences"),
        ("#/profile", "Profile", "Change password"),
    ):
        await open_page(page, address, heading)
        await press(page, button)
        await expect(dialog(page)).to_be_visible()
        await _check(page, f"{address} {button}")
        done = dialog(page).get_by_role("button", name="I have copied it")
        if await done.count():
            await done.click()  # a token that is shown once is not lost by a key
        else:
            await page.keyboard.press("Escape")
        await expect(page.locator("dialog")).to_have_count(0)


async def test_everything_can_be_done_with_the_keyboard(page: Page, ada: User) -> None:
    await page.goto("/")
    await expect(page.get_by_label("User name or e-mail address")).to_be_focused()
    await page.keyboard.type(ada.name)
    await page.keyboard.press("Tab")
    await page.keyboard.type("correct horse battery staple")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="How to begin")).to_be_visible()

    await expect(page.get_by_label("Folder")).to_be_focused()
    await page.get_by_role("link", name="Skip to the content").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("main")).to_be_focused()

    await page.keyboard.press("g")
    await page.keyboard.press("w")
    await expect(page.get_by_role("heading", level=1, name="Workspaces")).to_be_focused()
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    form = page.get_by_role("dialog", name="Create workspace")
    await expect(form.get_by_label("Name")).to_be_focused()
    # A shortcut is a letter like any other while a reader types.
    await page.keyboard.type("gb? Thesis")
    await expect(form.get_by_label("Name")).to_have_value("gb? Thesis")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", level=1, name="gb? Thesis")).to_be_focused()

    await page.keyboard.press("?")
    keys = page.get_by_role("dialog", name="Keyboard shortcuts")
    await expect(keys.get_by_role("row")).to_have_count(11)
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("heading", level=1, name="gb? Thesis")).to_be_focused()


async def test_what_was_typed_is_not_discarded_without_a_question(page: Page, ada: User) -> None:
    await sign_in(page, ada, "/#/workspaces")
    await press(page, "Create workspace")
    await dialog(page).get_by_label("Name").fill("Thesis")
    for answer, open_dialogs in (("Cancel", 1), ("Discard", 0)):
        await page.keyboard.press("Escape")
        question = page.get_by_role("dialog", name="Discard what you typed?")
        await question.get_by_role("button", name=answer).click()
        await expect(page.locator("dialog")).to_have_count(open_dialogs)
    await press(page, "Create workspace")
    await page.keyboard.press("Escape")  # nothing was typed
    await expect(page.locator("dialog")).to_have_count(0)


async def test_times_are_in_the_zone_and_language_of_the_reader(
    context: BrowserContext, ada: User
) -> None:
    assert context.browser is not None
    token = await ada.api_token("read")
    assert (await ada.using(token["token"]).get("/user-profiles/me")).status_code == 200
    async with await context.browser.new_context(
        base_url=str(ada.client.base_url), locale="de-DE", timezone_id="Asia/Tokyo"
    ) as readers:
        page = await readers.new_page()
        await sign_in(page, ada, "/#/tokens")
        used = page.get_by_role("main").locator("time")
        await expect(used).to_have_attribute("title", re.compile(r"\d{4} um .* (GMT\+9|JST)"))
        await expect(used).to_have_text("jetzt")
