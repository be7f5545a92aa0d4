"""Names, branches, subjects and paths from elsewhere are text on every page, never HTML."""

import json
import re
from typing import Any

import pytest
from playwright.async_api import Page, expect

from scripts.support.git_repository import Repository
from scripts.support.polling import until
from tests.browser.web.hostile import hostile_strings
from tests.browser.web.steps import open_page, press, sign_in
from tests.support.api import PASSWORD, User, created
from tests.support.machines.reports import checkout_body, put_report, report_body, work_item

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.xdist_group("browser"),
]
STRINGS = hostile_strings()
# No element that the page itself never creates, no listener in an attribute, no address elsewhere.
SUSPICIOUS = r"""() => {
  const unknown = /^(script|img|svg|iframe|object|embed|video|audio|link|style|meta|base|math)$/;
  const isOwnForm = ({ method, action }) => method === "post" && !action.includes("evil");
  const isBad = element =>
    unknown.test(element.localName)
    || element.localName === "form" && !isOwnForm(element)
    || [...element.attributes].some(({ name, value }) =>
      /^on/.test(name) || name === "style" || /^\s*(javascript|data):/i.test(value));
  const bad = [...document.querySelectorAll("body *")].filter(isBad);
  return [globalThis.hostile, ...bad.map(element => element.outerHTML)].filter(Boolean);
}"""


async def test_200_hostile_texts_in_every_field_stay_texts(page: Page, ada: User) -> None:
    assert len(set(STRINGS)) >= 200
    # Directory names cannot contain all of them; names of workspaces and machines, descriptions,
    # paths, branches, remotes of reports and subjects can.
    workspaces = [
        await ada.workspace(f"{number} {text}"[:255], description=text)
        for number, text in enumerate(STRINGS[::5])
    ]
    items = [
        {"name": f"repo {number}", "path": f"/{text}", "remote_url": _remote(number)}
        for number, text in enumerate(STRINGS)
    ]
    for start in range(0, len(items), 100):
        path = f"/workspaces/{workspaces[start // 100]['id']}/repos/import"
        created(await ada.post(path, {"items": items[start : start + 100]}))
    locked = {"path": f"/{STRINGS[0]}", "protection": "passphrase", "passphrase": PASSWORD}
    await ada.vault(workspaces[0]["id"], **locked)
    machine = await ada.machine(STRINGS[0])
    await ada.api_token("read", name=STRINGS[0])
    preferences = {text: text for text in STRINGS}
    profile = f"/user-profiles/{ada.id}"
    assert (await ada.patch(profile, {"preferences": preferences})).status_code == 200
    reported = report_body(*(_checkout(number, text) for number, text in enumerate(STRINGS)))
    answer = await put_report(ada, machine["id"], reported)
    assert answer.json()["matched"] == len(STRINGS), answer.text

    await sign_in(page, ada)
    await expect(page.locator(".board-status")).to_contain_text(
        re.compile("of this was (last )?seen")
    )

    async def all_are_shown() -> bool:
        await page.mouse.wheel(0, 100_000)
        return await page.locator(".item").count() == len(STRINGS)

    await until(all_are_shown, within=30)
    assert await page.evaluate(SUSPICIOUS) == []
    shown = await page.locator(".branch bdi").all_text_contents()
    assert len(shown) == len(STRINGS)
    assert "<script>globalThis.hostile=1</script>" in shown
    assert not any("\u202e" in text for text in shown)  # written out as \u{202e}

    for address, heading in (
        ("#/workspaces", "Workspaces"),
        (f"#/workspaces/{workspaces[0]['id']}", workspaces[0]["name"]),
        (f"#/workspaces/{workspaces[0]['id']}/import", "Import a folder"),
        ("#/vaults", "Vaults"),
        ("#/machines", "Machines"),
        ("#/tokens", "API tokens"),
        ("#/profile", "Profile"),
    ):
        await open_page(page, address, heading)
        await expect(page.get_by_role("main").locator(".loading")).to_have_count(0)
        assert await page.evaluate(SUSPICIOUS) == [], address
    for hostile in STRINGS[::20]:
        await page.goto(f"/#/{hostile}")
        await expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert await page.evaluate(SUSPICIOUS) == []


def _remote(number: int) -> str:
    return f"https://git.example.org/ada/{number}.git"


def _checkout(number: int, text: str) -> dict[str, Any]:
    return checkout_body(
        f"/home/{text}",
        remotes=[{"name": "origin", "url": _remote(number)}],
        root_commits=[],
        status={
            "branch": text,
            "state": "dirty",
            "modified": 1,
            "at_risk": True,
            "unpushed_commits": 1,
            "work": [work_item(name=text, upstream=text)],
        },
    )


async def test_hostile_names_in_a_repository_stay_texts(
    page: Page, ada: User, root: Any, refusals: set[int]
) -> None:
    text = "<img src=x onerror=globalThis.hostile=1>"
    directory = root / ada.name / text
    repository = Repository.with_commits(directory, "first")
    repository.git("checkout", "--quiet", "-b", text.replace(" ", "-"))
    repository.write(text)
    repository.git("add", "--all")
    repository.git("commit", "--quiet", "--message", text)
    repository.git("remote", "add", "origin", f"https://git.example.org/{text.replace(' ', '')}")
    workspace = await ada.workspace(text)
    await sign_in(page, ada, f"/#/workspaces/{workspace['id']}/import")
    await page.get_by_label("Folder").fill(str(root / ada.name))
    await press(page, "Search")
    await expect(page.get_by_role("heading", name="Found 1 repository")).to_be_visible()
    assert await page.evaluate(SUSPICIOUS) == []
    await press(page, "Import 1 repo")
    await expect(page.locator(".item.risk")).to_have_count(1)
    await page.locator(".item h3 a").click()
    await expect(page.get_by_text("Something exists only here")).to_be_visible()
    await expect(page.locator("dd", has_text=text)).not_to_have_count(0)
    await press(page, "Check")
    await expect(page.get_by_text("No. Something would be lost")).to_be_visible()
    assert await page.evaluate(SUSPICIOUS) == []


@pytest.mark.parametrize(
    ("path", "quoted"),
    [
        ("~/dev/engine", "~/dev/engine"),
        ("~/it's", r"~/'it'\''s'"),
        ("/a b; rm -rf ~", "'/a b; rm -rf ~'"),
        ("/$(id)`id`", "'/$(id)`id`'"),
        ("/x\x03\x1b[201~\ny'\\", r"$'/x\x03\x1b[201~\x0ay\'\\'"),
        ("/\u202eexe", r"$'/\u202eexe'"),
        ("/caf\u00e9", "'/caf\u00e9'"),
        ("-x", "-x"),
    ],
)
async def test_a_copied_command_has_the_path_as_one_word(
    page: Page, path: str, quoted: str
) -> None:
    await page.goto("/")
    script = await page.locator("script").get_attribute("src") or ""
    module = script.replace("main.js", "board/commands.js")
    found = await page.evaluate(
        f"async path => (await import({json.dumps(module)})).quotePath(path)", path
    )
    assert found == quoted
