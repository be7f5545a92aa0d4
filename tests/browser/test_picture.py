"""The picture in README is the board as it is: the page still has the texts that were painted."""

import os
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from playwright.async_api import Browser, ViewportSize, expect

from tests.browser.web.steps import sign_in
from tests.support.api import User, sign_up
from tests.support.checkout import TOP
from tests.support.machines.reports import (
    checkout_body,
    commit,
    put_report,
    report_body,
    work_item,
)
from tests.support.server import Server

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.xdist_group("browser"),
]
PICTURE = TOP / "docs/images/board.png"
TEXTS = PICTURE.with_suffix(".txt")
SIZE = ViewportSize(width=1000, height=900)


async def test_the_picture_in_the_readme_shows_what_the_board_shows(
    server: Server, client: httpx.AsyncClient, browser: Browser
) -> None:
    """`just picture` writes the picture and its texts; the test compares the texts."""
    ada = await sign_up(client, "ada")
    await _work_on_two_machines(ada)
    async with await browser.new_context(
        base_url=server.address,
        viewport=SIZE,
        reduced_motion="reduce",
        locale="en-GB",
        timezone_id="UTC",
    ) as context:
        page = await context.new_page()
        await page.clock.set_fixed_time(datetime.now(UTC))
        await sign_in(page, ada)
        refresh = page.get_by_role("button", name="Refresh")
        await expect(refresh).not_to_have_attribute("aria-disabled", "true")
        await expect(page.locator(".item")).to_have_count(3)
        lines = (await page.locator("body").aria_snapshot()).splitlines()
        texts = "".join(f"{line}\n" for line in lines if "- /url: " not in line)
        if os.environ.get("PICTURE") == "refresh":
            await page.screenshot(path=PICTURE, animations="disabled")
            TEXTS.write_text(texts, "utf-8")
    assert texts == TEXTS.read_text("utf-8"), "look at the change, then: just picture"
    header = PICTURE.read_bytes()[:24]
    assert header[:8] == b"\x89PNG\r\n\x1a\n"
    painted = [int.from_bytes(header[start : start + 4]) for start in (16, 20)]
    assert painted == [SIZE["width"], SIZE["height"]]


async def _work_on_two_machines(ada: User) -> None:
    """A laptop with unpushed commits and a stash, and a desktop that is behind."""
    thesis, client = await ada.workspace("Thesis"), await ada.workspace("Client")
    for workspace, name in ((thesis, "engine"), (thesis, "notes"), (client, "website")):
        await ada.repo(workspace["id"], name, remote_url=_remote(name))
    unpushed = {"state": "dirty", "modified": 1, "ahead": 2, "unpushed_commits": 2}
    since = {"unpushed_since": _ago(days=3)}
    work = [work_item(head=commit("engine"), ahead=2, unpushed_commits=2, **since)]
    laptop = (
        _checkout("engine", **unpushed, work=work, at_risk=True, changed_since=_ago(hours=2)),
        _checkout(
            "website", branch="redesign", stashes=1, at_risk=True, stashed_since=_ago(days=12)
        ),
    )
    desktop = (_checkout("notes", behind=3, as_of=None),)
    for name, checkouts in (("laptop", laptop), ("desktop", desktop)):
        machine = await ada.machine(name)
        answer = await put_report(ada, machine["id"], report_body(*checkouts))
        assert answer.status_code == 200


def _ago(**duration: int) -> str:
    return f"{datetime.now(UTC) - timedelta(minutes=1, **duration):%Y-%m-%dT%H:%M:%SZ}"


def _remote(name: str) -> str:
    return f"https://git.example.org/ada/{name}.git"


def _checkout(name: str, **status: Any) -> dict[str, Any]:
    own = {
        "remotes": [{"name": "origin", "url": _remote(name)}],
        "root_commits": [commit(f"first of {name}")],
    }
    return checkout_body(f"/home/ada/dev/{name}", **own, status=status)
