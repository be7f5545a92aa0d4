"""A client whose answers can be read as they were sent."""

from collections.abc import AsyncGenerator

import httpx
import pytest

from symphony.config.settings import Settings
from tests.support.api import running_api


@pytest.fixture
async def client(settings: Settings) -> AsyncGenerator[httpx.AsyncClient]:
    """Without the check against the OpenAPI document, which would read the answers decoded."""
    async with running_api(settings) as client:
        yield client
