"""The board, after real changes in real repositories and reports of machines."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import BrowserContext, Locator, Page, Route, expect

from scripts.support.git_repository import Repository
from scripts.support.polling import until
from symphony.domain.base import utc_now
from tests.browser.web.steps import open_page, press, sign_in
from tests.support.api import User
from tests.support.machines.reports import checkout_body, put_report, report_body

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.xdist_group("browser"),
]
LOOKED = re.compile("^(All|Some) of this was (last )?seen")
AGO = f"{utc_now() - timedelta(days=3, hours=1):%Y-%m-%dT%H:%M:%SZ}"


@dataclass(frozen=True)
class World:
    root: Path
    workspace: str
    risky: Repository
    repos: dict[str, str]


@pytest_asyncio.fixture(loop_scope="module")
async def world(ada: User, root: Path) -> World:
    """A repo with unpushed work, one that is only behind, a clean one, and one of a laptop."""
    top = root / ada.name
    remote = Repository.with_commits(top / "remote", "first")
    risky = remote.clone(top / "risky repo")
    risky.commit("second")
    behind = remote.clone(top / "behind")
    remote.commit("third")
    behind.git("fetch", "--quiet")
    remote.clone(top / "clean")
    workspace = await ada.workspace("Thesis")
    other = await ada.workspace("Client")
    repos = {
        name: (await ada.repo(workspace["id"], name, path=str(top / name)))["id"]
        for name in ("risky repo", "behind", "clean")
    }
    far = await ada.repo(other["id"], "far", remote_url="https://git.example.org/ada/engine.git")
    machine = await ada.machine("laptop")
    status = {"state": "dirty", "modified": 2, "stashes": 1, "at_risk": True, "changed_since": AGO}
    report = report_body(checkout_body("/home/ada/it's here", status=status))
    assert (await put_report(ada, machine["id"], report)).status_code == 200
    return World(top, workspace["id"], risky, repos | {"far": far["id"]})


def _choice(page: Page, name: str) -> Locator:
    return page.get_by_role("combobox", name=name, exact=True)


def _names(page: Page) -> Callable[[], Awaitable[list[str]]]:
    return page.locator(".item h3").all_inner_texts


async def test_what_would_be_lost_comes_first_with_the_command_that_settles_it(
    page: Page, ada: User, world: World
) -> None:
    await page.context.grant_permissions(["clipboard-write"])
    await sign_in(page, ada)
    await expect(page.locator(".board-status")).to_have_text(LOOKED)
    sections = page.get_by_role("heading", level=2)
    await expect(sections).to_have_text(["At risk 2 items", "Unfinished, but safe 1 item"])
    assert await _names(page)() == ["far", "risky repo", "behind"]

    risky = page.locator(".item", has_text="risky repo")
    await expect(risky).to_contain_text("1 commit not pushed on branch main")
    await expect(risky).to_contain_text("checked out: main")
    await expect(risky).to_contain_text("Thesis")
    far = page.locator(".item", has_text="it's here").locator(".since")
    await expect(far).to_have_text("Unfinished for 3 days")
    await expect(far.locator("time")).to_have_attribute("datetime", AGO)
    await expect(far.locator("time")).to_have_attribute("title", re.compile(r"\d{4} at .*UTC"))
    await expect(risky.locator(".since")).to_have_text("Unfinished for 1 minute")
    await expect(page.locator(".item", has_text="behind").locator(".since")).to_have_count(0)
    command = f"git -C '{world.root}/risky repo' push"
    await expect(risky.locator(".command code")).to_have_text(command)
    await risky.get_by_role("button", name="Copy").click()
    await expect(page.get_by_text("Copied.")).to_be_visible()
    await page.get_by_label("Search").click()
    await page.keyboard.press("Control+V")
    await expect(page.get_by_label("Search")).to_have_value(command)
    await page.get_by_label("Search").fill("")

    far = page.locator(".item", has_text="far")
    await expect(far).to_contain_text("laptop")
    await expect(far).to_contain_text("2 modified files · 1 stash")
    await expect(far.locator(".command code")).to_have_text(
        r"git -C '/home/ada/it'\''s here' status"
    )
    await expect(page.locator(".item", has_text="behind").locator(".command code")).to_have_text(
        f"git -C {world.root}/behind pull --ff-only"
    )


async def test_the_board_says_of_how_many_inspected_repos_nothing_is_to_do(
    page: Page, ada: User, world: World
) -> None:
    await sign_in(page, ada)
    summary = page.get_by_role("main").locator("> .count")
    await expect(summary).to_have_text("3 items · 1 of 4 repos: nothing to do")
    await _choice(page, "Workspace").select_option("Thesis")
    await expect(summary).to_have_text("2 of 3 items · 1 of 3 repos: nothing to do")
    await _choice(page, "Workspace").select_option("Client")
    await expect(summary).to_have_text("1 of 3 items")  # of one repo

    # Of a repo that was never inspected nothing is said.
    await page.route("**/attention?fresh=true", _with_one_unobserved)
    await press(page, "Refresh")
    await expect(page.locator(".board-status")).to_contain_text("never been inspected")
    await _choice(page, "Workspace").select_option("Thesis")
    await expect(summary).to_have_text("2 of 3 items")
    await page.unroute("**/attention?fresh=true")


async def test_only_what_was_inspected_needs_no_attention(
    page: Page, ada: User, root: Path
) -> None:
    remote = Repository.with_commits(root / ada.name / "remote", "first")
    clean = remote.clone(root / ada.name / "clean")
    workspace = await ada.workspace("Thesis")
    await ada.repo(workspace["id"], "clean", path=str(clean.path))
    await page.route("**/attention?fresh=true", _with_one_unobserved)
    await sign_in(page, ada)
    await expect(page.locator(".board-status")).to_contain_text("1 repo has never been inspected")
    await expect(page.get_by_text("Nothing needs attention.")).to_be_hidden()
    await page.unroute("**/attention?fresh=true")
    await press(page, "Refresh")
    await expect(page.get_by_text("Nothing needs attention.")).to_be_visible()
    await expect(page.get_by_text("1 of 1 repo: nothing to do")).to_be_visible()


async def test_repos_are_counted_after_the_board_a_few_workspaces_at_a_time(
    page: Page, ada: User
) -> None:
    workspaces = [await ada.workspace(f"client {number}") for number in range(6)]
    await ada.repo(workspaces[0]["id"], "gone", path="/nowhere")
    held: list[Route] = []
    may_go = asyncio.Event()

    async def hold(route: Route) -> None:
        held.append(route)
        await may_go.wait()
        await route.continue_()

    await page.route("**/stats", hold)
    await sign_in(page, ada)
    # The board is complete, and waits for none of them.
    await expect(page.locator(".board-status")).to_have_text(LOOKED)
    await expect(page.locator(".item h3")).to_have_text(["gone"])
    await until(_has(4, held))
    await page.evaluate("() => new Promise(requestAnimationFrame)")
    assert len(held) == 4
    may_go.set()
    await until(_has(6, held))
    await expect(page.get_by_role("main").locator("> .count")).to_have_text("1 item")

    # In one workspace, only that one is counted.
    counted: list[str] = []
    page.on(
        "request", lambda each: counted.append(each.url) if each.url.endswith("/stats") else None
    )
    await _choice(page, "Workspace").select_option("client 0")
    await press(page, "Refresh")
    await expect(page.locator(".board-status")).to_have_text(LOOKED)
    await until(_has(1, counted))
    await _choice(page, "Order").select_option("By name")
    await page.get_by_label("Search").fill("gone")
    assert [each.split("/")[-2] for each in counted] == [workspaces[0]["id"]]
    await _choice(page, "Workspace").select_option("All")
    await until(_has(6, counted))


def _has(size: int, found: Sequence[object]) -> Callable[[], Awaitable[bool]]:
    async def has() -> bool:
        return len(found) == size

    return has


async def test_a_repo_that_is_added_while_the_board_is_computed_is_not_called_finished(
    page: Page, ada: User, world: World
) -> None:
    async def add_meanwhile(route: Route) -> None:
        answer = await route.fetch()
        await ada.repo(world.workspace, "new", path=str(world.root / "new"))
        await route.fulfill(response=answer)

    await page.route("**/attention?fresh=true", add_meanwhile)
    summary = page.get_by_role("main").locator("> .count")
    async with page.expect_response("**/repos?sort=-created_at&limit=1"):
        await sign_in(page, ada)
    async with page.expect_response("**/repos?sort=-created_at&limit=1") as last:
        await expect(page.locator(".board-status")).to_have_text(LOOKED)
    assert (await (await last.value).json())["items"][0]["name"] == "new"
    await expect(summary).to_have_text("3 items")
    await page.unroute("**/attention?fresh=true")
    await press(page, "Refresh")
    await expect(summary).to_have_text("4 items · 1 of 5 repos: nothing to do")


async def test_a_workspace_says_on_its_card_what_is_left_to_do(
    page: Page, ada: User, world: World
) -> None:
    await ada.workspace("Empty")
    await sign_in(page, ada)
    await expect(page.locator(".board-status")).to_have_text(LOOKED)
    await open_page(page, "#/workspaces", "Workspaces")
    cards = page.locator(".cards > li")
    await expect(cards).to_have_text(
        [
            re.compile(r"^Client\s*1 at risk\s*General · 1 repo, 0 vaults$"),
            re.compile(r"^Empty\s*General · 0 repos, 0 vaults$"),
            re.compile(r"^Thesis\s*1 at risk\s*1 unfinished\s*General · 3 repos"),
        ]
    )
    await page.get_by_role("link", name="1 unfinished").click()
    await expect(page.locator(".item h3")).to_have_text(["risky repo", "behind"])
    await expect(_choice(page, "Workspace")).to_have_value(world.workspace)


async def _with_one_unobserved(route: Route) -> None:
    answer = await route.fetch()
    await route.fulfill(response=answer, json=(await answer.json()) | {"unobserved": 1})


async def test_a_workspace_and_a_repo_say_what_is_left_to_do(
    page: Page, ada: User, world: World
) -> None:
    await sign_in(page, ada)
    await expect(page.locator(".board-status")).to_have_text(LOOKED)
    await open_page(page, f"#/workspaces/{world.workspace}", "Thesis")
    states = page.locator(".rows .tag")
    await expect(states).to_have_text(
        ["1 commit behind", "Nothing to do", "1 commit not pushed on branch main"]
    )
    await expect(states.last).to_have_class(re.compile("danger"))
    never_inspected = await ada.repo(world.workspace, "new", path=str(world.root / "new"))
    await open_page(page, f"#/repos/{world.repos['risky repo']}", "risky repo")
    facts = page.locator(".facts").last
    await expect(facts).to_contain_text(re.compile("Checked out *main"))
    await expect(facts).to_contain_text(re.compile("Commits not pushed *1 on branch main"))
    await open_page(page, f"#/workspaces/{world.workspace}", "Thesis")
    await expect(page.get_by_role("link", name="new")).to_be_visible()
    await expect(states).to_have_text(["1 commit behind", "1 commit not pushed on branch main"])
    assert (await ada.delete(f"/repos/{never_inspected['id']}")).status_code == 204


async def test_filters_and_order_are_in_the_address(page: Page, ada: User, world: World) -> None:
    await sign_in(page, ada)
    await expect(page.locator(".board-status")).to_have_text(LOOKED)
    names = page.locator(".item h3")
    await _choice(page, "Workspace").select_option("Thesis")
    await expect(names).to_have_text(["risky repo", "behind"])
    await _choice(page, "Order").select_option("By name")
    await expect(names).to_have_text(["behind", "risky repo"])
    await _choice(page, "Order").select_option("Oldest work first")
    await expect(names).to_have_text(["risky repo", "behind"])
    await _choice(page, "Workspace").select_option("All")
    await expect(names).to_have_text(["far", "risky repo", "behind"])
    await _choice(page, "Workspace").select_option("Thesis")
    await _choice(page, "Order").select_option("By name")
    await page.get_by_label("Search").fill("RISKY main")
    await expect(names).to_have_text(["risky repo"])
    await expect(page.get_by_text("1 of 3 items")).to_be_visible()

    bookmark = page.url
    assert "workspace=" in bookmark
    await page.reload()
    await sign_in(page, ada, bookmark)
    await expect(names).to_have_text(["risky repo"])
    await expect(_choice(page, "Order")).to_have_value("name")

    await page.get_by_label("Search").fill("nothing like it")
    await expect(names).to_have_count(0)
    await press(page, "Remove all filters")
    await expect(names).to_have_text(["far", "risky repo", "behind"])
    await _choice(page, "Machine").select_option("laptop")
    await expect(names).to_have_text(["far"])
    await _choice(page, "Machine").select_option("The computer that runs Symphony")
    await expect(names).to_have_text(["risky repo", "behind"])
    await _choice(page, "Reason").select_option("Behind its upstream")
    await expect(names).to_have_text(["behind"])


@pytest.mark.usefixtures("world")
async def test_how_long_work_is_unfinished_is_said_in_the_language_of_the_reader(
    context: BrowserContext, ada: User
) -> None:
    assert context.browser is not None
    async with await context.browser.new_context(
        base_url=str(ada.client.base_url), locale="de-DE", timezone_id="Asia/Tokyo"
    ) as readers:
        page = await readers.new_page()
        await sign_in(page, ada)
        since = page.locator(".item", has_text="it's here").locator(".since time")
        await expect(since).to_have_text("3 Tage")
        await expect(since).to_have_attribute("title", re.compile(r"\d{4} um .* (GMT\+9|JST)"))


async def test_what_is_known_is_shown_until_the_service_has_looked(
    page: Page, ada: User, world: World
) -> None:
    await sign_in(page, ada)
    await expect(page.locator(".board-status")).to_have_text(LOOKED)
    looking = await _held_up(page)
    await press(page, "Refresh")
    await expect(page.locator(".board-status")).to_contain_text("Inspecting every repository")
    await expect(page.locator(".item")).to_have_count(3)
    search = page.get_by_label("Search")
    await search.click()
    await page.keyboard.type("eng")
    world.risky.git("push", "--quiet", "origin", "HEAD:refs/heads/saved")
    Repository(world.root / "clean").write("new")
    await looking()
    await expect(search).to_have_value("eng")
    await expect(search).to_be_focused()
    await search.fill("")
    await expect(page.locator(".item.risk h3")).to_have_text(["far", "clean"])


async def _held_up(page: Page) -> Callable[[], Awaitable[None]]:
    """Hold the next fresh boards; returns a function that lets them continue."""
    held: list[Route] = []

    async def hold(route: Route) -> None:
        held.append(route)

    await page.route("**/attention?fresh=true", hold)

    async def let_go() -> None:
        for route in held:
            await route.continue_()
        await page.unroute("**/attention?fresh=true")

    return let_go


async def test_without_a_network_the_board_stays_and_says_so(
    page: Page, ada: User, world: World
) -> None:
    await sign_in(page, ada)
    await expect(page.locator(".board-status")).to_have_text(LOOKED)
    await page.route("**/attention?fresh=true", lambda route: route.abort("aborted"))
    await press(page, "Refresh")
    status = page.locator(".board-status")
    await expect(status).to_contain_text("The service did not answer.")
    await expect(page.locator(".item")).to_have_count(3)
    await page.unroute("**/attention?fresh=true")
    await press(page, "Refresh")
    await expect(status).to_have_text(LOOKED)


async def test_a_busy_service_is_tried_again_without_losing_what_was_typed(
    page: Page, ada: User, refusals: set[int]
) -> None:
    refusals.add(503)
    await sign_in(page, ada, "/#/workspaces")
    await press(page, "Create workspace")
    form = page.get_by_role("dialog", name="Create workspace")
    await form.get_by_label("Name").fill("Thesis")
    busy = {"status": 503, "code": "service-unavailable", "detail": "The service is busy."}

    async def refuse(route: Route) -> None:
        await route.fulfill(
            status=503,
            json=busy,
            headers={"Retry-After": "2", "Content-Type": "application/problem+json"},
        )

    await page.route("**/workspaces", refuse)
    await form.get_by_role("button", name="Create workspace").click()
    await expect(form.get_by_role("alert")).to_have_text("The service is busy. Try again in 2 s.")
    await page.unroute("**/workspaces")
    await form.get_by_role("button", name="Create workspace").click()
    await expect(page.get_by_role("heading", level=1, name="Thesis")).to_be_visible()
