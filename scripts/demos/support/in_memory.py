"""The database of demo mode, without a server: SQLite in memory."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from symphony.config.demo import get_demo_settings
from symphony.domain.unit_of_work import Store
from symphony.infrastructure.database import migrations
from symphony.infrastructure.database.engine import create_engines
from symphony.infrastructure.database.unit_of_work import SqlAlchemyStore


@asynccontextmanager
async def store_in_memory() -> AsyncGenerator[Store]:
    """An empty database with the schema at head."""
    engines = create_engines(get_demo_settings().store)
    try:
        await migrations.upgrade(engines)
        yield SqlAlchemyStore(engines)
    finally:
        await engines.dispose()
