"""A pgbouncer, and a database behind it."""

import secrets
from collections.abc import AsyncGenerator

import pytest

from scripts.support.pgbouncer import Pgbouncer
from tests.server.pooler.few_connections import few_connections
from tests.support import postgres


@pytest.fixture
async def pgbouncer() -> AsyncGenerator[Pgbouncer]:
    async with few_connections() as pgbouncer:
        yield pgbouncer


@pytest.fixture
async def database() -> AsyncGenerator[str]:
    """The name of a database with the newest schema."""
    name = f"test_{secrets.token_hex(8)}"
    await postgres.create_database(name)
    yield name
    await postgres.drop_database(name)
