"""A service on each store, with two users.

Every response is checked against the OpenAPI document.
"""

from collections.abc import AsyncGenerator

import httpx
import pytest

from symphony.config.settings import Settings
from tests.support.api import User, running_api, sign_up
from tests.support.openapi import check


@pytest.fixture
async def client(settings: Settings) -> AsyncGenerator[httpx.AsyncClient]:
    async with running_api(settings) as client:
        client.event_hooks["response"] = [check]
        yield client


@pytest.fixture
async def ada(client: httpx.AsyncClient) -> User:
    return await sign_up(client, "ada")


@pytest.fixture
async def eve(client: httpx.AsyncClient) -> User:
    return await sign_up(client, "eve")
