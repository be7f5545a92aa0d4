"""Run migrations: on a connection of Symphony, or for the command `alembic`."""

import asyncio

from alembic import context
from sqlalchemy import Connection

from symphony.config.settings import load_settings
from symphony.infrastructure.database import migrations
from symphony.infrastructure.database.engine import create_engines
from symphony.infrastructure.database.migrating.compatibility import (
    is_of_symphony,
    record_compatibility,
)
from symphony.infrastructure.database.models import Model


def run(connection: Connection) -> None:
    is_sqlite = connection.dialect.name == "sqlite"
    context.configure(
        connection=connection,
        target_metadata=Model.metadata,
        compare_server_default=True,
        include_object=is_of_symphony,
        on_version_apply=record_compatibility,
        render_as_batch=is_sqlite,
        transactional_ddl=True,  # also on SQLite: the engine starts each transaction itself
        transaction_per_migration=not is_sqlite,
    )
    with context.begin_transaction():
        context.run_migrations()


async def run_for_command_line() -> None:
    engines = create_engines(load_settings().store)
    try:
        async with migrations.exclusive_connection(engines) as connection:
            await connection.run_sync(run)
    finally:
        await engines.dispose()


given_connection = context.config.attributes.get("connection")
if given_connection is not None:
    run(given_connection)
else:
    asyncio.run(run_for_command_line())
