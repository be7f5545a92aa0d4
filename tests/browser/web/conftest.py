"""The application in a real browser, on a real service that inspects a directory."""

from collections.abc import AsyncGenerator, Callable
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from tests.browser.conftest import CHROMIUM
from tests.conftest import SECRET
from tests.support.api import User, sign_up
from tests.support.prerequisites import missing
from tests.support.server import Server, running_server


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory in which the service may inspect."""
    return tmp_path_factory.mktemp("dev")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory, root: Path) -> AsyncGenerator[Server]:
    if CHROMIUM is None:
        missing("chromium is not on the path: apt-get install chromium")
    data = tmp_path_factory.mktemp("browser") / "data"
    # A known secret, with which a test issues tokens of another time.
    options = {"REGISTRATION": "open", "SECRET_KEY": SECRET}
    async with running_server(data, "--git-root", str(root), **options) as server:
        yield server


@pytest.fixture(scope="module")
def names() -> Callable[[], str]:
    """A function that returns a new user name with each call."""
    used = iter(range(1_000))
    return lambda: f"reader_{next(used)}"


@pytest_asyncio.fixture(loop_scope="module")
async def ada(client: httpx.AsyncClient, names: Callable[[], str]) -> User:
    """A new user, whom the browser does not know yet."""
    return await sign_up(client, names())
