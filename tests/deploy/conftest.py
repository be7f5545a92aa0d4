"""Databases of PostgreSQL for tests of the manifests."""

import secrets
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from tests.support import postgres


@asynccontextmanager
async def database(*, migrated: bool) -> AsyncGenerator[str]:
    name = f"test_{secrets.token_hex(8)}"
    yield await postgres.create_database(name, migrated=migrated)
    await postgres.drop_database(name)


@pytest.fixture
async def empty_postgresql() -> AsyncGenerator[str]:
    """The URL of a database without a schema."""
    async with database(migrated=False) as address:
        yield address


@pytest.fixture
async def migrated_postgresql() -> AsyncGenerator[str]:
    """The URL of a database with the schema at head."""
    async with database(migrated=True) as address:
        yield address
