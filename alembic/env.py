"""Runs migrations: on the connection that Symphony hands over, or for the alembic command."""

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
        transactional_ddl=True,  # SQLite's too: the engine begins its transactions by itself
    )
    with context.begin_transaction():
        context.run_migrations()


async def run_for_command_line() -> None:
    engines = create_engines(load_settings().store_url)
    try:
        async with engines.write.begin() as connection:
            await connection.run_sync(run)
    finally:
        await engines.dispose()


handed_over = context.config.attributes.get("connection")
if handed_over is not None:
    run(handed_over)
else:
    asyncio.run(run_for_command_line())
