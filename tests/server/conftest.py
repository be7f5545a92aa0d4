"""Databases for real servers."""

import secrets
from collections.abc import AsyncGenerator

import pytest

from tests.support import postgres


@pytest.fixture
async def empty_postgresql() -> AsyncGenerator[str]:
    """The URL of a database without a schema."""
    name = f"test_{secrets.token_hex(8)}"
    yield await postgres.create_database(name, migrated=False)
    await postgres.drop_database(name)
