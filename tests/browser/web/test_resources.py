"""Workspaces, repos, machines and tokens: create, import, change, move, delete, and conflicts."""

import re
from pathlib import Path

import pytest
from playwright.async_api import BrowserContext, Page, Route, expect

from scripts.support.git_repository import Repository
from tests.browser.web.steps import dialog, open_page, press, press_in_dialog, sign_in
from tests.support.api import User, created
from tests.support.machines.reports import checkout_body, put_report, report_body

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.xdist_group("browser"),
]


def _repositories(directory: Path, count: int) -> None:
    for number in range(count):
        Repository.with_commits(directory / f"repo-{number:03}", "first")


async def test_a_folder_of_90_repositories_is_imported_at_once(
    page: Page, ada: User, root: Path
) -> None:
    directory = root / ada.name
    _repositories(directory, 90)
    workspace = await ada.workspace("Thesis")
    await sign_in(page, ada)
    await expect(page.get_by_role("main").get_by_role("link", name="Thesis")).to_be_visible()
    await expect(page.get_by_label("Folder")).to_be_focused()
    await page.keyboard.type(str(directory))
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Found 90 repositories")).to_be_in_viewport()
    # The button is at hand, however long the list is.
    await expect(page.get_by_role("button", name="Import 90 repos")).to_be_in_viewport()
    await page.get_by_label("repo-007").uncheck()
    await expect(page.get_by_text("89 of 90 chosen.")).to_be_visible()
    await page.get_by_label("All", exact=True).check()
    await press(page, "Import 90 repos")
    await expect(page.get_by_text("90 repos have been imported.")).to_be_visible()
    await expect(page.get_by_role("heading", level=1, name="Board")).to_be_visible()
    stats = (await ada.get(f"/workspaces/{workspace['id']}/stats")).json()
    assert stats["repo_count"] == 90

    # What is here already cannot be chosen again.
    await open_page(page, f"#/workspaces/{workspace['id']}/import", "Import a folder")
    await page.get_by_label("Folder").fill(str(directory))
    await press(page, "Search")
    await expect(page.get_by_text("Already here")).to_have_count(90)
    await expect(page.get_by_role("button", name="Import 0 repos")).to_be_disabled()


async def test_a_refused_import_says_why_and_keeps_the_choice(
    page: Page, ada: User, root: Path, refusals: set[int]
) -> None:
    refusals.update({409, 422})
    directory = root / ada.name
    _repositories(directory, 120)
    workspace = await ada.workspace("Thesis")
    await ada.repo(workspace["id"], "Repo-005", path="/elsewhere")
    await sign_in(page, ada, f"/#/workspaces/{workspace['id']}/import")
    depth = page.get_by_label("How deep to search")
    await expect(depth).to_be_hidden()
    await page.get_by_text("More options").click()
    await depth.fill("21")
    await page.get_by_text("More options").click()
    await page.get_by_label("Folder").fill(str(root))
    await press(page, "Search")
    await expect(depth).to_be_focused()  # unfolded, since it is wrong
    await depth.fill("4")
    await page.get_by_label("Folder").fill("/etc")
    await press(page, "Search")
    await expect(page.get_by_label("Folder")).to_have_attribute("aria-invalid", "true")
    await page.get_by_label("Folder").fill(str(directory))
    await press(page, "Search")
    await expect(page.get_by_role("heading", name="Found 120 repositories")).to_be_visible()
    await expect(page.get_by_text("One import has at most 100.")).to_be_visible()
    await press(page, "Import 120 repos")
    await expect(page.get_by_role("alert").last).to_contain_text("Nothing was imported.")
    await expect(page.get_by_role("button", name="Import 120 repos")).to_be_enabled()
    assert (await ada.get(f"/workspaces/{workspace['id']}/stats")).json()["repo_count"] == 1

    for number in range(20):
        await page.get_by_label(f"repo-{number:03}").uncheck()
    await press(page, "Import 100 repos")
    await expect(page.get_by_role("alert").last).to_contain_text("99 are left")
    # Meanwhile another program takes a name that was free.
    created(
        await ada.post(f"/workspaces/{workspace['id']}/repos", {"name": "repo-030", "path": "/x"})
    )
    for number in range(20, 25):
        await page.get_by_label(f"repo-{number:03}").uncheck()
    await press(page, "Import 95 repos")
    row = page.get_by_role("listitem").filter(has=page.get_by_text("repo-030", exact=True))
    await expect(row.locator(".field-error")).not_to_be_empty()


async def test_a_repo_is_created_changed_moved_and_deleted(page: Page, ada: User) -> None:
    thesis = await ada.workspace("Thesis")
    archive = await ada.workspace("Archive")
    await sign_in(page, ada, f"/#/workspaces/{thesis['id']}")
    await press(page, "Add repo")
    await dialog(page).get_by_label("Name").fill("engine")
    await dialog(page).get_by_label("Path").fill("~/dev/engine")
    await press_in_dialog(page, "Add repo")
    await page.get_by_role("link", name="engine").click()
    await expect(page.get_by_role("heading", level=1, name="engine")).to_be_visible()

    await press(page, "Edit")
    form = dialog(page)
    await form.get_by_label("Name").fill("old engine")
    await form.get_by_label("Remote").fill("https://git.example.org/ada/engine.git")
    await form.get_by_label("Workspace").select_option("Archive")
    await press_in_dialog(page, "Save")
    await expect(page.get_by_role("heading", level=1, name="old engine")).to_be_visible()
    moved = (await ada.get(f"/workspaces/{archive['id']}/repos")).json()["items"]
    assert [(each["name"], each["remote_url"]) for each in moved] == [
        ("old engine", "https://git.example.org/ada/engine.git")
    ]

    await press(page, "Delete")
    await expect(dialog(page)).to_contain_text("Its folder stays as it is.")
    await press_in_dialog(page, "Cancel")
    await press(page, "Delete")
    await press_in_dialog(page, "Delete repo")
    await expect(page.get_by_role("heading", level=1, name="Archive")).to_be_visible()
    assert (await ada.get(f"/repos/{moved[0]['id']}")).status_code == 404


async def test_an_invalid_field_is_explained_beside_it(
    page: Page, ada: User, refusals: set[int]
) -> None:
    refusals.update({409, 422})
    workspace = await ada.workspace("Thesis")
    await ada.repo(workspace["id"], "engine")
    await sign_in(page, ada, f"/#/workspaces/{workspace['id']}")
    await press(page, "Add repo")
    form = dialog(page)
    await form.get_by_label("Name").fill("ENGINE")
    await form.get_by_label("Path").fill("not absolute")
    await form.get_by_label("Remote").fill("file:///etc")
    await press_in_dialog(page, "Add repo")
    await expect(form.get_by_label("Path")).to_be_focused()
    for label in ("Path", "Remote"):
        await expect(form.get_by_label(label)).to_have_attribute("aria-invalid", "true")
    await form.get_by_label("Path").fill("~/dev/other")
    await form.get_by_label("Remote").fill("")
    await press_in_dialog(page, "Add repo")
    await expect(form.get_by_label("Name")).to_be_focused()
    await expect(form.get_by_label("Name")).to_have_attribute("aria-invalid", "true")
    await expect(form.get_by_label("Path")).not_to_have_attribute("aria-invalid", "true")
    await expect(form.get_by_label("Path")).to_have_value("~/dev/other")


async def test_a_workspace_is_deleted_with_what_it_contains_after_a_clear_question(
    page: Page, ada: User
) -> None:
    workspace = await ada.workspace("Thesis")
    await ada.repo(workspace["id"])
    await ada.vault(workspace["id"])
    await sign_in(page, ada, f"/#/workspaces/{workspace['id']}")
    await press(page, "Delete")
    question = page.get_by_role("dialog", name="Delete the workspace Thesis?")
    await expect(question).to_contain_text("1 repo and 1 vault are deleted here")
    await expect(question.get_by_role("button", name="Cancel")).to_be_focused()
    await press_in_dialog(page, "Delete workspace")
    await expect(page.get_by_text("You have no workspace yet.")).to_be_visible()
    assert (await ada.get(f"/workspaces/{workspace['id']}")).status_code == 404


async def test_two_tabs_that_change_the_same_field_see_both_values(
    context: BrowserContext, ada: User, refusals: set[int]
) -> None:
    refusals.add(412)
    workspace = await ada.workspace("Thesis", description="first")
    slow, fast = await context.new_page(), await context.new_page()
    for page in (slow, fast):
        await sign_in(page, ada, f"/#/workspaces/{workspace['id']}")
        await press(page, "Edit")
    await slow.get_by_label("Name").fill("Mine")
    await slow.get_by_label("Type").select_option("Client")
    await fast.get_by_label("Name").fill("Theirs")
    await fast.get_by_label("Description").fill("second")
    await press_in_dialog(fast, "Save")
    await expect(fast.get_by_role("heading", level=1, name="Theirs")).to_be_visible()

    await press_in_dialog(slow, "Save")
    conflict = slow.get_by_role("alert").filter(has_text="Another editor changed this")
    await expect(conflict.get_by_role("row")).to_have_text([re.compile("Field"), "NameTheirsMine"])
    # Nothing of it has been saved, so it is not discarded without a question.
    await slow.keyboard.press("Escape")
    await expect(dialog(slow)).to_contain_text("Discard what you typed?")
    await press_in_dialog(slow, "Cancel")
    await expect(slow.get_by_label("Name")).to_have_value("Mine")
    # What only the other one changed is taken over.
    await expect(slow.get_by_label("Description")).to_have_value("second")
    await press_in_dialog(slow, "Save")
    await expect(slow.get_by_role("heading", level=1, name="Mine")).to_be_visible()
    saved = (await ada.get(f"/workspaces/{workspace['id']}")).json()
    assert (saved["name"], saved["description"], saved["workspace_type"]) == (
        "Mine",
        "second",
        "client",
    )


async def test_a_creation_whose_answer_was_lost_is_not_repeated(page: Page, ada: User) -> None:
    await sign_in(page, ada, "/#/workspaces")
    await press(page, "Create workspace")
    await dialog(page).get_by_label("Name").fill("Thesis")
    lost = "**/user-profiles/*/workspaces"

    async def lose(route: Route) -> None:
        await route.fetch()
        await route.abort("aborted")

    await page.route(lost, lose)
    await press_in_dialog(page, "Create workspace")
    await expect(dialog(page).get_by_role("alert")).to_contain_text("did not answer")
    await page.unroute(lost)
    await press_in_dialog(page, "Create workspace")
    await expect(page.get_by_role("heading", level=1, name="Thesis")).to_be_visible()
    listed = (await ada.get(f"/user-profiles/{ada.id}/workspaces")).json()["items"]
    assert len(listed) == 1


async def test_a_machine_gets_a_token_that_is_shown_once(page: Page, ada: User) -> None:
    await sign_in(page, ada, "/#/machines")
    service = page.url.partition("/#")[0]
    commands = page.locator(".command code:not(.secret)")
    await expect(commands).to_have_text(
        [f"symphony login {service}", "symphony report --root ~/dev"]
    )
    await press(page, "Add machine")
    await dialog(page).get_by_label("Name").fill("laptop")
    await press_in_dialog(page, "Add machine")
    shown = page.get_by_role("dialog", name="Token of laptop")
    token = await shown.locator(".secret").inner_text()
    await expect(shown.locator(".command code:not(.secret)")).to_have_text(
        [f"symphony login {service} --token -", "symphony report --root ~/dev"]
    )
    assert (await ada.using(token).get("/api-tokens/current")).json()["scopes"] == ["report"]
    await page.keyboard.press("Escape")  # a key pressed by mistake does not lose it
    await press_in_dialog(page, "I have copied it")
    await expect(page.locator("dialog")).to_have_count(0)
    assert token not in await page.content()

    await expect(commands.first).to_be_hidden()
    await page.get_by_text("Report from another computer").click()
    await expect(commands.first).to_be_visible()
    await expect(commands.last).to_have_text("symphony report --root ~/dev")
    await press(page, "Rename: laptop")
    await dialog(page).get_by_label("Name").fill("workstation")
    await press_in_dialog(page, "Save")
    await press(page, "Delete: workstation")
    await expect(dialog(page)).to_contain_text("its tokens are refused")
    await press_in_dialog(page, "Delete machine")
    await expect(page.get_by_text("No other computer reports to this service yet.")).to_be_visible()
    assert (await ada.using(token).get("/api-tokens/current")).status_code == 401


async def test_a_token_is_created_for_a_workspace_and_revoked(page: Page, ada: User) -> None:
    workspace = await ada.workspace("Thesis")
    await sign_in(page, ada, "/#/tokens")
    await press(page, "Create token")
    form = dialog(page)
    await form.get_by_label("Name").fill("report")
    await form.get_by_role("checkbox", name=re.compile("^write")).check()
    await form.get_by_label("Thesis").check()
    await form.get_by_label("Expires").select_option("in 30 days")
    await press_in_dialog(page, "Create token")
    token = await dialog(page).locator(".secret").inner_text()
    current = (await ada.using(token).get("/api-tokens/current")).json()
    assert current["scopes"] == ["read", "write"]
    assert current["workspace_ids"] == [workspace["id"]]
    assert current["expires_at"] is not None
    await press_in_dialog(page, "I have copied it")
    await expect(page.get_by_role("main")).to_contain_text("Only Thesis")
    await press(page, "Revoke: report")
    await press_in_dialog(page, "Revoke")
    await expect(page.get_by_text("You have no API tokens.")).to_be_visible()
    assert (await ada.using(token).get("/api-tokens/current")).status_code == 401


async def test_the_checkouts_of_a_machine_are_imported(page: Page, ada: User) -> None:
    await ada.workspace("Archive")
    thesis = await ada.workspace("Thesis")
    machine = await ada.machine("laptop")
    far = checkout_body(
        "/home/ada/dev/organ",
        remotes=[{"name": "origin", "url": "https://git.example.org/ada/organ.git"}],
        root_commits=[],
    )
    assert (await put_report(ada, machine["id"], report_body(checkout_body(), far))).is_success
    await sign_in(page, ada, "/#/machines")
    await page.get_by_role("link", name="laptop").click()
    await page.get_by_label("Import into the workspace").select_option("Thesis")
    await page.get_by_label("engine").uncheck()
    await press(page, "Import 1 repo")
    await expect(page.get_by_text("1 repo has been imported.")).to_be_visible()
    (repo,) = (await ada.get(f"/workspaces/{thesis['id']}/repos")).json()["items"]
    assert repo["remote_url"] == "https://git.example.org/ada/organ.git"
    # The page of the repo has the checkout, although it needs no attention.
    await open_page(page, f"#/repos/{repo['id']}", "organ")
    await expect(page.get_by_role("heading", level=3, name="laptop")).to_be_visible()
    await expect(page.get_by_text("/home/ada/dev/organ").first).to_be_visible()
