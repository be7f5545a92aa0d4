"""Run migrations: on a connection of Symphony, or for the command `alembic`."""

import asyncio

from alembic import context
from sqlalchemy import Connection

from symphony.config.settings import load_settings
from symphony.infrastructure.database.engine import create_engines
from symphony.infrastructure.database.models import Model


def run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=Model.metadata,
        compare_server_default=True,
        render_as_batch=connection.dialect.name == "sqlite",
        transactional_ddl=True,  # also on SQLite: the engine starts each transaction itself
    )
    with context.begin_transaction():
        context.run_migrations()


async def run_for_command_line() -> None:
    engines = create_engines(load_settings().store)
    try:
        async with engines.write.begin() as connection:
            await connection.run_sync(run)
    finally:
        await engines.dispose()


given_connection = context.config.attributes.get("connection")
if given_connection is not None:
    run(given_connection)
else:
    asyncio.run(run_for_command_line())
