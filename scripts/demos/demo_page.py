"""The page: a new user signs up, finds the one repo at risk, and keeps a secret, in Chromium."""

import os
import re
import shutil
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, Request, sync_playwright

from scripts.demos.support.demo_server import Server, running_server
from scripts.demos.support.stage import Stage, perform
from scripts.support.git_repository import Repository

PASSWORD = "correct horse battery staple"
PASSPHRASE = "five words drawn by chance alone"
SECRET = "not hunter2"
WITHIN = 20_000  # milliseconds for whatever is waited for
NAMES = ("engine", "mill", "loom")


def story(stage: Stage) -> None:
    chromium = shutil.which("chromium")
    stage.expect("chromium is on the path (apt-get install chromium)", chromium)
    with tempfile.TemporaryDirectory(prefix="symphony-demo-") as temporary:
        folder = Path(temporary).resolve()
        engine = _repositories(folder)
        options = ("--git-root", str(folder / "dev"))
        with (
            running_server(*options) as server,
            sync_playwright() as playwright,
            playwright.chromium.launch(
                executable_path=chromium,
                chromium_sandbox=False,  # it does not work for root; the page is our own
                args=["--disable-background-networking", "--disable-gpu", "--no-first-run"],
                env=_home(folder),
            ) as browser,
        ):
            visit(stage, server, browser, engine)


def _home(folder: Path) -> dict[str, str | float | bool]:
    """The browser's environment: what it writes into a home directory is removed with `folder`."""
    names = ("HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME")
    return {**os.environ, **dict.fromkeys(names, str(folder / "home"))}


def _repositories(folder: Path) -> Repository:
    """Clone three repositories; in one of them, a commit is only on this disk."""
    remote = Repository.with_commits(folder / "remote", "notes")
    engine, *_ = (remote.clone(folder / "dev" / name) for name in NAMES)
    engine.commit("loops")
    # A branch that nobody has checked out, so that a push can change it.
    remote.git("switch", "--quiet", "--detach")
    return engine


def visit(stage: Stage, server: Server, browser: Browser, engine: Repository) -> None:
    page = browser.new_page(base_url=server.address, viewport={"width": 1000, "height": 800})
    page.set_default_timeout(WITHIN)
    faults = _faults(page, server)
    sign_up(stage, page)
    import_folder(stage, page, engine.path.parent)
    find_what_is_at_risk(stage, page, engine)
    keep_a_secret(stage, page)
    stage.step("What the browser noticed")
    stage.expect("no error in its console, and no request to another host", not faults)


def sign_up(stage: Stage, page: Page) -> None:
    stage.step("Open the address that the start of the service prints, and create an account")
    page.goto("/#/sign-up")
    page.get_by_label("User name").fill("ada")
    page.get_by_label("E-mail address").fill("ada@example.org")
    page.get_by_label("Password").fill(PASSWORD)
    press(page, "Create an account")
    begin = page.get_by_role("heading", name="How to begin")
    begin.wait_for()
    show(stage, page.locator("main"))
    stage.expect("the page says how to begin", begin.is_visible())


def import_folder(stage: Stage, page: Page, dev: Path) -> None:
    stage.step("Import a folder")
    page.keyboard.type(str(dev))  # the field has the focus
    page.keyboard.press("Enter")
    found = page.get_by_role("heading", name="Found 3 repositories")
    found.wait_for()
    stage.text(found.inner_text())
    press(page, "Import 3 repos")
    imported = page.get_by_text("3 repos have been imported.")
    imported.wait_for()
    stage.text(imported.inner_text())
    stage.expect("the board follows", page.get_by_role("heading", level=1).inner_text() == "Board")


def find_what_is_at_risk(stage: Stage, page: Page, engine: Repository) -> None:
    stage.step("The board: what would be lost if this disk died now?")
    risk = page.locator(".item.risk")
    risk.wait_for()
    show(stage, risk)
    stage.expect(
        "one repo is at risk", page.locator(".item.risk h3").all_inner_texts() == ["engine"]
    )
    command = risk.locator(".command code").inner_text()
    stage.expect("the board has the command", command == f"git -C {engine.path} push")
    engine.git("push", "--quiet")
    stage.say("Ada runs the command, and refreshes the board.")
    press(page, "Refresh")
    risk.wait_for(state="detached")
    show(stage, page.locator(".board-status"))
    stage.expect("nothing is at risk any more", risk.count() == 0)


def keep_a_secret(stage: Stage, page: Page) -> None:
    stage.step("Keep a secret")
    page.get_by_role("link", name="Vaults", exact=True).click()
    page.get_by_label("Passphrase").fill(PASSPHRASE)
    show(stage, page.locator("main"))
    press(page, "Add vault")
    page.get_by_role("heading", level=1, name="Secrets").wait_for()
    created = page.get_by_text("The vault was created.")
    created.wait_for()
    stage.text(created.inner_text())
    page.get_by_label("Name (not secret)").fill("mail/password")
    page.get_by_label("Secret", exact=True).fill(SECRET)
    press(page, "Save")
    press(page, "Show: mail/password")
    page.get_by_text(SECRET).wait_for()
    show(stage, page.locator("main"))
    stage.expect("the secret is shown when asked for", SECRET in page.content())
    press(page, "Lock now")
    page.get_by_text("The vault is locked.").wait_for()
    show(stage, page.locator("main"))
    stage.expect("the page of a locked vault contains nothing of it", SECRET not in page.content())


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def show(stage: Stage, part: Locator) -> None:
    """Print the texts that a person sees in a part of the page."""
    lines = [re.sub(r"\s+", " ", each).strip() for each in part.inner_text().splitlines()]
    stage.text("\n".join(line for line in lines if line))


def _faults(page: Page, server: Server) -> list[str]:
    """The list of what should not happen, filled while the page is used."""
    found: list[str] = []

    def on_console(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            found.append(message.text)

    def on_request(request: Request) -> None:
        if not request.url.startswith(server.address):
            found.append(request.url)

    page.on("console", on_console)
    page.on("request", on_request)
    page.on("pageerror", lambda error: found.append(str(error)))
    return found


if __name__ == "__main__":
    perform(story)
