"""A deletion deletes what the reader has seen; what changed meanwhile is asked again."""

import pytest
from playwright.async_api import Page, Route, expect

from tests.browser.web.axe import violations
from tests.browser.web.steps import dialog, press, press_in_dialog, sign_in
from tests.support.api import User, code
from tests.support.machines.reports import checkout_body, put_report, report_body

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.xdist_group("browser"),
]
CHANGED = "Another editor changed this after you opened it."


async def test_what_changed_since_the_page_was_opened_is_in_the_question(
    page: Page, ada: User
) -> None:
    workspace = await ada.workspace("Thesis", description="first")
    path = f"/workspaces/{workspace['id']}"
    await sign_in(page, ada, f"/#{path}")
    await press(page, "Delete")
    await expect(dialog(page)).to_contain_text("It is empty.")
    await expect(dialog(page).get_by_role("alert")).to_have_count(0)
    await press_in_dialog(page, "Cancel")

    changes = {"name": "<i>Archive</i>", "workspace_type": "client"}
    assert (await ada.patch(path, changes)).status_code == 200
    await ada.repo(workspace["id"])
    await press(page, "Delete")
    question = page.get_by_role("dialog", name="Delete the workspace <i>Archive</i>?")
    await expect(question).to_contain_text("1 repo and 0 vaults are deleted here")
    await expect(question.get_by_role("alert")).to_contain_text(CHANGED)
    await expect(question.get_by_role("row")).to_have_text(
        ["FieldAs you saw itNow", "NameThesis<i>Archive</i>", "TypeGeneralClient"]
    )
    assert await violations(page) == []
    await page.set_viewport_size({"width": 320, "height": 900})
    await expect(question.get_by_role("row").last).to_contain_text("Client")
    assert await page.evaluate("document.documentElement.scrollWidth") == 320
    await expect(question.get_by_role("button", name="Keep it")).to_be_focused()
    await press_in_dialog(page, "Keep it")
    assert (await ada.get(path)).status_code == 200
    await press(page, "Delete")
    await press_in_dialog(page, "Delete anyway")
    await expect(page.get_by_text("You have no workspace yet.")).to_be_visible()
    assert (await ada.get(path)).status_code == 404


async def test_an_editor_who_is_faster_than_the_answer_is_not_overwritten(
    page: Page, ada: User, refusals: set[int]
) -> None:
    refusals.add(412)
    workspace = await ada.workspace("Thesis")
    archive = await ada.workspace("Archive")
    repo = await ada.repo(workspace["id"], "engine")
    path = f"/repos/{repo['id']}"
    await sign_in(page, ada, f"/#{path}")
    await press(page, "Delete")
    await expect(dialog(page)).to_contain_text("Its folder stays as it is.")
    change = {"remote_url": "https://git.example.org/ada/engine.git", "workspace_id": archive["id"]}
    assert (await ada.patch(path, change)).status_code == 200
    await press_in_dialog(page, "Delete repo")
    await expect(dialog(page).get_by_role("alert")).to_contain_text(CHANGED)
    await expect(dialog(page).get_by_role("row")).to_have_text(
        [
            "FieldAs you saw itNow",
            "Remote(empty)https://git.example.org/ada/engine.git",
            "WorkspaceThesisArchive",
        ]
    )
    assert (await ada.get(path)).status_code == 200
    # Again, while this question is open.
    assert (await ada.patch(path, {"name": "motor"})).status_code == 200
    await press_in_dialog(page, "Delete anyway")
    await expect(dialog(page).get_by_role("row").last).to_have_text("Nameenginemotor")
    await press_in_dialog(page, "Delete anyway")
    await expect(page.get_by_text("The repo has been deleted.")).to_be_visible()
    assert (await ada.get(path)).status_code == 404


async def test_a_change_of_what_is_not_on_the_page_asks_no_second_time(
    page: Page, ada: User, refusals: set[int]
) -> None:
    refusals.add(412)
    workspace = await ada.workspace("Thesis")
    vault = await ada.vault(workspace["id"])
    path = f"/vaults/{vault['id']}"
    await sign_in(page, ada, f"/#{path}")
    await press(page, "Delete")
    await expect(dialog(page)).to_contain_text("They cannot be restored.")
    assert (await ada.post(f"{path}/lock")).status_code == 200
    sent = _tags_of_deletions(page)
    await press_in_dialog(page, "Delete vault")
    await expect(page.get_by_role("heading", level=1, name="Thesis")).to_be_visible()
    assert (await ada.get(path)).status_code == 404
    assert len(sent) == len(set(sent)) == 2  # each with the tag of another state
    assert None not in sent


def _tags_of_deletions(page: Page) -> list[str | None]:
    """The states that the page wants to delete, filled while it is used."""
    tags: list[str | None] = []
    page.on(
        "request",
        lambda each: tags.append(each.headers.get("if-match")) if each.method == "DELETE" else None,
    )
    return tags


async def test_an_entry_with_a_newer_content_is_not_deleted_unseen(page: Page, ada: User) -> None:
    workspace = await ada.workspace("Thesis")
    vault = await ada.vault(workspace["id"])
    path = f"/vaults/{vault['id']}/entries/key"
    assert (await ada.put(path, {"content": "first"})).status_code == 201
    await sign_in(page, ada, f"/#/vaults/{vault['id']}")
    await expect(page.get_by_text("5 bytes, version 1")).to_be_visible()
    assert (await ada.put(path, {"content": "second"})).status_code == 200
    await press(page, "Delete: key")
    await expect(dialog(page).get_by_role("row")).to_have_text(
        ["FieldAs you saw itNow", "Version12", "Bytes56"]
    )
    assert "second" not in await page.content()
    await press_in_dialog(page, "Keep it")
    assert (await ada.get(path)).json()["version"] == 2
    await press(page, "Delete: key")
    await press_in_dialog(page, "Delete anyway")
    await expect(page.get_by_text("No entries yet.")).to_be_visible()
    assert code(await ada.get(path)) == "404 entry-not-found"


async def test_a_machine_with_another_name_is_not_deleted_unseen(
    page: Page, ada: User, refusals: set[int]
) -> None:
    refusals.add(412)
    machine = await ada.machine("laptop")
    path = f"/machines/{machine['id']}"
    sent = _tags_of_deletions(page)
    await sign_in(page, ada, "/#/machines")
    assert (await ada.patch(path, {"name": "<b>desktop</b>"})).status_code == 200
    await press(page, "Delete: laptop")
    question = page.get_by_role("dialog", name="Delete the machine <b>desktop</b>?")
    await expect(question.get_by_role("alert")).to_contain_text(CHANGED)
    await expect(question.get_by_role("row")).to_have_text(
        ["FieldAs you saw itNow", "Namelaptop<b>desktop</b>"]
    )
    await expect(question.get_by_role("button", name="Keep it")).to_be_focused()
    await press_in_dialog(page, "Keep it")
    assert (await ada.get(path)).status_code == 200
    assert sent == []

    # An editor who is faster than the answer.
    await press(page, "Delete: laptop")
    assert (await ada.patch(path, {"name": "server"})).status_code == 200
    await press_in_dialog(page, "Delete anyway")
    await expect(dialog(page).get_by_role("row").last).to_have_text("Name<b>desktop</b>server")
    await press_in_dialog(page, "Delete anyway")
    await expect(page.get_by_text("The machine has been deleted.")).to_be_visible()
    assert (await ada.get(path)).status_code == 404
    assert len(sent) == len(set(sent)) == 2  # each with the tag of another state
    assert None not in sent


async def test_a_machine_that_reports_meanwhile_is_deleted_without_another_question(
    page: Page, ada: User, refusals: set[int]
) -> None:
    refusals.add(412)
    machine = await ada.machine("laptop")
    path = f"/machines/{machine['id']}"
    sent = _tags_of_deletions(page)
    await sign_in(page, ada, "/#/machines")
    await press(page, "Delete: laptop")
    await expect(dialog(page)).to_contain_text("its tokens are refused")
    assert (await put_report(ada, machine["id"], report_body(checkout_body()))).is_success
    await press_in_dialog(page, "Delete machine")
    await expect(page.get_by_text("The machine has been deleted.")).to_be_visible()
    assert (await ada.get(path)).status_code == 404
    assert len(sent) == len(set(sent)) == 2


async def test_what_was_deleted_or_filled_elsewhere_is_said(
    page: Page, ada: User, refusals: set[int]
) -> None:
    refusals.update({404, 409})
    workspace = await ada.workspace("Thesis")
    path = f"/workspaces/{workspace['id']}"
    await sign_in(page, ada, f"/#{path}")
    await press(page, "Delete")
    await expect(dialog(page)).to_contain_text("It is empty.")
    repo = await ada.repo(workspace["id"])
    await press_in_dialog(page, "Delete workspace")
    await expect(page.get_by_role("status")).to_contain_text("Something has been added to it")
    assert (await ada.get(f"/repos/{repo['id']}")).status_code == 200

    assert (await ada.delete(f"{path}?force=true")).status_code == 204
    await press(page, "Delete")
    await expect(page.locator(".notice.error").last).to_contain_text("workspace")
    await expect(page.locator("dialog")).to_have_count(0)


async def test_a_deletion_that_did_not_reach_the_service_can_be_repeated(
    page: Page, ada: User
) -> None:
    workspace = await ada.workspace("Thesis")
    path = f"/workspaces/{workspace['id']}"
    await sign_in(page, ada, f"/#{path}")

    async def cut(route: Route) -> None:
        if route.request.method == "DELETE":
            await route.abort("aborted")
        else:
            await route.continue_()

    await page.route(f"**{path}", cut)
    await press(page, "Delete")
    await press_in_dialog(page, "Delete workspace")
    await expect(page.locator(".notice.error")).to_contain_text("did not answer")
    await page.unroute(f"**{path}")
    await press(page, "Delete")
    await press_in_dialog(page, "Delete workspace")
    await expect(page.get_by_text("You have no workspace yet.")).to_be_visible()
