"""A real browser in front of a real server, with nothing else to be reached."""

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

from tests.support.missing import cannot_run
from tests.support.server import Server, running_server

CHROMIUM = shutil.which("chromium")
# To the browser there is one host in the world; any other, name or address, fails at once, whether
# the machine has a network or not.
ONLY_LOOPBACK = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
ASKING_FOR_NOTHING_BY_ITSELF = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
)

expect.set_options(timeout=30_000)  # milliseconds, as for all else; on a busy machine it takes some


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Server]:
    if CHROMIUM is None:
        cannot_run("there is no chromium on the path: apt-get install chromium")
    async with running_server(tmp_path_factory.mktemp("browser") / "data") as server:
        yield server


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client(server: Server) -> AsyncGenerator[httpx.AsyncClient]:
    """The way past the browser, to prepare and to compare."""
    async with server.client() as client:
        yield client


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncGenerator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM,
            chromium_sandbox=False,  # it does not work for root, and all pages are our own
            args=[ONLY_LOOPBACK, *ASKING_FOR_NOTHING_BY_ITSELF],
        )
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="module")
async def page(server: Server, browser: Browser) -> AsyncGenerator[Page]:
    """A fresh window, in which nothing may have gone wrong when the test is over.

    Wrong is: an error or warning in the console (the browser also writes there what a
    Content-Security-Policy has stopped, and which icon or source map is missing), an exception in a
    script, a request that failed or was answered with an error, a request to another host.
    """
    async with await browser.new_context(base_url=server.address) as context:
        complaints = _complaints(context, server)
        yield await context.new_page()
        assert complaints == []


def _complaints(context: BrowserContext, server: Server) -> list[str]:
    """A list that fills with what goes wrong."""
    found: list[str] = []

    def told(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            found.append(f"{message.type}: {message.text}")

    def asked(request: Request) -> None:
        if not request.url.startswith(f"{server.address}/"):
            found.append(f"another host: {request.url}")

    def answered(response: Response) -> None:
        if response.status >= 400:
            found.append(f"{response.status}: {response.url}")

    context.on("console", told)
    context.on("request", asked)
    context.on("response", answered)
    context.on("requestfailed", lambda request: found.append(f"failed: {request.url}"))
    context.on("weberror", lambda error: found.append(f"exception: {error.error}"))
    return found
