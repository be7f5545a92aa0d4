"""A service on each store, with two users.

Every response is checked against the OpenAPI document.
"""

from collections.abc import AsyncGenerator

import httpx
import pytest

from symphony.config.settings import Settings
from symphony.main import GitLimits
from tests.support.api import User, running_api, sign_up
from tests.support.openapi import check


@pytest.fixture
def git_limits() -> GitLimits:
    """The limits of git; a test with other ones has them as a parameter of this name."""
    return GitLimits()


@pytest.fixture
async def client(settings: Settings, git_limits: GitLimits) -> AsyncGenerator[httpx.AsyncClient]:
    async with running_api(settings, git_limits) as client:
        client.event_hooks["response"] = [check]
        yield client


@pytest.fixture
async def ada(client: httpx.AsyncClient) -> User:
    return await sign_up(client, "ada")


@pytest.fixture
async def eve(client: httpx.AsyncClient) -> User:
    return await sign_up(client, "eve")
