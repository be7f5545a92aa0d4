"""A client whose answers can be read as they were sent."""

from collections.abc import AsyncGenerator

import httpx
import pytest

from symphony import main
from symphony.config.settings import Settings
from tests.support.api import running_api
from tests.support.openapi import generated_once


@pytest.fixture
async def client(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> AsyncGenerator[httpx.AsyncClient]:
    """Without the check against the OpenAPI document, which would read the answers decoded."""
    monkeypatch.setattr(main, "OpenApiDocuments", generated_once)
    async with running_api(settings) as client:
        yield client
