"""Demo mode's database: SQLite in memory, where everything works and nothing stays."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from symphony.config.demo import get_demo_settings
from symphony.domain.unit_of_work import Store
from symphony.infrastructure.database import migrations
from symphony.infrastructure.database.engine import create_engines
from symphony.infrastructure.database.unit_of_work import SqlAlchemyStore


@asynccontextmanager
async def store_in_memory() -> AsyncGenerator[Store]:
    """A fresh database with the newest schema."""
    engines = create_engines(get_demo_settings().store_url)
    try:
        await migrations.upgrade(engines)
        yield SqlAlchemyStore(engines)
    finally:
        await engines.dispose()
