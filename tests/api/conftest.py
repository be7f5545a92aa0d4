"""A service on each store, and two people who use it."""

from collections.abc import AsyncGenerator

import httpx
import pytest

from symphony.config.settings import Settings
from tests.support.api import User, running_api, sign_up


@pytest.fixture
async def client(settings: Settings) -> AsyncGenerator[httpx.AsyncClient]:
    async with running_api(settings) as client:
        yield client


@pytest.fixture
async def ada(client: httpx.AsyncClient) -> User:
    return await sign_up(client, "ada")


@pytest.fixture
async def eve(client: httpx.AsyncClient) -> User:
    return await sign_up(client, "eve")
