"""The profile page: names, password, preferences, and the deletion of the profile."""

import json

import pytest
from playwright.async_api import Page, Route, expect

from tests.api.accounts.tokens import signed_in_before
from tests.browser.web.axe import violations
from tests.browser.web.steps import dialog, open_page, press, press_in_dialog, sign_in
from tests.support.api import PASSWORD, User, code, created
from tests.support.api import sign_in as sign_in_by_api

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.xdist_group("browser"),
]
NEW_PASSWORD = "a staple, a battery and a horse"
PASSPHRASE = "a horse, a battery and a staple"


async def _sign_in_long_ago(page: Page, ada: User, address: str) -> None:
    """Sign in on the page, whose token is then older than 5 minutes."""
    old = {"access_token": signed_in_before(ada, 301).token, "expires_in": 3000}

    async def answer(route: Route) -> None:
        await route.fulfill(json=old)

    await page.route("**/auth/token", answer, times=1)
    await sign_in(page, ada, address)


async def _confirm_password(page: Page, ada: User) -> None:
    question = page.get_by_role("dialog", name="Is it you?")
    await expect(question.get_by_label("User name")).to_have_value(ada.name)
    password = question.get_by_label("Password")
    assert await password.get_attribute("autocomplete") == "current-password"
    await password.fill(PASSWORD)
    await question.get_by_role("button", name="Continue").click()


async def test_the_name_and_the_address_are_changed(page: Page, ada: User) -> None:
    await sign_in(page, ada)
    await page.get_by_role("link", name=f"Profile: {ada.name}").click()
    await expect(page.get_by_role("heading", level=1, name="Profile")).to_be_visible()
    await expect(page.locator("header.top").locator("[aria-current]")).to_contain_text(ada.name)
    await press(page, "Edit")
    form = dialog(page)
    await form.get_by_label("User name").fill(f"{ada.name}_2")
    await form.get_by_label("E-mail address").fill("countess@example.org")
    await press_in_dialog(page, "Save")
    await expect(page.locator("header.top")).to_contain_text(f"{ada.name}_2")
    await expect(page.get_by_role("main")).to_contain_text("countess@example.org")
    saved = (await ada.get("/user-profiles/me")).json()
    assert (saved["username"], saved["email"]) == (f"{ada.name}_2", "countess@example.org")


async def test_a_taken_name_and_an_invalid_address_are_said_at_their_fields(
    page: Page, ada: User, refusals: set[int]
) -> None:
    refusals.update({409, 422})
    other = f"other_{ada.name}"
    body = {"username": other, "email": f"{other}@example.org", "password": PASSWORD}
    created(await ada.client.post("/api/v1/user-profiles", json=body))
    await sign_in(page, ada, "/#/profile")
    await press(page, "Edit")
    form = dialog(page)
    await form.get_by_label("User name").fill(other.upper())
    await form.get_by_label("E-mail address").fill("nobody")
    await press_in_dialog(page, "Save")
    await expect(form.get_by_label("E-mail address")).to_be_focused()
    await form.get_by_label("E-mail address").fill(f"{ada.name}@example.org")
    await press_in_dialog(page, "Save")
    await expect(form.get_by_label("User name")).to_have_attribute("aria-invalid", "true")
    await expect(form.get_by_label("User name")).to_be_focused()


async def test_long_after_the_sign_in_another_name_needs_the_password(
    page: Page, ada: User, refusals: set[int]
) -> None:
    refusals.update({401, 422})
    await _sign_in_long_ago(page, ada, "/#/profile")
    await press(page, "Edit")
    name = page.get_by_role("dialog", name="Edit profile").get_by_label("User name")
    await name.fill(f"{ada.name}_2")
    await press_in_dialog(page, "Save")
    # A reader who does not go on keeps what was typed.
    await expect(dialog(page).get_by_label("Password")).to_be_focused()
    assert await violations(page) == []
    await page.keyboard.press("Escape")
    await expect(dialog(page).get_by_role("alert")).to_contain_text("Nothing has been changed.")
    await expect(name).to_have_value(f"{ada.name}_2")

    await press_in_dialog(page, "Save")
    question = page.get_by_role("dialog", name="Is it you?")
    await question.get_by_label("Password").fill("wrong password")
    await question.get_by_role("button", name="Continue").click()
    await expect(question.get_by_role("alert")).to_contain_text("is wrong")
    await _confirm_password(page, ada)
    await expect(page.locator("dialog")).to_have_count(0)
    await expect(page.locator("header.top")).to_contain_text(f"{ada.name}_2")
    assert (await ada.get("/user-profiles/me")).json()["username"] == f"{ada.name}_2"


async def test_a_new_password_ends_other_sign_ins_and_the_page_goes_on(
    page: Page, ada: User, refusals: set[int]
) -> None:
    refusals.add(422)
    token = (await ada.api_token("read"))["token"]
    await sign_in(page, ada, "/#/profile")
    await press(page, "Change password")
    form = dialog(page)
    fields = {
        label: await form.get_by_label(label, exact=True).get_attribute("autocomplete")
        for label in ("User name", "Current password", "New password", "New password again")
    }
    assert list(fields.values()) == ["username", "current-password", "new-password", "new-password"]
    await form.get_by_label("Current password").fill("wrong password")
    await form.get_by_label("New password", exact=True).fill(NEW_PASSWORD)
    await form.get_by_label("New password again").fill("another one")
    await press_in_dialog(page, "Change password")
    await expect(form.get_by_label("New password again")).to_be_focused()
    await expect(form.get_by_text("The two new passwords differ.")).to_be_visible()
    await form.get_by_label("New password again").fill(NEW_PASSWORD)
    await press_in_dialog(page, "Change password")
    await expect(form.get_by_label("Current password")).to_have_attribute("aria-invalid", "true")
    await expect(form.get_by_label("Current password")).to_be_focused()
    await expect(form.get_by_label("New password", exact=True)).to_have_value(NEW_PASSWORD)
    await form.get_by_label("Current password").fill(PASSWORD)
    await press_in_dialog(page, "Change password")
    await expect(page.get_by_text("Your password has been changed.")).to_be_visible()

    # The page has signed in again; the other sign-ins have ended, the API token has not.
    await open_page(page, "#/tokens", "API tokens")
    assert code(await ada.get("/user-profiles/me")) == "401 unauthenticated"
    assert (await ada.using(token).get("/api-tokens/current")).status_code == 200
    assert await sign_in_by_api(ada.client, ada.name, NEW_PASSWORD)
    assert NEW_PASSWORD not in await page.content()


async def test_a_new_password_locks_vaults_and_revokes_tokens_on_request(
    page: Page, ada: User
) -> None:
    workspace = await ada.workspace("Thesis")
    vault = await ada.vault(workspace["id"], protection="passphrase", passphrase=PASSPHRASE)
    token = (await ada.api_token("read"))["token"]
    await sign_in(page, ada, f"/#/vaults/{vault['id']}")
    await page.get_by_label("Passphrase").fill(PASSPHRASE)
    await press(page, "Unlock")
    await expect(page.get_by_role("timer")).to_be_visible()
    await open_page(page, "#/profile", "Profile")
    await press(page, "Change password")
    form = dialog(page)
    await form.get_by_label("Current password").fill(PASSWORD)
    await form.get_by_label("New password", exact=True).fill(NEW_PASSWORD)
    await form.get_by_label("New password again").fill(NEW_PASSWORD)
    await form.get_by_label("Revoke all of them").check()
    await press_in_dialog(page, "Change password")
    await expect(page.get_by_text("Your password has been changed.")).to_be_visible()
    assert code(await ada.using(token).get("/api-tokens/current")) == "401 unauthenticated"
    await open_page(page, f"#/vaults/{vault['id']}", "keys")
    await expect(page.get_by_label("Passphrase")).to_be_visible()  # without a refused request


async def test_preferences_are_changed_as_json_and_keep_their_exact_numbers(
    page: Page, ada: User, refusals: set[int]
) -> None:
    refusals.add(412)
    path = f"/user-profiles/{ada.id}"
    big = 12_345_678_901_234_567_890
    stored = {"id": big, "sizes": [big, 1.5], "theme": "dark", "\u202e__proto__": {"a": [None]}}
    assert (await ada.patch(path, {"preferences": stored})).status_code == 200
    await sign_in(page, ada, "/#/profile")
    shown = page.get_by_role("group", name="Preferences", exact=True)
    await expect(shown).to_contain_text(str(big))
    await expect(shown).to_contain_text(r"\u202e__proto__")
    await press(page, "Edit preferences")
    field = dialog(page).get_by_label("Preferences")
    for text, error in (
        ('{"theme": ', "This is not JSON"),
        ("[1]", "An object is needed"),
        ('{"theme": null}', '"theme" cannot become null'),
    ):
        await field.fill(text)
        await press_in_dialog(page, "Save")
        await expect(dialog(page).locator(".field-error").first).to_contain_text(error)
        await expect(field).to_have_value(text)

    # Another program changes other members meanwhile: those of both are kept.
    mine = {"id": big, "sizes": [1, big], "__proto__": {"language": "en"}}
    await field.fill(json.dumps(mine))
    other = {"preferences": {"seen": True, "\u202e__proto__": {"b": 1}}}
    assert (await ada.patch(path, other)).status_code == 200
    await press_in_dialog(page, "Save")
    # What one of them removed and the other one changed is a conflict.
    conflict = dialog(page).get_by_role("alert").filter(has_text="Another editor changed this")
    await expect(conflict.get_by_role("row")).to_have_count(2)
    await press_in_dialog(page, "Save")
    await expect(shown).to_contain_text('"seen": true')
    assert (await ada.get(path)).json()["preferences"] == mine | {"seen": True}


async def test_members_that_two_editors_changed_apart_are_merged_without_a_conflict(
    page: Page, ada: User, refusals: set[int]
) -> None:
    refusals.add(412)
    path = f"/user-profiles/{ada.id}"
    stored = {"editor": {"tabs": 4, "wrap": True}, "old": 1}
    assert (await ada.patch(path, {"preferences": stored})).status_code == 200
    await sign_in(page, ada, "/#/profile")
    await press(page, "Edit preferences")
    field = dialog(page).get_by_label("Preferences")
    await field.fill('{"editor": {"tabs": 2, "wrap": true}}')
    other = {"preferences": {"editor": {"theme": "dark"}}}
    assert (await ada.patch(path, other)).status_code == 200
    await press_in_dialog(page, "Save")
    await expect(dialog(page).get_by_role("alert").first).to_contain_text("They changed other")
    await press_in_dialog(page, "Save")
    await expect(page.locator("dialog")).to_have_count(0)
    merged = {"editor": {"tabs": 2, "wrap": True, "theme": "dark"}}
    assert (await ada.get(path)).json()["preferences"] == merged


async def test_a_profile_is_deleted_after_its_workspaces_and_a_clear_question(
    page: Page, ada: User, refusals: set[int]
) -> None:
    refusals.update({403, 409})
    workspace = await ada.workspace("<b>Thesis</b>")
    await _sign_in_long_ago(page, ada, "/#/profile")
    await press(page, "Delete profile")
    remaining = page.get_by_role("main").get_by_role("alert")
    await expect(remaining).to_contain_text("Delete these first")
    await expect(remaining.get_by_role("link", name="<b>Thesis</b>")).to_have_attribute(
        "href", f"#/workspaces/{workspace['id']}"
    )
    assert (await ada.delete(f"/workspaces/{workspace['id']}")).status_code == 204

    await press(page, "Delete profile")
    question = page.get_by_role("dialog", name=f"Delete the profile {ada.name}?")
    typed = question.get_by_label(f"Type {ada.name} to confirm")
    await expect(typed).to_be_focused()
    assert await violations(page) == []
    await typed.fill("somebody")
    await press_in_dialog(page, "Delete profile")
    await expect(question.get_by_text("This is not your user name.")).to_be_visible()
    await typed.fill(ada.name)
    # A workspace that was created after the question.
    workspace = await ada.workspace("Archive")
    await press_in_dialog(page, "Delete profile")
    await _confirm_password(page, ada)
    await expect(remaining.get_by_role("link", name="Archive")).to_be_visible()
    assert (await ada.delete(f"/workspaces/{workspace['id']}")).status_code == 204

    await press(page, "Delete profile")
    await typed.fill(ada.name)
    await press_in_dialog(page, "Delete profile")
    await _confirm_password(page, ada)
    await expect(dialog(page)).to_contain_text("Your profile has been deleted")
    await press_in_dialog(page, "Close")
    await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    assert code(await ada.get("/user-profiles/me")) == "401 unauthenticated"


async def test_a_profile_that_was_changed_after_the_question_is_not_deleted(
    page: Page, ada: User, refusals: set[int]
) -> None:
    refusals.add(412)
    await sign_in(page, ada, "/#/profile")
    await press(page, "Delete profile")
    await dialog(page).get_by_label(f"Type {ada.name} to confirm").fill(ada.name)
    other = {"email": f"countess_{ada.name}@example.org"}
    assert (await ada.patch(f"/user-profiles/{ada.id}", other)).status_code == 200
    await press_in_dialog(page, "Delete profile")
    conflict = dialog(page).get_by_role("alert").filter(has_text="Another editor changed this")
    await expect(conflict).to_contain_text(other["email"])
    await press_in_dialog(page, "Keep it")
    assert (await ada.get("/user-profiles/me")).status_code == 200


async def test_an_api_token_changes_the_password_and_the_page_goes_on(
    page: Page, ada: User
) -> None:
    token = (await ada.api_token("read", "write"))["token"]
    await page.goto("/#/profile")
    await press(page, "Use an API token instead")
    await page.get_by_label("API token").fill(token)
    await press(page, "Sign in")
    await press(page, "Change password")
    form = dialog(page)
    await form.get_by_label("Current password").fill(PASSWORD)
    await form.get_by_label("New password", exact=True).fill(NEW_PASSWORD)
    await form.get_by_label("New password again").fill(NEW_PASSWORD)
    await form.get_by_label("Revoke all of them").check()
    await press_in_dialog(page, "Change password")
    await expect(page.get_by_text("Your password has been changed.")).to_be_visible()
    # Its token is revoked as well, so the page continues with the new password.
    await open_page(page, "#/workspaces", "Workspaces")
    await expect(page.locator("header.top")).to_contain_text(ada.name)
