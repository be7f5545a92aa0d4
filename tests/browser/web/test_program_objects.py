"""Objects that belong to programs: settings of a workspace, metadata of a repo and a vault."""

import json
from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.browser.web.hostile import hostile_strings
from tests.browser.web.steps import dialog, open_page, press, press_in_dialog, sign_in
from tests.browser.web.test_hostile_texts import SUSPICIOUS
from tests.support.api import User

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.xdist_group("browser"),
]
BIG = 12_345_678_901_234_567_890
HOSTILE = {text: text for text in hostile_strings()}


async def _save(page: Page, label: str, value: Any) -> None:
    await press(page, "Edit")
    await dialog(page).get_by_label(label).fill(json.dumps(value))
    await press_in_dialog(page, "Save")
    await expect(page.locator("dialog")).to_have_count(0)


async def test_the_settings_of_a_workspace_are_shown_and_changed(
    page: Page, ada: User, refusals: set[int]
) -> None:
    refusals.add(422)
    settings = {"editor": {"tabs": 4, "id": BIG}, "hooks": ["a", None]}
    workspace = await ada.workspace("Thesis", settings=settings)
    path = f"/workspaces/{workspace['id']}"
    await sign_in(page, ada, f"/#{path}")
    await page.get_by_text("Settings", exact=True).click()
    shown = page.get_by_role("group", name="Settings", exact=True)
    await expect(shown.last).to_contain_text(str(BIG))

    await press(page, "Edit")
    field = dialog(page).get_by_label("Settings")
    assert json.loads(await field.input_value()) == settings
    deep: Any = {}
    for _ in range(32):
        deep = {"a": deep}
    await field.fill(json.dumps(deep))
    await press_in_dialog(page, "Save")
    await expect(field).to_be_focused()
    await expect(field).to_have_attribute("aria-invalid", "true")
    await expect(dialog(page).locator(".field-error:not(:empty)")).to_contain_text("levels")
    assert json.loads(await field.input_value()) == deep
    changed = {"editor": {"tabs": 2, "id": BIG}, "hooks": ["a", None, "b"]}
    await field.fill(json.dumps(changed))
    sent: list[Any] = []
    page.on(
        "request", lambda each: sent.append(each.post_data_json) if each.method == "PATCH" else None
    )
    await press_in_dialog(page, "Save")
    await expect(page.get_by_text("The workspace has been saved.")).to_be_visible()
    assert sent == [{"settings": {"editor": {"tabs": 2}, "hooks": ["a", None, "b"]}}]
    saved = (await ada.get(path)).json()
    assert (saved["settings"], saved["name"]) == (changed, "Thesis")


async def test_programs_and_the_page_keep_each_others_settings(
    page: Page, ada: User, refusals: set[int]
) -> None:
    refusals.add(412)
    workspace = await ada.workspace("Thesis", settings={"editor": {"tabs": 4}, "theme": "dark"})
    path = f"/workspaces/{workspace['id']}"
    await sign_in(page, ada, f"/#{path}")
    await press(page, "Edit")
    await dialog(page).get_by_label("Name").fill("Mine")
    await dialog(page).get_by_label("Settings").fill('{"editor": {"tabs": 2}, "theme": "light"}')
    other = {"settings": {"editor": {"wrap": True}, "theme": "sepia"}}
    assert (await ada.patch(path, other)).status_code == 200
    await press_in_dialog(page, "Save")
    conflict = dialog(page).get_by_role("alert").filter(has_text="Another editor changed this")
    await expect(conflict.get_by_role("row")).to_have_count(2)
    await expect(conflict.get_by_role("cell").first).to_contain_text('"theme": "sepia"')
    await expect(conflict.get_by_role("cell").last).to_contain_text('"theme": "light"')
    merged = {"editor": {"tabs": 2, "wrap": True}, "theme": "light"}
    field = dialog(page).get_by_role("textbox", name="Settings")
    assert json.loads(await field.input_value()) == merged
    await press_in_dialog(page, "Save")
    await expect(page.get_by_role("heading", level=1, name="Mine")).to_be_visible()
    assert (await ada.get(path)).json()["settings"] == merged


async def test_metadata_of_repos_and_vaults_are_changed_and_hostile_ones_stay_texts(
    page: Page, ada: User
) -> None:
    workspace = await ada.workspace("Thesis", settings=HOSTILE)
    repo = await ada.repo(workspace["id"], metadata={"labels": ["music"]})
    vault = await ada.vault(workspace["id"], metadata={"owner": "ada"})
    await sign_in(page, ada, f"/#/repos/{repo['id']}")
    for path, heading in (
        (f"/repos/{repo['id']}", "engine"),
        (f"/vaults/{vault['id']}", "keys"),
    ):
        await open_page(page, f"#{path}", heading)
        await _save(page, "Metadata", HOSTILE)
        assert (await ada.get(path)).json()["metadata"] == HOSTILE
        await page.get_by_text("Metadata", exact=True).click()
        await expect(page.locator("details[open] pre").last).to_contain_text("<script>")
        assert await page.evaluate(SUSPICIOUS) == []
        assert "\u202e" not in await page.content()
        await _save(page, "Metadata", {})
        assert (await ada.get(path)).json()["metadata"] == {}
        await expect(page.get_by_text("Metadata", exact=True)).to_have_count(0)
    await open_page(page, f"#/workspaces/{workspace['id']}", "Thesis")
    await page.get_by_text("Settings", exact=True).click()
    await expect(page.locator("details[open] pre")).to_contain_text("<script>")
    await press(page, "Edit")
    assert json.loads(await dialog(page).get_by_label("Settings").input_value()) == HOSTILE
    assert await page.evaluate(SUSPICIOUS) == []
