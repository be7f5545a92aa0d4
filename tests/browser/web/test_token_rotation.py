"""Rotation of API tokens: the successor is shown once, and the old one ends after the overlap."""

from datetime import UTC, datetime, timedelta

import pytest
from playwright.async_api import Page, Route, expect

from tests.browser.web.axe import violations
from tests.browser.web.steps import dialog, open_page, press, press_in_dialog, sign_in
from tests.support.api import User, code, utc

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.xdist_group("browser"),
]


async def _status(user: User, token: str) -> int:
    return (await user.using(token).get("/api-tokens/current")).status_code


async def test_a_token_is_rotated_with_an_overlap(
    page: Page, ada: User, refusals: set[int]
) -> None:
    refusals.add(409)
    old = await ada.api_token("read", name="report")
    await sign_in(page, ada, "/#/tokens")
    await press(page, "Rotate: report")
    form = dialog(page)
    await expect(form.get_by_label("The new token expires")).to_contain_text("never, like the old")
    await form.get_by_label("The old token stays valid for").select_option("10 minutes")
    await form.get_by_label("The new token expires").select_option("in 30 days")
    await press_in_dialog(page, "Rotate")
    shown = page.get_by_role("dialog", name="Token report")
    await expect(shown).to_contain_text("The old token is valid until")
    assert await violations(page) == []
    token = await shown.locator(".secret").inner_text()
    assert token not in {old["token"], ""}
    await page.keyboard.press("Escape")  # a key pressed by mistake does not lose it
    await expect(shown.get_by_role("button", name="Copy: Token")).to_be_visible()
    await press_in_dialog(page, "I have copied it")
    await expect(page.locator("dialog")).to_have_count(0)
    assert token not in await page.content()

    rows = page.get_by_role("listitem").filter(has=page.get_by_role("button", name="Rotate"))
    await expect(rows).to_have_count(2)
    assert (await _status(ada, token), await _status(ada, old["token"])) == (200, 200)
    listed = (await ada.get("/api-tokens")).json()["items"]
    ends = {each["id"]: utc(each["expires_at"]) - datetime.now(UTC) for each in listed}
    assert timedelta(minutes=9) < ends.pop(old["id"]) <= timedelta(minutes=10)
    (end,) = ends.values()
    assert timedelta(days=29) < end <= timedelta(days=30)

    # The old one has a successor already.
    await rows.filter(has_text="minutes").get_by_role("button", name="Rotate: report").click()
    await press_in_dialog(page, "Rotate")
    await expect(dialog(page).get_by_role("alert")).to_contain_text("has a successor already")


async def test_a_token_that_leaked_is_replaced_at_once(page: Page, ada: User) -> None:
    old = await ada.api_token("read", name="report")
    await sign_in(page, ada, "/#/tokens")
    await press(page, "Rotate: report")
    await dialog(page).get_by_label("The old token stays valid for").select_option("0")
    await press_in_dialog(page, "Rotate")
    shown = page.get_by_role("dialog", name="Token report")
    await expect(shown).to_contain_text("The old token is refused from now on.")
    token = await shown.locator(".secret").inner_text()
    assert (await _status(ada, token), await _status(ada, old["token"])) == (200, 401)
    (successor,) = (await ada.get("/api-tokens")).json()["items"]
    assert successor["expires_at"] is None


async def test_a_page_that_rotates_its_own_token_continues_with_the_successor(
    page: Page, ada: User
) -> None:
    old = await ada.api_token("read", "write", name="browser")
    await page.goto("/#/tokens")
    await press(page, "Use an API token instead")
    await page.get_by_label("API token").fill(old["token"])
    await press(page, "Sign in")
    await press(page, "Rotate: browser")
    await dialog(page).get_by_label("The old token stays valid for").select_option("0")
    await press_in_dialog(page, "Rotate")
    await expect(page.locator(".secret")).to_be_visible()
    await press_in_dialog(page, "I have copied it")
    await open_page(page, "#/workspaces", "Workspaces")  # without a question
    assert code(await ada.using(old["token"]).get("/user-profiles/me")) == "401 unauthenticated"


async def test_a_rotation_whose_answer_was_lost_says_what_to_do(
    page: Page, ada: User, refusals: set[int]
) -> None:
    refusals.add(409)
    await ada.api_token("read", name="report")
    await sign_in(page, ada, "/#/tokens")
    await press(page, "Rotate: report")

    async def lose(route: Route) -> None:
        await route.fetch()
        await route.abort("aborted")

    await page.route("**/rotate", lose, times=1)
    await press_in_dialog(page, "Rotate")
    await expect(dialog(page).get_by_role("alert")).to_contain_text("did not answer")
    await press_in_dialog(page, "Rotate")
    await expect(dialog(page).get_by_role("alert")).to_contain_text(
        "If its secret is lost, revoke it, and create another token."
    )
