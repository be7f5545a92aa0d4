"""Vaults in the application: secrets are kept, shown, and leave the page when it is locked."""

import re

import pytest
from playwright.async_api import Page, Route, expect

from tests.browser.web.axe import violations
from tests.browser.web.steps import dialog, open_page, press, press_in_dialog, sign_in
from tests.support.api import User

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.xdist_group("browser"),
]
PASSPHRASE = "a horse, a battery and a staple"
SECRET = "postgresql://acme@db.example.org/acme"


async def _unlock(page: Page) -> None:
    await page.get_by_label("Passphrase").fill(PASSPHRASE)
    await press(page, "Unlock")
    await expect(page.get_by_role("heading", name="Entries")).to_be_visible()


async def _unlocked_vault(page: Page, ada: User) -> str:
    """Open a vault with one entry; returns its id."""
    workspace = await ada.workspace("Thesis")
    vault = await ada.vault(workspace["id"], protection="passphrase", passphrase=PASSPHRASE)
    unlocked = await ada.post(f"/vaults/{vault['id']}/unlock", {"passphrase": PASSPHRASE})
    session = {"Vault-Session": unlocked.json()["session"]}
    path = f"/vaults/{vault['id']}/entries/clients/acme/db"
    assert (await ada.put(path, {"content": SECRET}, headers=session)).status_code == 201
    await sign_in(page, ada, f"/#/vaults/{vault['id']}")
    await _unlock(page)
    return vault["id"]


async def test_a_secret_is_kept_in_a_new_vault_and_the_vault_is_locked(
    page: Page, ada: User, refusals: set[int]
) -> None:
    refusals.add(403)  # a wrong passphrase
    workspace = await ada.workspace("Thesis")
    await sign_in(page, ada, f"/#/workspaces/{workspace['id']}")
    await press(page, "Add vault")
    form = dialog(page)
    await form.get_by_label("Name").fill("keys")
    await form.get_by_label("Passphrase").fill(PASSPHRASE)
    await press_in_dialog(page, "Add vault")

    # It is open at once, and the form of the first entry has the focus.
    await expect(page.get_by_role("heading", level=1, name="keys")).to_be_visible()
    await expect(page.get_by_text("The vault was created.")).to_be_visible()
    await expect(page.get_by_text("Unlocked", exact=True)).to_be_visible()
    await expect(page.get_by_role("timer")).to_contain_text("Locks itself in 1")
    await expect(page.get_by_label("Name (not secret)")).to_be_focused()
    assert PASSPHRASE not in await page.content()
    assert "new=1" not in page.url
    await page.keyboard.type("clients/acme/db")
    content = page.get_by_label("Secret", exact=True)
    await content.fill(SECRET)
    await expect(content).to_have_css("-webkit-text-security", "disc")
    await press(page, "Show")
    await expect(content).to_have_css("-webkit-text-security", "none")
    await press(page, "Save")

    await expect(page.get_by_text("37 bytes, version 1")).to_be_visible()
    await expect(page.get_by_text("The entry has been saved.")).to_be_visible()
    await expect(page.get_by_role("button", name="Add entry")).to_be_focused()
    assert SECRET not in await page.content()
    await press(page, "Show: clients/acme/db")
    await expect(page.get_by_text(SECRET)).to_be_visible()
    await press(page, "Hide: clients/acme/db")
    await expect(page.get_by_text(SECRET)).to_be_hidden()
    assert SECRET not in await page.content()
    await press(page, "Show: clients/acme/db")
    await expect(page.get_by_text(SECRET)).to_be_visible()
    for theme in ("light", "dark"):
        await page.emulate_media(color_scheme=theme)
        assert await violations(page) == []

    await press(page, "Lock now")
    await expect(page.get_by_text("Locked", exact=True)).to_be_visible()
    await expect(page.get_by_label("Passphrase")).to_be_focused()
    assert SECRET not in await page.content()
    assert "clients/acme" not in await page.content()
    await expect(page.get_by_text("The vault is locked.")).to_be_visible()  # the service as well
    listed = (await ada.get(f"/workspaces/{workspace['id']}/vaults?is_locked=true")).json()
    assert [each["path"] for each in listed["items"]] == ["~/vaults/keys"]

    await page.keyboard.type("a wrong passphrase")
    await page.keyboard.press("Enter")
    await expect(page.get_by_label("Passphrase")).to_have_attribute("aria-invalid", "true")
    await _unlock(page)
    await expect(page.get_by_role("button", name="Add entry")).to_be_focused()


async def test_the_first_secret_of_a_reader_takes_two_forms_and_no_dialog(
    page: Page, ada: User
) -> None:
    await sign_in(page, ada)
    await page.get_by_role("link", name="Vaults", exact=True).click()
    await expect(page.get_by_label("Passphrase")).to_be_focused()
    await expect(page.get_by_label("Name")).to_have_value("Secrets")
    await page.keyboard.type(PASSPHRASE)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", level=1, name="Secrets")).to_be_visible()
    await expect(page.get_by_label("Name (not secret)")).to_be_focused()
    await page.keyboard.type("mail")
    await page.keyboard.press("Tab")
    await page.keyboard.type(SECRET)
    # What is being typed leaves the page with the lock as well.
    await press(page, "Lock now")
    await expect(page.get_by_text("The vault is locked.")).to_be_visible()
    assert await page.get_by_label("Secret", exact=True).count() == 0
    await page.keyboard.type(PASSPHRASE)
    await page.keyboard.press("Enter")
    await expect(page.get_by_label("Name (not secret)")).to_be_focused()
    await page.keyboard.type("mail")
    await page.get_by_label("Secret", exact=True).fill(SECRET)
    await press(page, "Save")
    await expect(page.get_by_text("37 bytes, version 1")).to_be_visible()
    # The workspace for it was created as well.
    (workspace,) = (await ada.get(f"/user-profiles/{ada.id}/workspaces")).json()["items"]
    (vault,) = (await ada.get(f"/workspaces/{workspace['id']}/vaults")).json()["items"]
    assert (workspace["name"], vault["name"], vault["path"]) == (
        "Projects",
        "Secrets",
        "~/vaults/secrets",
    )


async def test_the_vaults_of_all_workspaces_are_listed_and_added(page: Page, ada: User) -> None:
    thesis, client = await ada.workspace("Thesis"), await ada.workspace("Client")
    await ada.vault(thesis["id"], "keys")
    await sign_in(page, ada, "/#/vaults")
    await expect(page.get_by_role("listitem").filter(has_text="keys")).to_contain_text("Thesis")
    await press(page, "Add vault")
    await expect(dialog(page).get_by_label("Name")).to_be_focused()
    await page.keyboard.type("servers")
    await dialog(page).get_by_label("Workspace").select_option("Client")
    await press_in_dialog(page, "Add vault")
    await expect(page.get_by_role("heading", level=1, name="servers")).to_be_visible()
    await expect(page.get_by_text("The vault was created.")).to_be_visible()
    (vault,) = (await ada.get(f"/workspaces/{client['id']}/vaults")).json()["items"]
    assert (vault["name"], vault["protection"]) == ("servers", "none")
    await open_page(page, "#/vaults", "Vaults")
    rows = page.get_by_role("main").get_by_role("listitem")
    await expect(rows.filter(has_text="servers")).to_contain_text("Client")
    await expect(rows).to_have_count(2)


async def test_a_path_is_proposed_for_a_new_vault_until_the_reader_types_one(
    page: Page, ada: User
) -> None:
    workspace = await ada.workspace("Thesis")
    await sign_in(page, ada, f"/#/workspaces/{workspace['id']}")
    await press(page, "Add vault")
    name, path = dialog(page).get_by_label("Name"), dialog(page).get_by_label("Path")
    await expect(path).to_be_hidden()
    for typed, proposed in (
        ("My keys", "~/vaults/my-keys"),
        ("Schlüssel/2027 (alt)", "~/vaults/schlüssel-2027-alt"),
        ("../../etc", "~/vaults/etc"),
        ("?!", ""),
    ):
        await name.fill(typed)
        await expect(path).to_have_value(proposed)
    await press_in_dialog(page, "Add vault")
    await expect(path).to_be_focused()
    await expect(path).to_have_accessible_description(re.compile("Path is required.$"))
    await path.fill("/srv/keys")
    await name.fill("keys")
    await expect(path).to_have_value("/srv/keys")
    await press_in_dialog(page, "Add vault")
    # One without a passphrase is open as well.
    await expect(page.get_by_text("Unlocked", exact=True)).to_be_visible()
    await expect(page.get_by_label("Name (not secret)")).to_be_focused()
    await press(page, "Lock now")
    await expect(page.get_by_text("Locked", exact=True)).to_be_visible()
    await expect(page.get_by_role("button", name="Unlock")).to_be_focused()


async def test_a_new_vault_that_cannot_be_unlocked_asks_for_its_passphrase(
    page: Page, ada: User, refusals: set[int]
) -> None:
    refusals.add(503)
    workspace = await ada.workspace("Thesis")
    await sign_in(page, ada, f"/#/workspaces/{workspace['id']}")

    async def refuse(route: Route) -> None:
        await route.fulfill(status=503, json={"status": 503, "detail": "The service is busy."})

    await page.route("**/unlock", refuse)
    await press(page, "Add vault")
    await dialog(page).get_by_label("Name").fill("keys")
    await dialog(page).get_by_label("Passphrase").fill(PASSPHRASE)
    await press_in_dialog(page, "Add vault")
    await expect(page.get_by_text("The vault was created.")).to_be_visible()
    await expect(page.get_by_label("Passphrase")).to_be_focused()
    await page.unroute("**/unlock")
    await _unlock(page)


async def test_an_entry_is_changed_copied_restored_and_deleted(page: Page, ada: User) -> None:
    await page.context.grant_permissions(["clipboard-write"])
    await _unlocked_vault(page, ada)
    await press(page, "Edit: clients/acme/db")
    await dialog(page).get_by_label("Secret", exact=True).fill("second")
    await press_in_dialog(page, "Save")
    await expect(page.get_by_text("6 bytes, version 2")).to_be_visible()

    await press(page, "Versions: clients/acme/db")
    await dialog(page).get_by_role("button", name="Show: version 1").click()
    await expect(dialog(page).get_by_text(SECRET)).to_be_visible()
    await dialog(page).get_by_role("button", name="Restore version 1").click()
    await expect(page.get_by_text("37 bytes, version 3")).to_be_visible()
    await press(page, "Copy: clients/acme/db")
    await expect(page.get_by_text("Copied.")).to_be_visible()

    await press(page, "Add entry")
    await dialog(page).get_by_label("Name (not secret)").fill("clients/acme/db")
    await press_in_dialog(page, "Save")
    await expect(dialog(page).get_by_text("An entry has this name.")).to_be_visible()
    await dialog(page).get_by_label("Name (not secret)").press("Control+V")
    await expect(dialog(page).get_by_label("Name (not secret)")).to_have_value(
        f"clients/acme/db{SECRET}"
    )
    await page.keyboard.press("Escape")
    await press_in_dialog(page, "Discard")

    await press(page, "Delete: clients/acme/db")
    await press_in_dialog(page, "Delete entry")
    await expect(page.get_by_text("No entries yet.")).to_be_visible()


async def test_a_tab_that_is_hidden_for_5_minutes_forgets_all_secrets(
    page: Page, ada: User
) -> None:
    await page.clock.install()
    await _unlocked_vault(page, ada)
    await press(page, "Show: clients/acme/db")
    await expect(page.get_by_text(SECRET)).to_be_visible()
    await press(page, "Edit: clients/acme/db")
    await expect(dialog(page)).to_be_visible()
    await _hide_for(page, seconds=60)
    await page.clock.run_for(300_000)
    await expect(dialog(page)).to_be_visible()  # it was not hidden for long enough
    await _hide_for(page, seconds=300)
    await expect(page.locator("dialog")).to_have_count(0)
    await expect(page.get_by_label("Passphrase")).to_be_visible()
    assert SECRET not in await page.content()


async def _hide_for(page: Page, seconds: int) -> None:
    hide = """state => {
      Object.defineProperty(document, "visibilityState", { value: state, configurable: true });
      document.dispatchEvent(new Event("visibilitychange"));
    }"""
    await page.evaluate(hide, "hidden")
    await page.clock.run_for(seconds * 1_000)
    await page.evaluate(hide, "visible")


async def test_the_passphrase_of_a_vault_that_is_not_created_yet_is_forgotten_as_well(
    page: Page, ada: User
) -> None:
    await page.clock.install()
    await sign_in(page, ada, "/#/vaults")
    passphrase = page.get_by_label("Passphrase")
    await passphrase.fill(PASSPHRASE)
    await _hide_for(page, seconds=60)
    await expect(passphrase).to_have_value(PASSPHRASE)
    await _hide_for(page, seconds=300)
    await expect(passphrase).to_have_value("")

    workspace = await ada.workspace("Thesis")
    await open_page(page, f"#/workspaces/{workspace['id']}", "Thesis")
    await press(page, "Add vault")
    await dialog(page).get_by_label("Passphrase").fill(PASSPHRASE)
    await _hide_for(page, seconds=300)
    await expect(page.locator("dialog")).to_have_count(0)
    # Another dialog on that page is kept: nothing in it is a secret.
    await press(page, "Add repo")
    await _hide_for(page, seconds=300)
    await expect(dialog(page).get_by_label("Name")).to_be_visible()


async def test_a_vault_that_was_locked_elsewhere_or_expired_closes_on_the_page(
    page: Page, ada: User, refusals: set[int]
) -> None:
    refusals.add(423)
    await page.clock.install()
    vault = await _unlocked_vault(page, ada)
    await press(page, "Show: clients/acme/db")
    await expect(page.get_by_text(SECRET)).to_be_visible()
    assert (await ada.post(f"/vaults/{vault}/lock")).status_code == 200
    await press(page, "Copy: clients/acme/db")
    await expect(page.get_by_label("Passphrase")).to_be_visible()
    assert SECRET not in await page.content()

    await _unlock(page)
    await page.clock.run_for(901_000)
    await expect(page.get_by_label("Passphrase")).to_be_visible()
    assert "clients/acme" not in await page.content()


async def test_two_editors_of_an_entry_do_not_overwrite_each_other(
    page: Page, ada: User, refusals: set[int]
) -> None:
    refusals.add(412)
    workspace = await ada.workspace("Thesis")
    vault = await ada.vault(workspace["id"])
    path = f"/vaults/{vault['id']}/entries/key"
    assert (await ada.put(path, {"content": "first"})).status_code == 201
    await sign_in(page, ada, f"/#/vaults/{vault['id']}")
    await press(page, "Edit: key")
    await dialog(page).get_by_label("Secret", exact=True).fill("mine")
    assert (await ada.put(path, {"content": "theirs"})).status_code == 200
    await press_in_dialog(page, "Save")
    conflict = dialog(page).get_by_role("alert").filter(has_text="Another editor")
    await expect(conflict).to_contain_text("theirs")
    await expect(dialog(page).get_by_role("textbox", name="Secret", exact=True)).to_have_value(
        "mine"
    )
    await press_in_dialog(page, "Save")
    await expect(page.get_by_text("4 bytes, version 3")).to_be_visible()
    assert (await ada.get(path)).json()["content"] == "mine"


async def test_a_token_without_the_scope_secrets_opens_no_vault(page: Page, ada: User) -> None:
    workspace = await ada.workspace("Thesis")
    vault = await ada.vault(workspace["id"])
    token = (await ada.api_token("read", "write"))["token"]
    await page.goto(f"/#/vaults/{vault['id']}")
    await press(page, "Use an API token instead")
    await page.get_by_label("API token").fill(token)
    await press(page, "Sign in")
    await expect(page.get_by_text("It needs the scope secrets.")).to_be_visible()
