"""Processes that migrate a database, forked from one that has imported everything."""

import asyncio
import multiprocessing
import time
from multiprocessing.context import ForkServerProcess
from multiprocessing.synchronize import Event

from symphony.infrastructure.database import migrations
from symphony.infrastructure.database.engine import create_engines

HALFWAY = "005"
"""A revision in the middle."""

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload([__name__])


def migrator(url: str) -> ForkServerProcess:
    """Start a process that upgrades the schema to its head."""
    return _started(_context.Process(target=_migrate, args=(url,), daemon=True))


def halfway_migrator(url: str) -> tuple[ForkServerProcess, Event]:
    """Start a process that migrates some of the way, sets the event, and stays there."""
    halfway = _context.Event()
    process = _context.Process(target=_migrate_and_stay, args=(url, halfway), daemon=True)
    return _started(process), halfway


def _started(process: ForkServerProcess) -> ForkServerProcess:
    process.start()
    return process


def _migrate(url: str) -> None:
    async def migrate() -> None:
        engines = create_engines(url)
        await migrations.upgrade(engines)
        await engines.dispose()

    asyncio.run(migrate())


def _migrate_and_stay(url: str, halfway: Event) -> None:
    async def migrate() -> None:
        async with migrations.exclusive_connection(create_engines(url)) as connection:
            await connection.run_sync(migrations.run_command, "upgrade", HALFWAY)
            halfway.set()
            time.sleep(600)  # noqa: ASYNC251 - the test kills the process long before

    asyncio.run(migrate())
