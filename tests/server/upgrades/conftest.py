"""What tests with several releases need."""

import secrets
from collections.abc import AsyncGenerator

import pytest

from tests.support import postgres


@pytest.fixture
async def empty_url() -> AsyncGenerator[str]:
    """The URL of a database that was never migrated."""
    name = f"test_{secrets.token_hex(8)}"
    yield await postgres.create_database(name, migrated=False)
    await postgres.drop_database(name)
