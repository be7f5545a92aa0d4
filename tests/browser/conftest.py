"""A real browser and a real server, without any other network."""

import re
import shutil
from collections.abc import AsyncGenerator

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    Response,
    async_playwright,
    expect,
)

from tests.support.prerequisites import missing
from tests.support.server import Server, running_server

CHROMIUM = shutil.which("chromium")
# The browser reaches only this host; requests to any other fail at once, with or without a network.
ONLY_LOOPBACK = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
WITHOUT_BACKGROUND_REQUESTS = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
)

expect.set_options(timeout=30_000)  # milliseconds; the default is too short on a busy machine


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Server]:
    if CHROMIUM is None:
        missing("chromium is not on the path: apt-get install chromium")
    async with running_server(tmp_path_factory.mktemp("browser") / "data") as server:
        yield server


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client(server: Server) -> AsyncGenerator[httpx.AsyncClient]:
    """An HTTP client beside the browser, to prepare data and compare results."""
    async with server.client() as client:
        yield client


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncGenerator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM,
            chromium_sandbox=False,  # the sandbox does not work for root; all pages are our own
            args=[ONLY_LOOPBACK, *WITHOUT_BACKGROUND_REQUESTS],
        )
        yield browser
        await browser.close()


@pytest.fixture
def refusals() -> set[int]:
    """The error statuses that a test expects in its pages; it adds them."""
    return set()


@pytest_asyncio.fixture(loop_scope="module")
async def context(
    server: Server, browser: Browser, refusals: set[int]
) -> AsyncGenerator[BrowserContext]:
    """The tabs of one reader, which must have no faults at the end of the test.

    Faults are: an error or warning in the console (which includes violations of the content
    security policy and missing icons or source maps), an exception in a script, a request that
    fails or has an error status, a request to another host.
    """
    async with await browser.new_context(base_url=server.address) as context:
        faults = _faults(context, server)
        yield context
        expected = re.compile("|".join(rf"(status of |^){status}\b" for status in refusals) or "$^")
        assert [fault for fault in faults if not expected.search(fault)] == []


@pytest_asyncio.fixture(loop_scope="module")
async def page(context: BrowserContext) -> Page:
    """A new tab."""
    return await context.new_page()


def _faults(context: BrowserContext, server: Server) -> list[str]:
    """The list of faults, filled while the page is used."""
    found: list[str] = []

    def on_console(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            found.append(f"{message.type}: {message.text}")

    def on_request(request: Request) -> None:
        if not request.url.removeprefix("blob:").startswith(f"{server.address}/"):
            found.append(f"another host: {request.url}")

    def on_response(response: Response) -> None:
        if response.status >= 400:
            found.append(f"{response.status}: {response.url}")

    def on_failure(request: Request) -> None:
        # The browser gives up what still loads, such as an icon, when a link is followed.
        if request.failure != "net::ERR_ABORTED":
            found.append(f"failed: {request.url}: {request.failure}")

    context.on("console", on_console)
    context.on("request", on_request)
    context.on("response", on_response)
    context.on("requestfailed", on_failure)
    context.on("weberror", lambda error: found.append(f"exception: {error.error}"))
    return found
